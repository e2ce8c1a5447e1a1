package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.VolumeRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Containers whose volume lies on a machine that does not answer.
class VolumeWaitsTest {

    private final String volume = "away";

    @TempDir
    Path root;

    private EngineHarness harness;
    private Failpoints points;

    @BeforeEach
    void open() throws Exception {
        open("");
    }

    private void open(String terms) throws Exception {
        points = Failpoints.parse("volume.mount=sleep(600000);" + terms);
        harness = new EngineHarness(root, points);
        harness.engine.volumes().create(
                new VolumeRequest(volume, "local", Map.of("type", "tmpfs", "device", "tmpfs"), Map.of()));
    }

    @AfterEach
    void close() throws Exception {
        try {
            answer();
            for (var name : harness.names()) {
                harness.containers().remove(name, new RemoveRequest(true, false));
            }
            harness.engine.settle();
            harness.engine.volumes().remove(volume, false);
        } finally {
            harness.close();
        }
    }

    /// The server answers.
    private void answer() throws Exception {
        for (var mount : mounts()) {
            mount.interrupt();
            mount.join();
        }
    }

    private List<Thread> mounts() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("mount of " + volume))
                .toList();
    }

    /// The start of a container, whose thread is its client.
    private record Start(Thread client, CompletableFuture<Boolean> done) {
        void runs() throws Exception {
            assertThat(done.get(20, TimeUnit.SECONDS)).isTrue();
        }

        void failsWith(String message) {
            assertThatThrownBy(() -> done.get(20, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
                    .cause().isInstanceOf(EngineException.Unavailable.class).hasMessageContaining(message);
        }
    }

    private Start begin(String name) throws Exception {
        harness.containers().create(request(name, "{\"Binds\":[\"" + volume + ":/away\"]}", "sleep"));
        return start(name);
    }

    private Start start(String name) {
        var done = new CompletableFuture<Boolean>();
        var client = Thread.ofVirtual().start(() -> {
            try {
                harness.containers().start(name);
                done.complete(true);
            } catch (EngineException | InterruptedException e) {
                done.completeExceptionally(e);
            }
        });
        return new Start(client, done);
    }

    private void isPending() {
        assertThatThrownBy(() -> harness.engine.volumes().remove(volume, false))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessageStartingWith("remove " + volume + ": it is still being mounted");
    }

    private void untilTheMountIsUnderWay() throws Exception {
        EngineHarness.eventually(() -> !mounts().isEmpty());
    }

    @Test
    void theyCanBeRemovedMeanwhile() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        harness.containers().remove("web", new RemoveRequest(true, false));
        start.failsWith("given up before the server answered");
        isPending();
    }

    @Test
    void theStartEndsWithItsClient() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        start.client().interrupt();
        assertThatThrownBy(() -> start.done().get(20, TimeUnit.SECONDS)).cause().isInstanceOf(InterruptedException.class);
        assertThatThrownBy(() -> harness.containers().stop("web", StopRequest.DEFAULT)).as("its queue is free")
                .isInstanceOf(EngineException.NotModified.class);
        harness.containers().remove("web", new RemoveRequest(false, false));
        isPending();
    }

    /// What ends a start, by name.
    private enum End {
        REMOVE, STOP, KILL, KILL_BY_CTRL_C;

        void end(Containers containers, String name) throws Exception {
            switch (this) {
                case REMOVE -> containers.remove(name, new RemoveRequest(true, false));
                case STOP -> assertThatThrownBy(() -> containers.stop(name, StopRequest.DEFAULT))
                        .isInstanceOf(EngineException.NotModified.class);
                case KILL -> assertThatThrownBy(() -> containers.kill(name, "")).hasMessageEndingWith("is not running");
                case KILL_BY_CTRL_C -> assertThatThrownBy(() -> containers.kill(name, "INT"))
                        .hasMessageEndingWith("is not running");
            }
        }
    }

    private boolean ends(End end, String name) throws Exception {
        end.end(harness.containers(), name);
        return true;
    }

    /// What `work` answers, which must not wait for the server.
    private static <T> T soon(Callable<T> work) throws Exception {
        var answer = new FutureTask<>(work);
        Thread.ofVirtual().start(answer);
        return answer.get(20, TimeUnit.SECONDS);
    }

    private boolean mounted() throws Exception {
        return Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + root.resolve("data/volumes") + "/" + volume);
    }

    @ParameterizedTest
    @EnumSource
    void eachOfThoseThatWaitForTheSameServerIsFreedAlone(End end) throws Exception {
        var first = begin("web");
        untilTheMountIsUnderWay();
        var second = soon(() -> begin("db"));
        EngineHarness.eventually(() -> points.passes("start.mounts") == 2);
        soon(() -> ends(end, "db"));
        second.failsWith("given up");
        assertThat(first.done()).isNotDone();
        var third = soon(() -> begin("cache"));
        EngineHarness.eventually(() -> points.passes("start.mounts") == 3);
        assertThat(mounts()).hasSize(1);
        answer();
        first.runs();
        third.runs();
        assertThat(points.passes("volume.mounted")).as("mounted once").isEqualTo(1);
        ends(End.REMOVE, "web");
        assertThat(mounted()).as("the other one runs with it").isTrue();
        ends(End.REMOVE, "cache");
        EngineHarness.eventually(() -> !mounted());
    }

    @ParameterizedTest
    @EnumSource
    void whoIsGivenUpBeforeItGetsToItsMountStaysGivenUp(End end) throws Exception {
        harness.close();
        open("start.mounts=1*sleep(3000)->off");
        var start = begin("web");
        EngineHarness.eventually(() -> points.passes("start.mounts") == 1);
        soon(() -> ends(end, "web"));
        start.failsWith("cannot mount volume away: given up before it was mounted");
        assertThat(mounts()).isEmpty();
    }

    @Test
    void whatIsStartedAfterwardsIsWanted() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        ends(End.STOP, "web");
        start.failsWith("given up");
        var next = start("web");
        EngineHarness.eventually(() -> points.passes("start.mounts") == 2);
        answer();
        next.runs();
    }

    @Test
    void aSignalThatIsNoEndWaitsForItsTurn() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        var signal = new FutureTask<Boolean>(() -> {
            harness.containers().kill("web", "HUP");
            return true;
        });
        Thread.ofVirtual().start(signal);
        assertThatThrownBy(() -> start.done().get(1, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
        answer();
        start.runs();
        assertThat(signal.get(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void anotherClientsStartIsNotGivenUpWithItsOwn() throws Exception {
        var first = begin("web");
        untilTheMountIsUnderWay();
        var second = start("web");
        second.client().interrupt();
        assertThatThrownBy(() -> second.done().get(20, TimeUnit.SECONDS)).cause().isInstanceOf(InterruptedException.class);
        assertThatThrownBy(() -> first.done().get(1, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
        answer();
        first.runs();
    }

    @Test
    void theEnginesCloseEndsThemAndLeavesNothing() throws Exception {
        var first = begin("web");
        untilTheMountIsUnderWay();
        var second = soon(() -> begin("db"));
        EngineHarness.eventually(() -> points.passes("start.mounts") == 2);
        soon(() -> {
            harness.engine.close();
            return true;
        });
        first.failsWith("given up");
        second.failsWith("given up");
        assertThat(harness.fabric.open()).isEmpty();
        assertThat(harness.runtime.leftBehind()).isEmpty();
        harness.reopenAfterAbandon();
        assertThat(harness.state("web")).isInstanceOf(State.Created.class);
    }
}
