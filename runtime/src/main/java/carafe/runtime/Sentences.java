package carafe.runtime;

import carafe.kernel.Errno;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.TapeFailure;
import carafe.runtime.StartFailure.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/// The sentences of failed starts. They hold the phrases from which Docker's command derives 126 and 127
/// (`executable file not found`, `no such file or directory`, `permission denied`, `is a directory`).
final class Sentences {

    /// Both phrases: clients since 23 look for the first, older ones for the second, to end with 126.
    private static final String DIRECTORY = "is a directory: permission denied";


    static final String START = "failed to create task for container: ";
    private static final int KILL = 9;
    private static final int BAD_SYSTEM_CALL = 31;

    private Sentences() {}

    static StartFailure notFound(String program) {
        return new StartFailure(Kind.EXECUTABLE_NOT_FOUND, "exec",
                START + "exec: \"" + program + "\": executable file not found in $PATH");
    }

    /// Something the daemon did before any process existed.
    static StartFailure preparing(Preparation preparation, IOException e) {
        String reason = String.valueOf(e.getMessage());
        var sentence = switch (preparation) {
            case Preparation.RunDirectory(var path) -> of(Kind.OTHER, "making the run directory " + path);
            case Preparation.Group(var path, var _) -> of(Kind.CGROUP, "making the control group " + path);
            case Preparation.RootMount _ -> of(Kind.MOUNT, "mounting the root filesystem");
            case Preparation.FindUser(var request) -> of(Kind.NO_SUCH_USER,
                    "finding user \"" + request.user() + "\" in the image");
            case Preparation.WorkingDirectory(var path) -> of(Kind.WORKING_DIRECTORY,
                    "making the working directory \"" + path + "\"");
            case Preparation.Tree tree -> of(Kind.MOUNT,
                    "mounting \"" + tree.source() + "\" to \"" + tree.destination() + "\"");
            case Preparation.MountPoint(var destination, var _, var _) -> of(Kind.MOUNT,
                    "making the mount point \"" + destination + "\"");
            case Preparation.SealRoot() -> of(Kind.MOUNT, "making the root filesystem read-only");
            case Preparation.Nulls _, Preparation.CgroupTrees _ -> of(Kind.MOUNT, "copying mounts");
            case Preparation.JoinNamespace(var namespace) -> of(Kind.NAMESPACE,
                    "opening the " + namespace.type().word() + " namespace " + namespace.path());
            case Preparation.UserNamespace _ -> of(Kind.NAMESPACE, "entering the container's user namespace");
            case Preparation.CompileFilter() -> of(Kind.PRIVILEGES, "compiling the system-call filter");
            case Preparation.Streams _ -> of(Kind.OTHER, "making pipes or terminal");
            case Preparation.EnterContainer _ -> of(Kind.NOT_RUNNING, "entering the container");
            case Preparation.JoinGroup(var path) -> of(Kind.CGROUP, "opening the control group " + path);
            case Preparation.MonitorFiles _ -> of(Kind.OTHER, "opening the files of the monitor");
        };
        String hint = mappingHint(e);
        if (hint.isEmpty() && preparation instanceof Preparation.RootMount) {
            hint = overlayHint(e);
        }
        return new StartFailure(
                sentence.kind, preparation.id(), START + "error " + sentence.doing + ": " + reason + hint, e);
    }

    /// What can be done when owners cannot be shown as a user namespace has them.
    private static String mappingHint(IOException e) {
        return e instanceof KernelException kernel && kernel.call().equals("mount_setattr") && kernel.is(Errno.EINVAL)
                ? ": the filesystem there" + type(kernel.subject()) + " cannot show its files with other owners (id-mapped"
                        + " mounts) on this kernel, which a container with a user namespace of its own needs; keep it on"
                        + " ext4, xfs, btrfs or, since Linux 6.3, tmpfs, or start the container with --userns=host"
                : "";
    }

    private static String type(String path) {
        try {
            return ", " + Files.getFileStore(Path.of(path)).type() + ",";
        } catch (IOException | InvalidPathException unknown) {
            return "";
        }
    }

    /// What can be done about an overlay that cannot be mounted.
    private static String overlayHint(IOException e) {
        if (e instanceof KernelException kernel && kernel.is(Errno.ENODEV)) {
            return ": this kernel has no overlay filesystem; load it with modprobe overlay, or boot a kernel that has it";
        }
        if (e instanceof KernelException kernel && kernel.is(Errno.EINVAL)) {
            return ": perhaps the filesystem of the data root cannot hold the writable layer of an overlay; put"
                    + " --data-root on ext4, xfs, btrfs or tmpfs";
        }
        return "";
    }

    private record Sentence(Kind kind, String doing) {}

    private static Sentence of(Kind kind, String doing) {
        return new Sentence(kind, doing);
    }

    /// What was to be run, for the sentence when it was not: the command's first word, where it was searched from, and
    /// the root it was searched in.
    record Program(String name, String cwd, Optional<FileTree> root) {

