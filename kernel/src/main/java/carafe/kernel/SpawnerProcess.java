package carafe.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// A `carafe-spawner` that was just started: our ends of its sockets, and its pidfd.
record SpawnerProcess(int pid, Fd pidfd, Fd control, Fd reports) {

    private static final MethodHandle POSIX_SPAWN = handle("posix_spawn", FunctionDescriptor.of(
            JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
    private static final MethodHandle ACTIONS_INIT =
            handle("posix_spawn_file_actions_init", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle ACTIONS_DUP2 =
            handle("posix_spawn_file_actions_adddup2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle ACTIONS_DESTROY =
            handle("posix_spawn_file_actions_destroy", FunctionDescriptor.of(JAVA_INT, ADDRESS));

    private static final int ACTIONS_BYTES = 128; // posix_spawn_file_actions_t is 80 in glibc and in musl
    private static final int TITLE_BYTES = 192; // room for monitors to say in ps(1) whose they are

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    private static MethodHandle handle(String name, FunctionDescriptor shape) {
        return Linker.nativeLinker().downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow(name), shape);
    }

    /// A mount of the program alone, read-only: a container that gets hold of /proc/PID/exe of one of ours can neither
    /// write to it now nor later. Stays usable when the file is replaced.
    static Fd protectedProgram(Path binary) throws KernelException {
        var mount = Mounts.cloneTree(binary, false);
        try {
            int attributes = Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV;
            Mounts.change(mount, MountChange.setting(attributes), false);
            return mount;
        } catch (KernelException e) {
            mount.close();
            throw e;
        }
    }

    /// Starts `program`. Takes a fraction of a millisecond: the JVM is not copied.
    static SpawnerProcess start(Fd program) throws KernelException {
        var control = Descriptors.socketPair(Linux.SOCK_SEQPACKET);
        try (var theirControl = control.second()) {
            var reports = Descriptors.socketPair(Linux.SOCK_SEQPACKET);
            try (var theirReports = reports.second()) {
                int pid = spawn(program, theirControl, theirReports);
                var pidfd = Processes.open(pid).orElseThrow(); // not reaped yet, so it exists
                return new SpawnerProcess(pid, pidfd, control.first(), reports.first());
            } catch (KernelException e) {
                reports.first().close();
                throw e;
            }
        } catch (KernelException e) {
            control.first().close();
            throw e;
        }
    }

    private static int spawn(Fd program, Fd control, Fd reports) throws KernelException {
        try (var frame = new Frame()) {
            var actions = frame.allocate(ACTIONS_BYTES, 16);
            var pid = frame.allocate(Integer.BYTES, Integer.BYTES);
            var path = frame.text(program.path());
            var argv = strings(frame, "carafe-spawner", "" + control.number(), "" + reports.number());
            var envp = strings(frame, "_=" + " ".repeat(TITLE_BYTES));
            int error = (int) ACTIONS_INIT.invokeExact(actions);
            try {
                // onto itself: inherited; all others are close-on-exec
                error |= (int) ACTIONS_DUP2.invokeExact(actions, control.number(), control.number());
                error |= (int) ACTIONS_DUP2.invokeExact(actions, reports.number(), reports.number());
                if (error == 0) {
                    error = (int) POSIX_SPAWN.invokeExact(pid, path, actions, MemorySegment.NULL, argv, envp);
                }
            } finally {
                int _ = (int) ACTIONS_DESTROY.invokeExact(actions);
            }
            if (error != 0) {
                throw new KernelException("posix_spawn", program.subject(), error);
            }
            return pid.get(JAVA_INT, 0);
        } catch (KernelException e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    private static MemorySegment strings(Frame frame, String... values) throws KernelException {
        var array = frame.allocate((values.length + 1L) * ADDRESS.byteSize(), ADDRESS.byteAlignment());
        for (int i = 0; i < values.length; i++) {
            array.setAtIndex(ADDRESS, i, frame.text(values[i]));
        }
        return array;
    }

    /// Waits for its end, which must be near, and takes its exit status, so that no zombie is left. A second call does
    /// nothing.
    static void reap(Fd pidfd) {
        try (var frame = new Frame()) {
            var info = frame.allocate(128, 8);
            frame.attempt(Syscall.WAITID, Linux.P_PIDFD, pidfd.number(), info.address(), Linux.WEXITED, 0);
        }
    }
}
