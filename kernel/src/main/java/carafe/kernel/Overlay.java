package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An overlay of directories, made as a detached mount. `lowers` are read only, the topmost first; changes go to
/// `upper`, without which the mount is read only. All descriptors stay the caller's and need not outlive the call.
/// `discardable` gives up every promise about a crash for speed (`volatile`): only for what is thrown away with it.
///
/// Options that do not depend on how the kernel was built: `index=off` (an upper directory may be used again after a
/// crash), `metacopy=off` and `redirect_dir=nofollow` (an image's forged attributes lead nowhere, and every upper
/// directory alone is a complete layer). `userxattr` is for user namespaces and not set.
///
/// Four ways to name the directories, the first that this kernel takes is found by trying and remembered: [Way].
public record Overlay(List<Fd> lowers, Optional<Upper> upper, boolean discardable) {

    /// Where changes go, and an empty directory of the same filesystem for the kernel's own use.
    public record Upper(Fd directory, Fd work) {}

    /// How directories are named to the kernel.
    enum Way {
        /// By descriptor, Linux 6.13.
        DESCRIPTORS,
        /// One `lowerdir+` each with the path of the descriptor, Linux 6.8.
        LOWERDIR_PLUS,
        /// One `lowerdir` with colons between, of at most 255 bytes (some 14 lowers).
        LOWERDIR,
        /// mount(2) onto a directory of ours and off again at once; a page of text (some 200 lowers).
        MOUNT
    }

    private static final int STRING_LIMIT_BYTES = 255;
    private static final int PAGE_LIMIT_BYTES = 4095;

    private static volatile Way way = Way.DESCRIPTORS;

    public Overlay {
        lowers = List.copyOf(lowers);
        if (lowers.isEmpty()) {
            throw new IllegalArgumentException("an overlay needs a lower directory");
        }
    }

    /// Makes the mount with `MOUNT_ATTR_*` attributes; owned by the caller.
    /// @throws KernelException EINVAL more lowers than the kernel takes, or a directory it cannot use; the message has
    /// the kernel's own words where it gave any
    public Fd mount(int attributes) throws KernelException {
        if (lowers.size() == 1 && upper.isEmpty()) { // the kernel wants two; one alone is simply itself
            var clone = Mounts.cloneTree(lowers.getFirst(), false);
            try {
                Mounts.change(clone, MountChange.setting(attributes | Linux.MOUNT_ATTR_RDONLY), false);
                return clone;
            } catch (KernelException e) {
                clone.close();
                throw e;
            }
        }
        KernelException first = null;
        for (var candidate : Way.values()) {
            if (candidate.compareTo(way) < 0) {
                continue;
            }
            try {
                var mount = mount(candidate, attributes);
                remember(candidate);
                return mount;
            } catch (KernelException e) {
                if (!isAboutTheWay(e)) {
                    throw e;
                }
                first = first == null || first.detail().isEmpty() && !e.detail().isEmpty() ? e : first;
            }
        }
        throw first == null ? new KernelException("mount", "overlay", Errno.EINVAL) : first;
    }

    /// A list too long for one way is no reason never to go it again.
    private void remember(Way worked) {
        if (worked == Way.DESCRIPTORS || worked == Way.LOWERDIR_PLUS
                || lowers.size() * 18 < STRING_LIMIT_BYTES) {
            way = worked;
        }
    }

    /// An unknown key, a descriptor where a text is wanted, no fsopen for overlay: the next way may do.
    private static boolean isAboutTheWay(KernelException e) {
        return e.is(Errno.EINVAL, Errno.EBADF, Errno.ENOSYS, Errno.EOPNOTSUPP, Errno.E2BIG);
    }

    /// Mounts one way and no other; tests force each.
    Fd mount(Way chosen, int attributes) throws KernelException {
        return switch (chosen) {
            case DESCRIPTORS, LOWERDIR_PLUS, LOWERDIR -> mountByContext(chosen, attributes);
            case MOUNT -> mountTheOldWay(attributes);
        };
    }

    private Fd mountByContext(Way chosen, int attributes) throws KernelException {
        try (var context = FsContext.open("overlay")) {
            context.set("source", "overlay");
            switch (chosen) {
                case DESCRIPTORS -> {
                    for (var lower : lowers) {
                        context.set("lowerdir+", lower);
                    }
                }
                case LOWERDIR_PLUS -> {
                    for (var lower : lowers) {
                        context.set("lowerdir+", ProcFs.path(lower));
                    }
                }
                case LOWERDIR, MOUNT -> context.set("lowerdir", bounded(lowerList(), STRING_LIMIT_BYTES));
            }
            if (upper.isPresent() && chosen == Way.DESCRIPTORS) {
                context.set("upperdir", upper.get().directory).set("workdir", upper.get().work);
            } else if (upper.isPresent()) {
                context.set("upperdir", ProcFs.path(upper.get().directory));
                context.set("workdir", ProcFs.path(upper.get().work));
            }
            for (String option : options()) {
                int equals = option.indexOf('=');
                if (equals < 0) {
                    context.flag(option);
                } else {
                    context.set(option.substring(0, equals), option.substring(equals + 1));
                }
            }
            return context.mount(attributes);
        }
    }

    private Fd mountTheOldWay(int attributes) throws KernelException {
        var data = new StringBuilder("lowerdir=").append(lowerList());
        if (upper.isPresent()) {
            data.append(",upperdir=").append(ProcFs.path(upper.get().directory));
            data.append(",workdir=").append(ProcFs.path(upper.get().work));
        }
        options().forEach(option -> data.append(',').append(option));
        Path place = temporaryDirectory();
        try {
            Mounts.mount("overlay", place, "overlay", 0, bounded(data.toString(), PAGE_LIMIT_BYTES));
            Fd clone;
            try {
                clone = Mounts.cloneTree(place, false);
            } finally {
                Mounts.detach(place);
            }
            try {
                var change = new MountChange(attributes, 0, Optional.of(MountChange.Propagation.PRIVATE));
                Mounts.change(clone, change, false);
                return clone;
            } catch (KernelException e) {
                clone.close();
                throw e;
            }
        } finally {
            place.toFile().delete();
        }
    }

    private static Path temporaryDirectory() throws KernelException {
        try {
            return Files.createTempDirectory("carafe-overlay");
        } catch (IOException e) {
            throw new KernelException("mkdir", "temporary directory for an overlay", Errno.EIO, String.valueOf(e));
        }
    }

    /// Paths of descriptors hold neither colon nor comma nor backslash, so nothing is to be escaped.
    private String lowerList() throws KernelException {
        var paths = new ArrayList<String>();
        for (var lower : lowers) {
            paths.add(ProcFs.path(lower));
        }
        return String.join(":", paths);
    }

    private String bounded(String text, int limitBytes) throws KernelException {
        if (text.length() > limitBytes) {
            throw new KernelException("mount", "overlay", Errno.E2BIG, lowers.size() + " lower directories");
        }
        return text;
    }

    private List<String> options() {
        var options = new ArrayList<>(List.of("index=off", "metacopy=off", "redirect_dir=nofollow"));
        if (discardable) {
            options.add("volatile");
        }
        return options;
    }

    static Way way() {
        return way;
    }
}
