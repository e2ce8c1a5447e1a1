package carafe.kernel;

import static carafe.kernel.Arg.cwd;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.strings;
import static carafe.kernel.Arg.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TapeTest {

    private static final Slot FS = new Slot("fs");
    private static final Slot PROC = new Slot("proc");
    private static final Slot GO = new Slot("go");

    @Test
    void textReadsLikeStrace() {
        var tape = Tape.builder()
                .add(Step.child("mount-proc", Syscall.FSOPEN, text("proc"), number(1, "FSOPEN_CLOEXEC")).into(FS))
                .add(Step.child("mount-proc", Syscall.FSMOUNT, slot(FS), number(1, "FSMOUNT_CLOEXEC"), number(0))
                        .into(PROC))
                .add(Step.child("mask", Syscall.MOUNT, text("/dev/null"), text("/proc/\"kcore\"\n"), Arg.none(),
                        number(Linux.MS_BIND, "MS_BIND"), Arg.none()).tolerating(Errno.ENOENT, Errno.EACCES))
                .add(Step.monitor("lock", Syscall.OPENAT, cwd(), text("/run/x"), number(0)).into(new Slot("lock")))
                .add(Step.child("go", Syscall.READ, slot(GO), Arg.bytes(new byte[1], "byte"), number(1)).exactly(1))
                .add(Step.child("exec", Syscall.EXECVE, text("/bin/sh"), strings(List.of("sh", "-c", "true")),
                        strings(List.of())).orNext(Errno.ENOENT))
                .add(Step.child("exec", Syscall.EXECVE, text("/sh"), strings(List.of("sh")), strings(List.of())))
                .cloneFlags(Linux.CLONE_NEWPID | Linux.CLONE_NEWNS)
                .intoCgroup(new Slot("cgroup"))
                .keep(GO)
                .build();

        assertThat(tape.text()).isEqualTo("""
                monitor  lock        openat(AT_FDCWD, "/run/x", 0) = lock
                monitor  clone       clone3(CLONE_NEWNS|CLONE_NEWPID, cgroup=cgroup)
                child    mount-proc  fsopen("proc", FSOPEN_CLOEXEC) = fs
                child    mount-proc  fsmount(fs, FSMOUNT_CLOEXEC, 0) = proc
                child    mask        mount("/dev/null", "/proc/\\"kcore\\"\\n", NULL, MS_BIND, NULL) or ENOENT|EACCES
                child    go          read(go, byte, 1) must be 1
                child    exec        execve("/bin/sh", ["sh", "-c", "true"], []) else next on ENOENT
                child    exec        execve("/sh", ["sh"], [])
                monitor  keep        go
                """);
        assertThat(tape.passed()).containsExactly(GO, new Slot("cgroup"));
    }

    @Test
    void slotMustBeFilledBeforeItIsUsed() {
        var builder = Tape.builder()
                .add(Step.child("early", Syscall.CLOSE, slot(FS)))
                .add(Step.child("late", Syscall.FSOPEN, text("proc"), number(1)).into(FS));
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContaining("step early uses slot fs");
    }

    @Test
    void monitorCannotUseWhatTheProcessFills() {
        var builder = Tape.builder()
                .add(Step.child("fill", Syscall.FSOPEN, text("proc"), number(1)).into(FS))
                .add(Step.monitor("use", Syscall.CLOSE, slot(FS)));
        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessageContaining("step use uses slot fs");
    }

    @Test
    void textWithNulIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> text("a\0b"));
        assertThatIllegalArgumentException().isThrownBy(() -> strings(List.of("a\0b")));
    }

    @Test
    void launchNeedsADescriptorForEverySlot() {
        var tape = Tape.builder().add(Step.child("use", Syscall.CLOSE, slot(FS))).build();
        var plan = new MonitorPlan("t", new MonitorPlan.Pipes(Optional.empty(), Optional.of(PROC), Optional.empty(),
                false), MonitorPlan.Door.CLOSED, Optional.empty(), Optional.empty());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TapeBlob.encode(new Launch(tape, java.util.Map.of(), plan)))
                .withMessage("no descriptor for [fs, proc]");
    }

    @Test
    void theMonitorDoesNotGetWhatOnlyTheProcessOpens() {
        var tape = Tape.builder().add(Step.child("fill", Syscall.FSOPEN, text("proc"), number(1)).into(PROC)).build();
        var plan = new MonitorPlan("t", new MonitorPlan.Pipes(Optional.empty(), Optional.of(PROC), Optional.empty(),
                false), MonitorPlan.Door.CLOSED, Optional.empty(), Optional.empty());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TapeBlob.encode(new Launch(tape, java.util.Map.of(), plan)))
                .withMessage("no descriptor for [proc]");
    }
}
