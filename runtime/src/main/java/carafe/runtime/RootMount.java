package carafe.runtime;

import carafe.kernel.Descriptors;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.MountChange;
import carafe.kernel.MountChange.Propagation;
import carafe.kernel.MountNamespace;
import carafe.kernel.Mounts;
import carafe.kernel.Overlay;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Turns a plan of a root into a mount that only its descriptor reaches: for a start, and for whoever looks at the
/// files of a container that does not run.
public final class RootMount {

    private RootMount() {}

    /// The root as a detached mount, owned by the caller. Of one plan with a writable layer only one may be in
    /// use at a time; the monitor of an earlier life may hold its own, which nobody uses any more, for a moment longer.
    public static Fd detached(RootfsPlan plan) throws IOException {
        return detached(plan, Optional.empty(), Assembly.DETACHED);
    }

    /// The same with the owners of its files mapped as the user namespace `users` has them. Then the caller has to be
    /// one whom it knows: the overlay makes a directory of its own.
    static Fd detached(RootfsPlan plan, Optional<Fd> users, Assembly assembly) throws IOException {
        return switch (plan) {
            case RootfsPlan.Directory(var path) -> {
                var copy = Mounts.cloneTree(path, true);
                try {
                    Mounts.change(copy, MountChange.to(Propagation.PRIVATE), true);
                    if (users.isPresent()) {
                        Mounts.mapOwners(copy, users.get());
                    }
                } catch (IOException e) {
                    copy.close();
                    throw e;
                }
                yield copy;
            }
            case RootfsPlan.Overlay overlay -> overlay(overlay, users, assembly);
        };
    }

    /// A detached overlay of `layers`, the topmost first, that can only be read, or what `inside` (`""`: all) names in it.
    static Fd readOnly(List<String> layers, String inside, Optional<Fd> users, Assembly assembly) throws IOException {
        var opened = new ArrayList<Fd>();
        try {
            for (var layer : layers) {
                opened.add(layer(Path.of(layer), users));
            }
            var overlay = new Overlay(opened, Optional.empty(), false);
            var mount = together(opened, users, assembly, () -> overlay.mount(Linux.MOUNT_ATTR_RDONLY));
            if (inside.isEmpty()) {
                return mount;
            }
            try (var tree = FileTree.adopt(mount)) {
                return assembly.with(List.of(mount), () -> {
                    try (var found = tree.open(inside, Linux.O_PATH, 0)) {
                        return Mounts.cloneTree(found, false);
                    }
                });
            }
        } finally {
            opened.forEach(Fd::close);
        }
    }

    /// Makes an overlay. Layers that are directories of the host's serve as they are, mapped ones are mounts of our own.
    private static Fd together(List<Fd> mounts, Optional<Fd> users, Assembly assembly, MountNamespace.Task<Fd> overlay)
            throws KernelException {
        if (users.isEmpty()) {
            return overlay.run();
        }
        try {
            return assembly.with(mounts, overlay);
        } catch (KernelException e) {
            if (assembly == Assembly.ATTACHED && e.is(Errno.EINVAL)) {
                throw new KernelException("mount", "overlay", Errno.EOPNOTSUPP, "this kernel cannot put layers together"
                        + " whose owners are mapped, which users of a container's own need; Linux 5.19 can;"
                        + " --userns=host does without");
            }
            throw e;
        }
    }

    /// The kernel marks an overlay that may have lost writes, and mounts it no more while the mark is there. Ours lost
    /// none: the machine has not gone down since.
    private static void forgetDiscarded(Path work) throws IOException {
        if (Files.exists(work.resolve("work/incompat"))) {
            try (var tree = FileTree.open(work.resolve("work"))) {
                tree.deleteTree("incompat");
            }
        }
    }

    private static Fd layer(Path directory, Optional<Fd> users) throws IOException {
        return users.isPresent()
                ? mapped(directory, users.get())
                : Descriptors.open(directory, Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }

    private static Fd mapped(Path directory, Fd users) throws IOException {
        var copy = Mounts.cloneTree(directory, false);
        try {
            Mounts.mapOwners(copy, users);
            return copy;
        } catch (KernelException e) {
            copy.close();
            throw e;
        }
    }

    private static Fd overlay(RootfsPlan.Overlay plan, Optional<Fd> users, Assembly assembly) throws IOException {
        var opened = new ArrayList<Fd>();
        try {
            for (Path directory : plan.lowers()) {
                opened.add(layer(directory, users));
            }
            var lowers = List.copyOf(opened);
            if (users.isPresent()) { // both of one mount: the overlay insists on it
                opened.add(mapped(Objects.requireNonNull(plan.upper().getParent()), users.get()));
            }
            var mounts = List.copyOf(opened);
            Fd upper;
            Fd work;
            if (users.isPresent()) {
                try (var tree = FileTree.adopt(mounts.getLast().duplicate())) {
                    upper = tree.open(String.valueOf(plan.upper().getFileName()), Linux.O_PATH | Linux.O_DIRECTORY, 0);
                    opened.add(upper);
                    work = tree.open(String.valueOf(plan.work().getFileName()), Linux.O_PATH | Linux.O_DIRECTORY, 0);
                    opened.add(work);
                }
            } else {
                upper = Descriptors.open(plan.upper(), Linux.O_PATH | Linux.O_DIRECTORY, 0);
                opened.add(upper);
                work = Descriptors.open(plan.work(), Linux.O_PATH | Linux.O_DIRECTORY, 0);
                opened.add(work);
            }
            var upperDirectory = Optional.of(new Overlay.Upper(upper, work));
            forgetDiscarded(plan.work());
            return together(mounts, users, assembly, () -> writable(lowers, upperDirectory, plan.discardable()));
        } finally {
            opened.forEach(Fd::close);
        }
    }

    private static Fd writable(List<Fd> lowers, Optional<Overlay.Upper> upper, boolean discardable) throws KernelException {
        if (discardable) {
            try {
                return new Overlay(lowers, upper, true).mount(0);
            } catch (KernelException e) {
                if (!e.is(Errno.EINVAL)) {
                    throw e;
                }
                // before Linux 5.10: what is promised then is more than was asked for
            }
        }
        return new Overlay(lowers, upper, false).mount(0);
    }
}
