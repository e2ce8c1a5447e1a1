package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/// Processes by pidfd, which cannot come to mean another one, and by number where nothing better is kept. Nothing here
/// waits for a process. Source: pidfd_open(2), proc_pid_stat(5).
public final class Processes {

    /// The fields of /proc/PID/stat behind the name in parentheses, from `state` on; starttime is field 22 of all.
    private static final int START_TIME = 22 - 3;

    private Processes() {}

    /// A pidfd of `pid`, owned by the caller; empty when there is no such process.
    public static Optional<Fd> open(long pid) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.PIDFD_OPEN, pid, 0);
            if (fd == -Errno.ESRCH || fd == -Errno.EINVAL && pid > 0) { // EINVAL: a thread's number by now
                return Optional.empty();
            }
            Frame.checked(fd, Syscall.PIDFD_OPEN, pid);
            return Optional.of(Fd.adopt((int) fd, "process " + pid));
        }
    }

    /// A pidfd of `pid` if that is still the process that started at `startTicks`; owned by the caller.
    public static Optional<Fd> open(long pid, long startTicks) throws KernelException {
        var handle = open(pid);
        if (handle.isPresent() && startTicks(pid).orElse(-1) != startTicks) {
            handle.get().close();
            return Optional.empty();
        }
        return handle; // opened before looking: were it another process by then, the start would differ
    }

    /// Sends `signal`; 0 only asks. Source: pidfd_send_signal(2).
    /// @return false when the process is gone
    public static boolean signal(Fd pidfd, int signal) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
            if (rc == -Errno.ESRCH) {
                return false;
            }
            Frame.checked(rc, Syscall.PIDFD_SEND_SIGNAL, pidfd.subject());
            return true;
        }
    }

    /// Whether the process still runs; one that has exited and was not waited for does not. Source: poll(2).
    public static boolean isRunning(Fd pidfd) throws KernelException {
        try (var frame = new Frame()) {
            var poll = frame.allocate(8, 4);
            poll.set(JAVA_INT, 0, pidfd.number());
            poll.set(JAVA_SHORT, 4, (short) Linux.POLLIN);
            var now = frame.allocate(16, 8);
            long ready = frame.attempt(Syscall.PPOLL, poll.address(), 1, now.address(), 0, 0);
            return Frame.checked(ready, Syscall.PPOLL, pidfd.subject()) == 0;
        }
    }

    /// When the process was started, in clock ticks since the boot: with the pid and the boot's id it names a process
    /// for ever. Empty when there is none.
    public static OptionalLong startTicks(long pid) {
        try {
            return startTicks(NativeText.decode(Files.readAllBytes(Path.of("/proc/" + pid + "/stat"))));
        } catch (IOException gone) {
            return OptionalLong.empty();
        }
    }

    /// The name may hold blanks and parentheses: what counts begins behind the last one.
    static OptionalLong startTicks(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ");
        try {
            return fields.length > START_TIME ? OptionalLong.of(Long.parseLong(fields[START_TIME]))
                    : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /// The namespace of kind `kind` (`mnt`, `net`, `pid`…) that the process is in, as `net:[4026531840]`; empty when
    /// there is no such process.
    public static Optional<String> namespace(long pid, String kind) {
        return link("/proc/" + pid + "/ns/" + kind);
    }

    /// The executable's path; empty for a kernel thread or none.
    public static Optional<String> executable(long pid) {
        return link("/proc/" + pid + "/exe");
    }

    private static Optional<String> link(String path) {
        try {
            return Optional.of(Files.readSymbolicLink(Path.of(path)).toString());
        } catch (IOException gone) {
            return Optional.empty();
        }
    }
}
