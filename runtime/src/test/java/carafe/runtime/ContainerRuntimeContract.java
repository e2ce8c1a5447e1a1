package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.spec.EngineException;
import carafe.spec.oci.ProcessSpec.ConsoleSize;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What every [ContainerRuntime] does, the real one and the fake alike.
abstract class ContainerRuntimeContract {

    private static final Set<StdStream> OUTPUT = Set.of(StdStream.STDOUT, StdStream.STDERR);

    abstract ContainerRuntime runtime();

    /// A fresh bundle whose process runs `program`: `true`, `exit N`, `say TEXT`, `sleep`, or a name that is none.
    abstract Bundle bundle(String... program) throws Exception;

    /// An exec of `program` in a run directory of its own.
    abstract ExecSpec execSpec(String... program) throws Exception;

    @Test
    void exitCodeIsToldAndKeptUntilDeleted() throws Exception {
        var bundle = bundle("exit", "7");
        var container = runtime().start(bundle, List.of());
        var exit = container.awaitExit();
        assertThat(exit.code()).isEqualTo(7);
        assertThat(exit.signal()).isZero();
        assertThat(container.awaitExit()).isEqualTo(exit);
        assertThat(container.exited()).contains(exit);
        assertThat(runtime().exitRecord(bundle.runDir())).contains(exit);
        container.delete();
        container.delete();
        assertThat(runtime().exitRecord(bundle.runDir())).isEmpty();
        assertThat(bundle.runDir()).doesNotExist();
    }

