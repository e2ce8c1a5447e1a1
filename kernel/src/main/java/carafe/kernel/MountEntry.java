package carafe.kernel;

/// One line of /proc/PID/mountinfo. `root` is the directory of the filesystem that is mounted, `target` where, seen
/// from the process's root; `options` are the mount's, `superOptions` the filesystem's. Source: proc_pid_mountinfo(5).
public record MountEntry(int id, int parentId, String device, String root, String target, String options,
        String optionalFields, String fsType, String source, String superOptions) {}
