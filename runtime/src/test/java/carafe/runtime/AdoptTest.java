package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.kernel.CgroupLimits;
import carafe.kernel.Spawner;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Containers outlive the daemon that started them.
class AdoptTest extends StageTest {

    private Path runDir(RunningContainer container) {
        return stage.directory.resolve(container.id()).resolve("run");
    }

    /// Starts a container with a spawner and runtime of their own and closes both, as the end of the daemon does.
    private Bundle abandoned(String... args) throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), args), UserRequest.NONE, new Stdio(true, false));
        try (var spawner = Spawner.start(RuntimeStage.NATIVE.resolve("carafe-spawner"))) {
            try (var runtime = LinuxRuntime.open(
                    new LinuxRuntime.Host(spawner, stage.cgroups, RuntimeStage.seccomp()),
                    stage.directory.resolve("abandoned"), Failpoints.none())) {
                runtime.start(bundle, List.of()).release();
            }
        }
        return bundle;
    }

    @Test
    void abandonedContainerIsFoundAndServed() throws Exception {
        var bundle = abandoned("sh", "-c", "while read line; do echo got $line; done; exit 9");
        var container = stage.runtime.adopt(bundle.runDir()).orElseThrow();
        assertThat(container.id()).isEqualTo(bundle.id());
        assertThat(Files.readString(Path.of("/proc/" + container.pid() + "/cmdline"))).startsWith("sh");
        assertThat(container.exited()).isEmpty();
        assertThat(stage.exec(container, stage.execSpec("hostname")).out()).isEqualTo(container.id() + "\n");
        try (var channel = container.attach(Set.of(StdStream.STDIN, StdStream.STDOUT))) {
            channel.write(ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.UTF_8)));
            channel.shutdownOutput();
            var first = ByteBuffer.allocate(8 + "got hello\n".length());
            while (first.hasRemaining()) {
                assertThat(channel.read(first)).isPositive();
            }
            assertThat(new String(first.array(), 8, 10, StandardCharsets.UTF_8)).isEqualTo("got hello\n");
        }
        container.signal(9);
        assertThat(container.awaitExit().code()).isEqualTo(137);
        container.delete();
        assertThat(bundle.runDir()).doesNotExist();
    }

    @Test
    void endWhileNobodyLookedIsOnRecord() throws Exception {
        var bundle = abandoned("sh", "-c", "exit 4");
        RuntimeStage.await("the exit record", () -> stage.runtime.exitRecord(bundle.runDir()).isPresent());
        assertThat(stage.runtime.exitRecord(bundle.runDir()).orElseThrow().code()).isEqualTo(4);
        RuntimeStage.await("the monitor to end", () -> stage.runtime.adopt(bundle.runDir()).isEmpty());
        stage.runtime.discard(bundle.runDir(), Optional.empty());
        stage.runtime.discard(bundle.runDir(), Optional.empty());
        assertThat(bundle.runDir()).doesNotExist();
    }

    @Test
    void nothingIsFoundWhereNothingRan() throws Exception {
        Path empty = Files.createDirectories(stage.directory.resolve("empty"));
        assertThat(stage.runtime.adopt(empty)).isEmpty();
        assertThat(stage.runtime.adopt(stage.directory.resolve("missing"))).isEmpty();
        assertThat(stage.runtime.exitRecord(empty)).isEmpty();
        assertThat(stage.runtime.explanation(empty)).isEmpty();
        Files.writeString(empty.resolve("process.json"), "{\"version\":1,\"id\":");
        assertThat(stage.runtime.adopt(empty)).isEmpty();
    }

    @Test
    void killedMonitorLeavesNoProcessBehind() throws Exception {
        var container = stage.sleeping();
        int monitor = Integer.parseInt(Files.readAllLines(Path.of("/proc/" + container.pid() + "/status")).stream()
                .filter(line -> line.startsWith("PPid:")).findFirst().orElseThrow().substring(5).strip());
        ProcessHandle.of(monitor).orElseThrow().destroyForcibly();
        var exit = container.awaitExit();
        assertThat(exit.code()).isEqualTo(137);
        RuntimeStage.await("the process to end", () -> !Files.exists(Path.of("/proc/" + container.pid() + "/exe")));
        assertThat(stage.runtime.adopt(runDir(container))).isEmpty();
        container.delete();
    }

    @Test
    void aLostFilterKeepsNobodyFromTheContainerButRunsNothingWithoutIt() throws Exception {
        for (String damage : List.of("gone", "cut short")) {
            var bundle = abandoned("sleep", "1000");
            Path filter = Path.of(Json.parseObject(Files.readAllBytes(bundle.runDir().resolve("process.json")))
                    .text("filter"));
            byte[] program = Files.readAllBytes(filter);
            if (damage.equals("gone")) {
                Files.delete(filter);
            } else {
                Files.write(filter, Arrays.copyOf(program, 8));
            }
            var container = stage.runtime.adopt(bundle.runDir()).orElseThrow();
            var failure = catchThrowableOfType(StartFailure.class,
                    () -> container.exec(stage.execSpec("true"), List.of()));
            assertThat(failure).as(damage)
                    .hasMessageContaining("the system-call filter of container " + bundle.id() + " is lost")
                    .hasMessageContaining("stop and start the container");
            Files.write(filter, program);
            container.signal(9);
            assertThat(container.awaitExit().code()).isEqualTo(137);
            container.delete();
        }
    }

    @Test
    void aGroupWithoutARecordIsFoundByItsConfiguration() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "true"));
        String path = bundle.spec().linux().cgroupsPath();
        Files.createDirectories(bundle.runDir());
        stage.cgroups.create(path, CgroupLimits.builder().build(), List.of());
        stage.runtime.discard(bundle.runDir(), Optional.of(path));
        assertThat(stage.cgroups.at(path).exists()).isFalse();
        assertThat(bundle.runDir()).doesNotExist();
    }

    @Test
    void execIsFoundToo() throws Exception {
        var container = stage.sleeping();
        var spec = stage.execSpec("sleep", "1000");
        var process = container.exec(spec, List.of());
        var adopted = stage.runtime.adopt(runDir(container)).orElseThrow();
        var again = adopted.adoptExec(spec.runDir()).orElseThrow();
        assertThat(again.pid()).isEqualTo(process.pid());
        again.signal(9);
        assertThat(again.awaitExit().code()).isEqualTo(137);
        assertThat(process.awaitExit().code()).isEqualTo(137);
        process.delete();
        adopted.release();
    }
}
