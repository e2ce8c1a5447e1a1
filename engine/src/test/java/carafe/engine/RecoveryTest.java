package carafe.engine;

import static carafe.engine.EngineHarness.eventually;
import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.Row;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import carafe.spec.docker.ExecConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class RecoveryTest {
    @TempDir
    private Path root;
    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (var name : harness.names()) {
            harness.containers().remove(name, new RemoveRequest(true, true));
        }
        harness.assertNothingLeft();
        harness.close();
    }

    private Layout layout() {
        return new Layout(root.resolve("data"), root.resolve("run"));
    }

    @Test
    void containersThatRunAreTakenOverAsTheyRun() throws Exception {
        for (int number = 0; number < 100; number++) {
            harness.create("c" + number, "sleep");
            harness.containers().start("c" + number);
        }
        harness.containers().pause("c7");
        var before = harness.runtime.runs();
        harness.crash();
        assertThat(harness.runtime.runs()).containsExactlyInAnyOrderElementsOf(before);
        assertThat(harness.runtime.started()).hasSize(100);
        assertThat(harness.names()).hasSize(100);
        assertThat(harness.state("c7").word()).isEqualTo("paused");
        assertThat(harness.state("c8").word()).isEqualTo("running");
        var wait = harness.containers().await("c8", WaitCondition.NOT_RUNNING);
        harness.containers().kill("c8", "TERM");
        assertThat(wait.await().exitCode()).isEqualTo(143);
    }

    @Test
    void theExitCodeOfOneThatEndedMeanwhileIsTheTrueOne() throws Exception {
        String id = harness.create("web", "sleep");
        harness.containers().start("web");
        harness.engine.abandon();
        harness.runtime.end(layout().run(id), 42);
        harness.reopenAfterAbandon();
        assertThat(harness.state("web")).isInstanceOfSatisfying(
                State.Exited.class, exited -> assertThat(exited.exitCode()).isEqualTo(42));
        assertThat(harness.runtime.leftBehind()).isEmpty();
    }

    @Test
    void oneWhoseMonitorIsGoneWithoutAWordIsExitedWith255() throws Exception {
        String id = harness.create("web", "sleep");
        harness.containers().start("web");
        harness.engine.abandon();
        harness.runtime.vanish(layout().run(id));
        harness.reopenAfterAbandon();
        assertThat(harness.state("web")).extracting("exitCode").isEqualTo(255);
    }

    @Test
    void policiesDecideWhatStartsWithTheEngine() throws Exception {
        var containers = harness.containers();
        containers.create(request("always", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep"));
        containers.create(request("unless", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "sleep"));
        containers.create(request("never", "{}", "sleep"));
        containers.create(request("unstarted", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep"));
        for (var name : List.of("always", "unless", "never")) {
            containers.start(name);
            containers.stop(name, StopRequest.DEFAULT);
        }
        harness.crash();
        eventually(() -> harness.state("always") instanceof State.Running);
        assertThat(harness.state("unless")).isInstanceOf(State.Exited.class);
        assertThat(harness.state("never")).isInstanceOf(State.Exited.class);
        assertThat(harness.state("unstarted")).isInstanceOf(State.Created.class);
    }

    @Test
    void whoSharesProcessesOfAnotherStartsAfterIt() throws Exception {
        var containers = harness.containers();
        containers.create(request("owner", "{\"RestartPolicy\":{\"Name\":\"always\"},\"IpcMode\":\"shareable\"}", "sleep"));
        for (int number = 0; number < 20; number++) { // some come before it in any other order
            containers.create(request("guest" + number, "{\"RestartPolicy\":{\"Name\":\"always\"},"
                    + "\"PidMode\":\"container:owner\",\"IpcMode\":\"container:owner\"}", "sleep"));
        }
        containers.start("owner");
        for (int number = 0; number < 20; number++) {
            containers.start("guest" + number);
            containers.stop("guest" + number, StopRequest.DEFAULT);
        }
        containers.stop("owner", StopRequest.DEFAULT);
        harness.crash();
        for (int number = 0; number < 20; number++) {
            String name = "guest" + number;
            eventually(() -> harness.state(name) instanceof State.Running);
        }
    }

    @Test
    void whoIsLinkedToAnotherStartsAfterIt() throws Exception {
        var containers = harness.containers();
        containers.create(request("db", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep"));
        containers.start("db");
        for (int number = 0; number < 20; number++) { // some come before it in any other order
            containers.create(request("web" + number,
                    "{\"RestartPolicy\":{\"Name\":\"always\"},\"Links\":[\"db:data\"]}", "sleep"));
            containers.start("web" + number);
            containers.stop("web" + number, StopRequest.DEFAULT);
        }
        containers.stop("db", StopRequest.DEFAULT);
        harness.crash();
        for (int number = 0; number < 20; number++) {
            String name = "web" + number;
            eventually(() -> harness.state(name) instanceof State.Running);
        }
    }

    @Test
    void whoStartsByPolicyWaitsForOneThatIsAboutToBeRestarted() throws Exception {
        var containers = harness.containers();
        String owner = containers.create(request("owner", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep")).id();
        String guest = containers.create(request("guest",
                "{\"RestartPolicy\":{\"Name\":\"always\"},\"Links\":[\"owner\"]}", "sleep")).id();
        containers.start("owner");
        containers.start("guest");
        for (int end = 0; end < 4; end++) { // the wait doubles every time
            eventually(() -> harness.state("owner") instanceof State.Running);
            harness.runtime.end(layout().run(owner), 1);
            eventually(() -> harness.state("owner") instanceof State.Restarting);
        }
        harness.engine.abandon();
        harness.runtime.vanish(layout().run(guest));
        harness.reopenAfterAbandon();
        eventually(() -> harness.state("owner") instanceof State.Running);
        eventually(() -> harness.state("guest") instanceof State.Running);
    }

    @Test
    void whoIsRestartedByPolicyWaitsForOneThatAUserRestarts() throws Exception {
        var containers = harness.containers();
        String owner = containers.create(request("owner", "{\"IpcMode\":\"shareable\"}", "stubborn")).id();
        String guest = containers.create(request("guest",
                "{\"RestartPolicy\":{\"Name\":\"always\"},\"PidMode\":\"container:owner\"}", "sleep")).id();
        containers.start("owner");
        containers.start("guest");
        var since = harness.clock.instant();
        var restart = Thread.ofVirtual().start(() -> {
            try {
                containers.restart("owner", new StopRequest(Optional.empty(), Optional.of(1)));
            } catch (EngineException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        eventually(() -> harness.actions(since).contains("kill"));
        harness.runtime.end(layout().run(guest), 1);
        restart.join();
        eventually(() -> harness.runtime.started().size() == 4);
        assertThat(harness.runtime.started()).extracting(bundle -> bundle.runDir())
                .containsExactly(layout().run(owner), layout().run(guest), layout().run(owner), layout().run(guest));
        assertThat(harness.state("guest")).isInstanceOf(State.Running.class);
    }

    @Test
    void oneThatCameToShareOfItselfFailsAndSaysWhy() throws Exception {
        var containers = harness.containers();
        String own = containers.create(request("own",
                "{\"RestartPolicy\":{\"Name\":\"always\"},\"PidMode\":\"container:other\"}", "sleep")).id();
        harness.create("other", "sleep");
        containers.start("other");
        containers.start("own");
        containers.rename("other", "elsewhere");
        containers.rename("own", "other");
        harness.runtime.end(layout().run(own), 1);
        eventually(() -> harness.state(own) instanceof State.Exited);
        assertThat(((State.Exited) harness.state(own)).failure().orElseThrow().message()).contains("is restarting");
    }

    @Test
    void oneThatEndsWhileNoEngineIsThereIsRestartedByItsPolicy() throws Exception {
        harness.containers().create(
                request("unless", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "sleep"));
        harness.containers().start("unless");
        String id = harness.containers().inspect("unless", false).container().id();
        harness.engine.abandon();
        harness.runtime.end(layout().run(id), 1);
        harness.reopenAfterAbandon();
        eventually(() -> harness.state("unless") instanceof State.Running);
    }

    @Test
    void oneToBeRemovedThatEndedMeanwhileIsRemoved() throws Exception {
        harness.containers().create(request("once", "{\"AutoRemove\":true}", "sleep"));
        harness.containers().start("once");
        String id = harness.containers().inspect("once", false).container().id();
        harness.engine.abandon();
        harness.runtime.end(layout().run(id), 0);
        harness.reopenAfterAbandon();
        eventually(() -> harness.names().isEmpty() && harness.directories().isEmpty());
    }

    @Test
    void whatNoRowOwnsIsSwept() throws Exception {
        String id = harness.create("web", "sleep");
        harness.containers().start("web");
        harness.engine.abandon();
        try (var database = Database.open(layout().database())) {
            database.write(new Change.Delete(id));
        }
        Files.createDirectories(layout().container("f".repeat(64)));
        Files.createDirectories(layout().runs().resolve("e".repeat(32)));
        harness.reopenAfterAbandon();
        harness.assertNothingLeft();
    }

    @Test
    void anExecOfALifeBeforeGoesOnAndIsCleanedUpAtItsEnd() throws Exception {
        harness.create("web", "sleep");
        harness.containers().start("web");
        String exec = harness.engine.execs().create("web", ExecConfig.parse(
                Json.object().put("Cmd", Json.ofTexts(List.of("sleep"))).build()));
        harness.engine.execs().startDetached(exec);
        String id = harness.containers().inspect("web", false).container().id();
        Path run = layout().execRun(id, exec);
        Files.createDirectories(run);
        harness.crash();
        assertThat(harness.runtime.runs()).contains(run);
        harness.runtime.end(run, 0);
        eventually(() -> Files.notExists(run));
    }

    @Test
    void aHalfMadeContainerThatCannotBeTakenBackIsShownAndCanBeRemoved() throws Exception {
        harness.reopen(Failpoints.parse("create.durable=1*EIO;create.undo=1*EIO"));
        assertThatThrownBy(() -> harness.create("web", "sleep")).hasMessageContaining("EIO");
        assertThat(harness.names()).containsExactly("web");
        assertThatThrownBy(() -> harness.create("web", "sleep")).isInstanceOf(EngineException.Conflict.class);
        harness.crash();
        assertThat(harness.names()).containsExactly("web");
        harness.containers().remove("web", new RemoveRequest(false, false));
        live();
    }

    @Test
    void aRecordThatCannotBeReadIsSetAsideAndStopsNothing() throws Exception {
        String id = harness.create("broken", "sleep");
        harness.containers().start("broken");
        harness.create("web", "sleep");
        harness.engine.abandon();
        var good = new Row[1];
        try (var database = Database.open(layout().database())) {
            good[0] = database.rows().stream().filter(row -> row.id().equals(id)).findFirst().orElseThrow();
            database.write(new Change.Replace(new Row(
                    id, "broken", "running", good[0].createdNanos(), "{\"Created\":\"never\"}", "{}")));
        }
        harness.reopenAfterAbandon();
        assertThat(harness.names()).containsExactly("web");
        assertThat(harness.runtime.runs()).containsExactly(layout().run(id));
        assertThat(layout().container(id)).isDirectory();
        assertThatThrownBy(() -> harness.create("broken", "sleep")).hasMessageContaining(
                "The container name \"/broken\" is already in use by container \"" + id + "\"");
        harness.engine.abandon();
        try (var database = Database.open(layout().database())) {
            database.write(new Change.Replace(good[0]));
        }
        harness.reopenAfterAbandon();
        assertThat(harness.state("broken")).isInstanceOf(State.Running.class);
    }

    @Test
    void whatAUserStoppedStaysStoppedAlsoIfTheEngineDiesBeforeTheEnd() throws Exception {
        harness.containers().create(
                request("unless", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "stubborn"));
        harness.containers().start("unless");
        String id = harness.containers().inspect("unless", false).container().id();
        harness.containers().kill("unless", "TERM");
        harness.engine.abandon();
        harness.runtime.end(layout().run(id), 0);
        harness.reopenAfterAbandon();
        assertThat(harness.state("unless")).isInstanceOf(State.Exited.class);
        assertThat(harness.containers().inspect("unless", false).container().restarts().stoppedByUser()).isTrue();
        assertThat(harness.runtime.started()).hasSize(1);
    }

    static Stream<String> points() {
        return Stream.of(
                "create.name", "create.row", "create.snapshot", "create.directory", "create.durable", "start.files",
                "start.bundle", "start.run", "start.row", "exit.row", "exit.process", "remove.row", "remove.snapshot",
                "remove.directory");
    }

    /// One life of a container, as far as it goes.
    private void live() throws Exception {
        harness.create("web", "exit", "5");
        var wait = harness.containers().await("web", WaitCondition.NEXT_EXIT);
        harness.containers().start("web");
        wait.await();
        harness.containers().remove("web", new RemoveRequest(true, true));
    }

    private void liveAsFarAsItGoes() throws Exception {
        try {
            live();
        } catch (EngineException e) {
            assertThat(e).hasMessageContaining("EIO");
        }
    }

    @ParameterizedTest
    @MethodSource("points")
    void afterAFailureAtAnyPointARetryWorksAndNothingLeaks(String point) throws Exception {
        var failpoints = Failpoints.parse(point + "=1*EIO");
        harness.reopen(failpoints);
        liveAsFarAsItGoes();
        harness.engine.settle();
        assertThat(failpoints.passed()).contains(point);
        if (!harness.names().isEmpty()) {
            harness.containers().remove("web", new RemoveRequest(true, true));
        }
        live();
        harness.crash(); // sweeps what a failed removal left
        harness.assertNothingLeft();
    }

    @ParameterizedTest
    @MethodSource("points")
    void afterACrashAtAnyPointTheNextEngineKnowsTheTruth(String point) throws Exception {
        harness.reopen(Failpoints.parse(point + "=EIO"));
        liveAsFarAsItGoes();
        harness.crash();
        for (var name : harness.names()) {
            assertThat(harness.state(name)).as(point).satisfiesAnyOf(
                    state -> assertThat(state).isInstanceOf(State.Created.class),
                    state -> assertThat(state).extracting("exitCode").isEqualTo(5));
            harness.containers().remove(name, new RemoveRequest(false, false));
        }
        harness.assertNothingLeft();
        live();
    }

    @Test
    void stoppedContainersKeepWhatInspectShows() throws Exception {
        harness.containers().create(request(
                "web", "{\"Memory\":33554432,\"Binds\":[\"" + root + ":/x:ro\"],\"NanoCpus\":500000000}", "exit", "2"));
        var wait = harness.containers().await("web", WaitCondition.NEXT_EXIT);
        harness.containers().start("web");
        wait.await();
        eventually(() -> harness.runtime.leftBehind().isEmpty());
        var before = harness.containers().inspect("web", false);
        harness.crash();
        var after = harness.containers().inspect("web", false);
        assertThat(after.container()).isEqualTo(before.container());
        assertThat(after.mounts()).isEqualTo(before.mounts()).hasSize(1);
        assertThat(after.layers()).isEqualTo(before.layers()).isNotEmpty();
        assertThat(after.size()).isEqualTo(Optional.empty());
    }
}
