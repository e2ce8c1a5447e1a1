package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.SeccompProfile.Action;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A compiled filter in a real process: the kernel takes it, and it answers there as the interpreter said.
@ExtendWith(NothingLeft.class)
class SeccompInstalledTest {

    @TempDir
    Path directory;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    /// Everything up to faccessat2 but mount(2).
    private byte[] filter() throws Exception {
        var names = new ArrayList<>(List.of("arch_prctl", "brk", "set_tid_address", "set_robust_list", "rseq",
                "readlink", "newfstatat", "access", "poll", "open", "stat"));
        for (var call : Syscall.values()) {
            if (call.number() <= Syscall.FACCESSAT2.number() && call != Syscall.MOUNT) {
                names.add(call.toString());
            }
        }
        var rule = new SeccompProfile.Rule(names, Action.ALLOW, OptionalInt.empty(), List.of());
        return Seccomp.find(directory.resolve("cache")).orElseThrow().compile(new SeccompProfile(Action.ERRNO,
                OptionalInt.of(Errno.EPERM), List.of(), List.of(), List.of(rule)));
    }

    private static Step install(byte[] filter) {
        var program = Arg.struct("the filter", new Arg.Field.Fixed(8, filter.length / 8),
                new Arg.Field.Pointer(Arg.bytes(filter, filter.length / 8 + " instructions")));
        return Step.child("seccomp", Syscall.SECCOMP,
                Arg.number(Linux.SECCOMP_SET_MODE_FILTER), Arg.number(0), program);
    }

    private ExitRecord run(Step... steps) throws Exception {
        try (var spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
                var stage = new Stage(directory.resolve("stage"))) {
            stage.pipes(Optional.empty());
            stage.steps.add(install(filter()));
            stage.steps.addAll(List.of(steps));
            return stage.run(spawner, "exit", "7");
        }
    }

    @Test
    void aFilteredProcessRunsAndForbiddenCallsFailAsSaid() throws Exception {
        var none = Arg.none();
        var end = run(
                Step.child("forbidden", Syscall.MOUNT, none, none, none, none, none).tolerating(Errno.EPERM),
                Step.child("newer", Syscall.LANDLOCK_CREATE_RULESET, none, none, none).tolerating(Errno.ENOSYS));
        assertThat(end.code()).isEqualTo(7);
    }

    @Test
    void theFilterIsWhatForbidsThem() {
        var none = Arg.none();
        assertThatThrownBy(() -> run(Step.child("forbidden", Syscall.MOUNT, none, none, none, none, none)))
                .isInstanceOfSatisfying(TapeFailure.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM));
    }
}