    @Test
    void clientThatIsThereFromTheStartMissesNothing() throws Exception {
        var bundle = bundle("say", "hello");
        try (var client = runtime().endpoint(OUTPUT)) {
            var container = runtime().start(bundle, List.of(client));
            assertThat(RuntimeStage.Streams.read(client.channel(), false).out()).isEqualTo("hello\n");
            container.awaitExit();
            assertThat(Files.readString(bundle.log().file())).startsWith(
                    "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"");
            container.delete();
        }
    }

    @Test
    void missingProgramFailsAndLeavesNothing() throws Exception {
        var bundle = bundle("no-such-program");
        var failure = catchThrowableOfType(StartFailure.class, () -> runtime().start(bundle, List.of()));
        assertThat(failure.kind()).isEqualTo(StartFailure.Kind.EXECUTABLE_NOT_FOUND);
        assertThat(failure.exitCode()).isEqualTo(127);
        assertThat(failure).hasMessageContaining("exec: \"no-such-program\": executable file not found in $PATH");
        assertThat(bundle.runDir()).doesNotExist();
        assertThat(runtime().adopt(bundle.runDir())).isEmpty();
        assertThat(runtime().exitRecord(bundle.runDir())).isEmpty();
    }

    @Test
    void runningContainerIsServedUntilASignalEndsIt() throws Exception {
        var bundle = bundle("sleep");
        var container = runtime().start(bundle, List.of());
        assertThat(container.id()).isEqualTo(bundle.id());
        assertThat(container.pid()).isPositive();
        assertThat(container.exited()).isEmpty();
        assertThat(container.explanation().get().steps()).isNotEmpty();
        assertThat(container.processes()).isNotEmpty();
        assertThat(container.oomKilled()).isFalse();
        assertThat(container.stats().pids().current()).isPositive();
        assertThat(catchThrowableOfType(EngineException.Conflict.class, container::delete)).isNotNull();
        container.pause();
        assertThat(container.paused()).isTrue();
        container.resume();
        assertThat(container.paused()).isFalse();
        container.signal(9);
        assertThat(container.awaitExit().code()).isEqualTo(137);
        assertThat(catchThrowableOfType(EngineException.Conflict.class, () -> container.signal(9))).isNotNull();
        assertThat(catchThrowableOfType(EngineException.Conflict.class, () ->
                container.resize(new ConsoleSize(1, 1)))).isNotNull();
        assertThat(catchThrowableOfType(EngineException.Conflict.class, () ->
                container.attach(OUTPUT))).isNotNull();
        container.delete();
    }

    /// Who keeps the rest back hears when the process no longer needs the processor for itself.
    @Test
    void whatElseWaitsIsLetGoOnceTheProcessIsOnItsWay() throws Exception {
        var heard = new ArrayList<String>();
        var rest = new ContainerRuntime.Rest<EngineException>() {
            boolean ready = true;

            @Override
            public void await() throws EngineException {
                heard.add("await");
                if (!ready) {
                    throw new EngineException.Unavailable("not today");
                }
            }

            @Override
            public void underway() {
                heard.add("underway");
            }
        };
        var container = runtime().start(bundle("sleep"), List.of(), rest);
        assertThat(heard).containsExactly("await", "underway");
        container.signal(9);
        container.awaitExit();
        container.delete();

        heard.clear();
        rest.ready = false;
        var failed = bundle("sleep");
        assertThat(catchThrowableOfType(EngineException.class, () -> runtime().start(failed, List.of(), rest)))
                .hasMessage("not today");
        assertThat(heard).containsExactly("await");
    }

    @Test
    void execRunsInItAndEndsAlone() throws Exception {
        var container = runtime().start(bundle("sleep"), List.of());
        try (var client = runtime().endpoint(OUTPUT)) {
            var spec = execSpec("say", "inside");
            var process = container.exec(spec, List.of(client));
            assertThat(RuntimeStage.Streams.read(client.channel(), false).out()).isEqualTo("inside\n");
            assertThat(process.awaitExit().code()).isZero();
            process.delete();
            assertThat(spec.runDir()).doesNotExist();
        }
        assertThat(container.exec(execSpec("exit", "3"), List.of()).awaitExit().code()).isEqualTo(3);
        var failure = catchThrowableOfType(StartFailure.class, () ->
                container.exec(execSpec("no-such-program"), List.of()));
        assertThat(failure.exitCode()).isEqualTo(127);
        assertThat(container.exited()).isEmpty();
        container.signal(9);
        container.awaitExit();
        var late = catchThrowableOfType(StartFailure.class, () -> container.exec(execSpec("true"), List.of()));
        assertThat(late.kind()).isEqualTo(StartFailure.Kind.NOT_RUNNING);
        container.delete();
    }

    @Test
    void runningContainerAndExecAreFoundAgain() throws Exception {
        var bundle = bundle("sleep");
        var container = runtime().start(bundle, List.of());
        var exec = execSpec("sleep");
        var process = container.exec(exec, List.of());
        var again = runtime().adopt(bundle.runDir()).orElseThrow();
        assertThat(again.id()).isEqualTo(bundle.id());
        assertThat(again.pid()).isEqualTo(container.pid());
        var sameExec = again.adoptExec(exec.runDir()).orElseThrow();
        assertThat(sameExec.pid()).isEqualTo(process.pid());
        sameExec.release();
        again.signal(9);
        assertThat(again.awaitExit().code()).isEqualTo(137);
        assertThat(container.awaitExit().code()).isEqualTo(137);
        process.awaitExit();
        process.delete();
        awaitGone(bundle.runDir());
        again.delete();
    }

    private void awaitGone(Path runDir) throws Exception {
        RuntimeStage.await("the monitor to end", () -> runtime().adopt(runDir).isEmpty());
    }

    @Test
    void discardEndsWhatRunsAndForgetsIt() throws Exception {
        var bundle = bundle("sleep");
        var container = runtime().start(bundle, List.of());
        runtime().discard(bundle.runDir(), Optional.empty());
        assertThat(container.awaitExit().code()).isEqualTo(137);
        runtime().discard(bundle.runDir(), Optional.empty());
        assertThat(runtime().adopt(bundle.runDir())).isEmpty();
        assertThat(bundle.runDir()).doesNotExist();
        container.delete();
    }

    @Test
    void nothingIsKnownOfWhatNeverRan() throws Exception {
        Path runDir = bundle("true").runDir();
        assertThat(runtime().adopt(runDir)).isEmpty();
        assertThat(runtime().exitRecord(runDir)).isEqualTo(Optional.empty());
        runtime().discard(runDir, Optional.empty());
    }

    @Test
    void planTouchesNothing() throws Exception {
        var bundle = bundle("true");
        var plan = runtime().plan(bundle);
        assertThat(plan.text()).isNotEmpty();
        assertThat(plan.explanation().steps()).isNotEmpty().allMatch(step -> !step.id().isEmpty());
        assertThat(bundle.runDir()).doesNotExist();
    }
}
