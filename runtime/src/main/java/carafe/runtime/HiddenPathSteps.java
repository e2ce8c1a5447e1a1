package carafe.runtime;


import carafe.kernel.Errno;
import carafe.kernel.Slot;
import carafe.runtime.HostFacts.PathKind;
import carafe.spec.oci.LinuxSpec;
import java.util.Map;
import java.util.TreeMap;

/// Paths that are hidden (masked) or only readable. A file is hidden by /dev/null, whose device number the daemon
/// verified; a directory by an empty read-only tmpfs. Below a mount that this tape made the place is found by name from
/// that mount's descriptor; anywhere else it is resolved inside the root first (CVE-2025-31133).
final class HiddenPathSteps {

    private static final long SEALED = MountOptions.RDONLY | MountOptions.NOSUID | MountOptions.NODEV
            | MountOptions.NOEXEC;

    private static final Map<String, String> EMPTY_TMPFS =
            new TreeMap<>(Map.of("source", "tmpfs", "nr_inodes", "1"));

    private HiddenPathSteps() {}

    static void write(TapeDraft draft, LinuxSpec linux, HostFacts host, MountSteps mounts) {
        for (String path : linux.maskedPaths()) {
            mask(draft, MountSteps.normalized(path), host, mounts);
        }
        for (String path : linux.readonlyPaths()) {
            readonly(draft, MountSteps.normalized(path), host, mounts);
        }
    }

    /// Whether nothing can be at `path`: the kernel has no such file, and only the kernel makes files there.
    static boolean absent(String path, HostFacts host) {
        return (path.startsWith("/proc/") || path.startsWith("/sys/")) && !host.kernelPaths().containsKey(path);
    }

    /// Whether `path` is hidden by a null device that the daemon brings.
    static boolean needsNull(String path, HostFacts host) {
        return !absent(path, host) && host.kernelPaths().get(path) != PathKind.DIRECTORY;
    }

    private record Place(Slot slot, String below) {}

    private static Place place(TapeDraft draft, String id, String path, MountSteps mounts) {
        var above = mounts.above(path).filter(MountSteps.Planned::own);
        if (above.isPresent()) {
            return new Place(above.get().slot(), path.substring(above.get().destination().length() + 1));
        }
        var slot = new Slot("place:" + id);
        draft.add(draft.place(id, path, slot).tolerating(Errno.ENOENT, Errno.ENOTDIR));
        return new Place(slot, "");
    }

    private static void mask(TapeDraft draft, String path, HostFacts host, MountSteps mounts) {
        if (absent(path, host)) {
            return;
        }
        String id = "mask:" + path;
        var place = place(draft, id, path, mounts);
        var kind = host.kernelPaths().get(path);
        if (kind != PathKind.DIRECTORY) {
            var attach = TapeDraft.attach(id, Slots.mask(path), place.slot, place.below);
            if (kind == PathKind.FILE) {
                draft.add(attach.tolerating(Errno.ENOENT));
                return;
            }
            // not known what it is: a file cannot be attached to a directory, so the tmpfs is tried then
            draft.add(attach.tolerating(Errno.ENOENT, Errno.ENOTDIR, Errno.EINVAL, Errno.EBADF));
        }
        var empty = new Slot("empty:" + path);
        draft.filesystem(id, "tmpfs", EMPTY_TMPFS, SEALED, empty);
        draft.add(TapeDraft.attach(id, empty, place.slot, place.below)
                .tolerating(Errno.ENOENT, Errno.ENOTDIR, Errno.EINVAL, Errno.EBADF));
    }

    private static void readonly(TapeDraft draft, String path, HostFacts host, MountSteps mounts) {
        if (absent(path, host)) {
            return;
        }
        String id = "readonly:" + path;
        var place = place(draft, id, path, mounts);
        var copy = new Slot("copy:" + path);
        draft.add(TapeDraft.copy(id, place.slot, place.below, true, copy).tolerating(Errno.ENOENT, Errno.EBADF));
        draft.add(TapeDraft.setAttributes(id, copy, true, MountOptions.RDONLY, 0).tolerating(Errno.EBADF));
        draft.add(TapeDraft.attach(id, copy, place.slot, place.below).tolerating(Errno.EBADF));
    }
}
