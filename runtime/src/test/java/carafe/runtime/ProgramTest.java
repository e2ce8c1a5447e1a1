package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.runtime.StartFailure.Kind;
import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which programs run, which do not, and what is said then.
class ProgramTest extends StageTest {

    private StartFailure failure(String... args) throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), args));
        var failure = catchThrowableOfType(StartFailure.class, () -> stage.runtime.start(bundle, List.of()));
        assertThat(failure).as("start of " + List.of(args)).isNotNull();
        assertThat(bundle.runDir()).doesNotExist();
        stage.assertNothingIsLeft();
        return failure;
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void unknownNameIsNotFoundInThePath() throws Exception {
        var failure = failure("no-such-program");
        assertThat(failure.kind()).isEqualTo(Kind.EXECUTABLE_NOT_FOUND);
        assertThat(failure.exitCode()).isEqualTo(127);
        assertThat(failure).hasMessage("failed to create task for container: exec: \"no-such-program\": "
                + "executable file not found in $PATH");
        assertThat(failure.toEngineException()).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void emptyNameIsNotFound() throws Exception {
        assertThat(failure("").kind()).isEqualTo(Kind.EXECUTABLE_NOT_FOUND);
    }

    @Test
    void missingPathIsNotFound() throws Exception {
        var failure = failure("/no/such/program");
        assertThat(failure.exitCode()).isEqualTo(127);
        assertThat(failure).hasMessageEndingWith("exec: \"/no/such/program\": no such file or directory");
    }

    @Test
    void fileWithoutPermissionIsNotExecutable() throws Exception {
        var failure = failure("/etc/not-executable");
        assertThat(failure.kind()).isEqualTo(Kind.NOT_EXECUTABLE);
        assertThat(failure.exitCode()).isEqualTo(126);
        assertThat(failure).hasMessageEndingWith("exec: \"/etc/not-executable\": permission denied");
    }

    @Test
    void directoryIsNotExecutable() throws Exception {
        var failure = failure("/etc");
        assertThat(failure.exitCode()).isEqualTo(126);
        assertThat(failure).hasMessageEndingWith("exec: \"/etc\": is a directory: permission denied");
    }

    @Test
    void programOfAnotherMachineIsOfWrongFormat() throws Exception {
        var failure = failure("garbage");
        assertThat(failure.kind()).isEqualTo(Kind.WRONG_FORMAT);
        assertThat(failure).hasMessageContaining("exec: \"garbage\": exec format error");
    }

    @Test
    void fileInThePathThatIsNotExecutableIsPassedOver() throws Exception {
        Files.writeString(stage.image.resolve("etc/date"), "no program");
        var spec = TestSpecs.standard(stage.id(), "date");
        var output = stage.run(stage.bundle(spec.withProcess(
                spec.process().withEnv(List.of("PATH=/etc:relative:/bin")))));
        assertThat(output.exit().code()).isZero();
        assertThat(output.out()).isNotEmpty();
    }

    @Test
    void killedProgramEndsWithItsSignal() throws Exception {
        var container = stage.sleeping();
        assertThat(container.exited()).isEmpty();
        container.signal(9);
        var exit = container.awaitExit();
        assertThat(exit.code()).isEqualTo(137);
        assertThat(exit.signal()).isEqualTo(9);
        assertThat(container.exited()).contains(exit);
        assertThat(stage.runtime.exitRecord(stage.directory.resolve(container.id()).resolve("run"))).contains(exit);
        assertThat(catchThrowableOfType(EngineException.Conflict.class, () -> container.signal(15))).isNotNull();
        container.delete();
        container.delete();
    }

    @Test
    void invalidSignalIsRefused() throws Exception {
        var container = stage.sleeping();
        assertThat(catchThrowableOfType(EngineException.Invalid.class, () -> container.signal(99))).isNotNull();
    }

    @Test
    void runningContainerCannotBeDeleted() throws Exception {
        var container = stage.sleeping();
        assertThat(catchThrowableOfType(EngineException.Conflict.class, container::delete)).isNotNull();
    }

    @Test
    void environmentIsAsGivenAndHomeIsAdded() throws Exception {
        assertThat(stage.run("env").out().lines()).containsExactlyInAnyOrder(
                TestSpecs.PATH, "HOSTNAME=" + stage.name + "-1", "HOME=/root");
    }

    @Test
    void workingDirectoryIsMadeAndEntered() throws Exception {
        var spec = TestSpecs.withDirectory(TestSpecs.standard(stage.id(), "sh", "-c", "pwd; stat -c %a ."), "/srv/new/app");
        assertThat(stage.run(stage.bundle(spec)).out()).isEqualTo("/srv/new/app\n755\n");
    }

    @Test
    void inputReachesTheProgramAndItsEndToo() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "cat"), UserRequest.NONE, new Stdio(true, true));
        try (var client = stage.runtime.endpoint(EnumSet.allOf(StdStream.class))) {
            client.channel().write(bytes("early\n"));
            var container = stage.runtime.start(bundle, List.of(client));
            client.channel().write(bytes("late\n"));
            client.channel().shutdownOutput();
            var output = stage.finish(container, client, false);
            assertThat(output.out()).isEqualTo("early\nlate\n");
            assertThat(output.exit().code()).isZero();
        }
    }

    @Test
    void laterClientGetsWhatFollows() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "sh", "-c", "read line; echo got $line"),
                UserRequest.NONE, new Stdio(true, false));
        var container = stage.start(bundle);
        try (var channel = container.attach(EnumSet.allOf(StdStream.class))) {
            channel.write(bytes("hello\n"));
            assertThat(RuntimeStage.Streams.read(channel, false).out()).isEqualTo("got hello\n");
        }
        assertThat(container.awaitExit().code()).isZero();
        container.delete();
    }

    @Test
    void outputIsLogged() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "sh", "-c", "echo one; echo two >&2"));
        stage.run(bundle);
        var lines = Files.readAllLines(bundle.log().file());
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).startsWith("{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"");
    }

    @Test
    void sameBundleRunsAgain() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "sh", "-c", "cat /data/f 2>/dev/null; echo x >> /data/f"));
        assertThat(stage.run(bundle).out()).isEmpty();
        assertThat(stage.run(bundle).out()).isEqualTo("x\n");
    }

    @Test
    void startIsExplainedAndTheExplanationIsKept() throws Exception {
        var container = stage.sleeping();
        var explanation = container.explanation().get();
        assertThat(explanation.steps()).hasSizeGreaterThan(40).allSatisfy(step -> {
            assertThat(step.micros()).as(step.id()).isPresent();
            assertThat(step.why()).endsWith(".");
            assertThat(step.man()).matches("[a-z0-9_]+\\([0-9]\\)");
        });
        assertThat(explanation.totalMicros()).isBetween(100.0, 10_000_000.0);
        var runDir = stage.directory.resolve(container.id()).resolve("run");
        RuntimeStage.await("explanation on disk", () -> stage.runtime.explanation(runDir).isPresent());
        assertThat(stage.runtime.explanation(runDir).orElseThrow().steps()).hasSameSizeAs(explanation.steps());
    }
}