        /// Whether the path that was executed is a directory, which execve(2) reports as "permission denied".
        boolean isDirectory() {
            if (!name.contains("/") || root.isEmpty()) {
                return false;
            }
            try {
                String path = name.startsWith("/") ? name : cwd + "/" + name;
                return root.get().find(path).filter(FileStat::isDirectory).isPresent();
            } catch (KernelException e) {
                return false;
            }
        }
    }

    /// A step of the tape.
    static StartFailure playing(TapeFailure failure, Program program) {
        String id = failure.step().id();
        if (failure.signal() != 0) {
            return killed(failure, id);
        }
        String reason = Errno.text(failure.errno());
        int colon = id.indexOf(':');
        String kind = colon < 0 ? id : id.substring(0, colon);
        String subject = colon < 0 ? "" : id.substring(colon + 1);
        return switch (kind) {
            case "exec" -> exec(failure, program, reason);
            case "working-directory" -> failed(failure, Kind.WORKING_DIRECTORY,
                    "chdir to the working directory: " + reason);
            case "mount", "mask", "readonly" -> failed(failure, Kind.MOUNT,
                    "error mounting to rootfs at \"" + subject + "\": " + failure.step().call() + ": " + reason);
            case "root", "pivot", "propagation", "root-propagation", "procfs", "devices", "device-links", "console",
                    "open-root" -> failed(failure, Kind.MOUNT, "error setting up the root filesystem: " + kind + ": "
                    + failure.step().call() + ": " + reason);
            case "cgroup", "cgroup-namespace" -> failed(failure, Kind.CGROUP,
                    "unable to join the control group: " + reason);
            case "clone" -> failed(failure, failure.errno() == Errno.EAGAIN ? Kind.CGROUP : Kind.NAMESPACE,
                    "unable to make the process: " + reason);
            case "join", "join-pid", "join-network", "join-ipc", "join-uts", "join-cgroup", "join-mount" ->
                failure.errno() == Errno.ESRCH
                        ? failed(failure, Kind.NOT_RUNNING, "the container is not running")
                        : failed(failure, Kind.NAMESPACE, "unable to join a namespace: " + reason);
            case "sysctl" -> failed(failure, Kind.INVALID, "error writing sysctl \"" + subject + "\": " + reason);
            case "apparmor" -> failed(failure, Kind.PRIVILEGES, "unable to apply the AppArmor profile: " + reason);
            case "limit" -> failed(failure, Kind.PRIVILEGES, "error setting limit " + subject + ": " + reason);
            case "bounding", "groups", "user", "ambient", "no-new-privileges", "seccomp", "capabilities" ->
                failed(failure, Kind.PRIVILEGES, "error setting " + kind + ": " + failure.step().call() + ": "
                        + reason);
            default -> failed(failure, Kind.OTHER, "step " + kind + ": " + failure.step().call() + ": " + reason);
        };
    }

    private static StartFailure killed(TapeFailure failure, String id) {
        String what = switch (failure.signal()) {
            case KILL -> "container init was killed before its program ran (the memory limit may be too low)";
            case BAD_SYSTEM_CALL -> "the system-call filter killed the process before its program ran";
            default -> "the process was killed by signal " + failure.signal() + " before its program ran";
        };
        return new StartFailure(failure.signal() == KILL ? Kind.CGROUP : Kind.PRIVILEGES, id, START + what, failure);
    }

    private static StartFailure exec(TapeFailure failure, Program program, String reason) {
        String quoted = "exec: \"" + program.name + "\": ";
        boolean searched = !program.name.contains("/");
        return switch (failure.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> searched
                    ? failed(failure, Kind.EXECUTABLE_NOT_FOUND, quoted + "executable file not found in $PATH")
                    : failed(failure, Kind.EXECUTABLE_NOT_FOUND, quoted + "no such file or directory");
            case Errno.ENOEXEC, Errno.ELIBBAD, Errno.EINVAL -> failed(failure, Kind.WRONG_FORMAT,
                    quoted + Errno.text(Errno.ENOEXEC) + ": not a program for this machine");
            case Errno.EISDIR -> failed(failure, Kind.NOT_EXECUTABLE, quoted + DIRECTORY);
            case Errno.EACCES -> {
                if (searched) { // there is a file of that name, but none that can be executed
                    yield failed(failure, Kind.EXECUTABLE_NOT_FOUND, quoted + "executable file not found in $PATH");
                }
                yield failed(failure, Kind.NOT_EXECUTABLE,
                        quoted + (program.isDirectory() ? DIRECTORY : reason));
            }
            case Errno.EPERM, Errno.ETXTBSY, Errno.ELOOP, Errno.ENAMETOOLONG, Errno.E2BIG ->
                failed(failure, Kind.NOT_EXECUTABLE, quoted + reason);
            default -> failed(failure, Kind.OTHER, quoted + reason);
        };
    }

    private static StartFailure failed(TapeFailure failure, Kind kind, String sentence) {
        return new StartFailure(kind, failure.step().id(), START + sentence, failure);
    }

    /// The spawner or its link.
    static StartFailure spawning(KernelException e) {
        String what = e.is(Errno.ETIMEDOUT)
                ? "the process did not start in time and was killed"
                : "the spawner failed: " + e.getMessage();
        return new StartFailure(Kind.SPAWNER, "", START + what, e);
    }
}
