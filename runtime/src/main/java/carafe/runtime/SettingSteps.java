package carafe.runtime;

import static carafe.kernel.Arg.bytes;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.Errno;
import carafe.kernel.Linux;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.spec.oci.RuntimeSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Settings of the kernel for this container: names, network loopback, sysctls and what else is written below /proc.
final class SettingSteps {

    private static final int SIOCSIFFLAGS = 0x8914;
    private static final int IFF_UP_RUNNING = 0x41;
    private static final int AF_INET = 2;

    private SettingSteps() {}

    /// Makes the procfs of the container's pid namespace and writes what has to be written while it is attached nowhere:
    /// nothing can lie over a file of it, no link of the image leads to another (CVE-2019-16884, CVE-2025-52881).
    static void procfs(TapeDraft draft, RuntimeSpec spec, MountSteps mounts, ProcessPlan process) {
        boolean mounted = mounts.all().stream().anyMatch(mount -> mount.slot().equals(Slots.PROC));
        boolean needed = !spec.linux().sysctl().isEmpty() || process.writesProc();
        if (!mounted && !needed) {
            return;
        }
        draft.filesystem("procfs", "proc", Map.of("source", "proc"), 0, Slots.PROC);
        spec.linux().sysctl().forEach((key, value) ->
                write(draft, "sysctl:" + key, "sys/" + Checks.sysctlPath(key), value));
        processSettings(draft, process);
    }

    /// The same for an exec, whose procfs never gets a place.
    static void privateProcfs(TapeDraft draft, ProcessPlan process) {
        if (process.writesProc()) {
            draft.filesystem("procfs", "proc", Map.of("source", "proc"), 0, Slots.PROC);
            processSettings(draft, process);
        }
    }

    private static void processSettings(TapeDraft draft, ProcessPlan process) {
        process.oomScore().ifPresent(score ->
                write(draft, "oom-score", "self/oom_score_adj", Integer.toString(score)));
        if (!process.apparmor().isEmpty()) {
            write(draft, "apparmor", "self/attr/apparmor/exec", "exec " + process.apparmor());
        }
    }

    private static void write(TapeDraft draft, String id, String path, String value) {
        var file = new Slot("file:" + path);
        long resolve = Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_MAGICLINKS | Linux.RESOLVE_NO_XDEV;
        draft.add(Step.child(id, Syscall.OPENAT2, slot(Slots.PROC), text(path),
                        TapeDraft.how(Linux.O_WRONLY, "O_WRONLY", resolve, "BENEATH|NO_XDEV"), number(24))
                .into(file));
        int length = value.getBytes(StandardCharsets.UTF_8).length;
        draft.add(Step.child(id, Syscall.WRITE, slot(file), text(value), number(length)).exactly(length));
        draft.child(id, Syscall.CLOSE, slot(file));
    }

    static void names(TapeDraft draft, RuntimeSpec spec) {
        name(draft, "hostname", Syscall.SETHOSTNAME, spec.hostname());
        name(draft, "domainname", Syscall.SETDOMAINNAME, spec.domainname());
    }

    private static void name(TapeDraft draft, String id, Syscall call, String value) {
        if (!value.isEmpty()) {
            draft.child(id, call, text(value), number(value.getBytes(StandardCharsets.UTF_8).length));
        }
    }

    /// Brings `lo` up, which gives it 127.0.0.1 and ::1.
    static void loopback(TapeDraft draft) {
        var socket = new Slot("loopback-socket");
        var request = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
        request.put("lo".getBytes(StandardCharsets.US_ASCII)).putShort(16, (short) IFF_UP_RUNNING);
        draft.add(Step.child("loopback", Syscall.SOCKET, number(AF_INET, "AF_INET"),
                        number(Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC"), number(0))
                .into(socket)
                .tolerating(Errno.EAFNOSUPPORT));
        draft.add(Step.child("loopback", Syscall.IOCTL, slot(socket), number(SIOCSIFFLAGS, "SIOCSIFFLAGS"),
                        bytes(request.array(), "{lo, IFF_UP|IFF_RUNNING}"))
                .tolerating(Errno.EBADF));
        draft.add(Step.child("loopback", Syscall.CLOSE, slot(socket)).tolerating(Errno.EBADF));
    }
}
