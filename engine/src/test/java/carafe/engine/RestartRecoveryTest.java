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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What users said of stops and restarts is what the next engine does, wherever this one's end met it.
final class RestartRecoveryTest {

    private static final StopRequest PATIENT = new StopRequest(Optional.empty(), Optional.of(600));

    @TempDir
    private Path root;

    private EngineHarness harness;
    private Layout layout;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        layout = new Layout(root.resolve("data"), root.resolve("run"));
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (var name : harness.names()) {
            harness.containers().remove(name, new RemoveRequest(true, true));
        }
        harness.assertNothingLeft();
        harness.close();
    }

    private String start(String name, String hostConfig, String... command) throws Exception {
        String id = harness.containers().create(request(name, hostConfig, command)).id();
        harness.containers().start(name);
        return id;
    }

    private ContainerSnapshot.Restarts restarts(String name) throws EngineException {
        return harness.containers().inspect(name, false).container().restarts();
    }

    /// What a client gets that asks for it and waits.
    private CompletableFuture<Boolean> asked(Mailbox.Action request) throws Exception {
        var since = harness.clock.instant();
        var answer = new CompletableFuture<Boolean>();
        Thread.ofVirtual().start(() -> {
            try {
                request.run();
                answer.complete(true);
            } catch (EngineException | InterruptedException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        eventually(() -> harness.actions(since).contains("kill"));
        return answer;
    }

    /// Another status of what is in a row.
    private interface Rewriting {
        Json.Obj of(Json.Obj status) throws Exception;
    }

    /// Makes another row of what the engine has written of the container.
    private void rewrite(String id, Rewriting change) throws Exception {
        try (var database = Database.open(layout.database())) {
            var row = database.rows().stream().filter(one -> one.id().equals(id)).findFirst().orElseThrow();
            database.write(new Change.Replace(new Row(id, row.name(), row.state(), row.createdNanos(), row.document(),
                    change.of((Json.Obj) Json.parse(row.status())).print())));
        }
    }

    private static void wasCutShort(CompletableFuture<Boolean> answer) {
        assertThatThrownBy(() -> answer.get(20, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
                .cause().isInstanceOf(EngineException.Unavailable.class).hasMessage("the engine is shutting down");
    }

    @Test
    void whoIsStoppedAfterItsPolicyCouldNotStartItStaysStopped() throws Exception {
        String id = start("web", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "sleep");
        harness.engine.abandon();
        harness.runtime.end(layout.run(id), 1);
        harness.reopenAfterAbandon(Failpoints.parse("start.run=1*EIO->off"));
        eventually(() -> harness.state("web") instanceof State.Exited exited && exited.failure().isPresent());
        assertThatThrownBy(() -> harness.containers().stop("web", StopRequest.DEFAULT))
                .isInstanceOf(EngineException.NotModified.class);
        harness.crash();
        assertThatThrownBy(() -> harness.containers().stop("web", StopRequest.DEFAULT)).as("nothing started it")
                .isInstanceOf(EngineException.NotModified.class);
        assertThat(harness.runtime.started()).hasSize(1);
    }

    /// The witnesses wait as long as the one that is stopped.
    @Test
    void whoIsStoppedWhileItsPolicysStartWaitsForAnotherIsNotStarted() throws Exception {
        String owner = start("owner", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep");
        String guest = "{\"RestartPolicy\":{\"Name\":\"always\"},\"Links\":[\"owner\"]}";
        var guests = new ArrayList<String>(List.of(start("guest", guest, "sleep")));
        for (int number = 0; number < 5; number++) {
            guests.add(start("witness" + number, guest, "sleep"));
        }
        harness.runtime.end(layout.run(owner), 1);
        eventually(() -> harness.state("owner") instanceof State.Restarting);
        harness.engine.settle(); // its row says when it starts
        harness.engine.abandon();
        String later = harness.clock.instant().plusSeconds(10).toString();
        rewrite(owner, status -> status.with("State", status.object("State").with("NextStart", Json.of(later))));
        guests.forEach(id -> harness.runtime.vanish(layout.run(id)));
        harness.reopenAfterAbandon();
        assertThatThrownBy(() -> harness.containers().stop("guest", StopRequest.DEFAULT))
                .isInstanceOf(EngineException.NotModified.class);
        for (int number = 0; number < 5; number++) {
            String witness = "witness" + number;
            eventually(() -> harness.state(witness) instanceof State.Running);
        }
        assertThat(harness.state("guest")).isInstanceOf(State.Exited.class);
    }

    /// Its process ends while no engine is there, or before the engine that was to start it again has gone.
    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "{\"AutoRemove\":true}"})
    void oneThatEndedInARestartThatTheEnginesEndCutShortIsStartedByTheNext(String hostConfig) throws Exception {
        String id = start("web", hostConfig, "stubborn");
        var answer = asked(() -> harness.containers().restart("web", PATIENT));
        harness.engine.close();
        wasCutShort(answer);
        harness.runtime.end(layout.run(id), 143);
        harness.reopenAfterAbandon();
        eventually(() -> harness.state("web") instanceof State.Running);
        assertThat(harness.runtime.started()).hasSize(2);
        assertThat(restarts("web")).isEqualTo(ContainerSnapshot.Restarts.NONE);
        harness.crash();
        assertThat(harness.state("web")).isInstanceOf(State.Running.class);
        assertThat(harness.runtime.started()).as("once").hasSize(2);
        harness.containers().kill("web", "KILL");
        eventually(() -> !hostConfig.contains("AutoRemove") || harness.names().isEmpty());
    }

    @Test
    void oneThatHasNotEndedInSuchARestartIsRestartedByTheNext() throws Exception {
        String id = start("web", "{}", "stubborn");
        var old = (State.Running) harness.state("web");
        asked(() -> harness.containers().restart("web", PATIENT));
        harness.engine.abandon();
        harness.reopenAfterAbandon();
        assertThat(harness.state("web")).isEqualTo(old);
        var since = harness.clock.instant();
        harness.runtime.end(layout.run(id), 143);
        eventually(() -> harness.state("web") instanceof State.Running running && running.pid() != old.pid());
        eventually(() -> harness.actions(since).contains("start"));
        assertThat(restarts("web")).isEqualTo(ContainerSnapshot.Restarts.NONE);
    }

    /// The engine died between the start and the row that says so.
    @Test
    void oneThatHasComeBackAlreadyIsLeftAlone() throws Exception {
        String id = start("web", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "sleep");
        harness.engine.abandon();
        rewrite(id, status -> status.with("State", status.object("State").with("Pid", Json.of(1)))
                .with("ComingBack", Json.of(true)).with("StoppedByUser", Json.of(true)));
        harness.reopenAfterAbandon();
        assertThat(restarts("web")).isEqualTo(ContainerSnapshot.Restarts.NONE);
        harness.crash();
        assertThat(restarts("web")).as("and its row knows").isEqualTo(ContainerSnapshot.Restarts.NONE);
        assertThat(harness.runtime.started()).hasSize(1);
    }

    /// The engine died between the start and the row that says so.
    @Test
    void oneThatAUserStoppedAndStartedAgainIsNotStoppedByHim() throws Exception {
        String id = start("web", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "sleep");
        harness.engine.abandon();
        rewrite(id, status -> status.with("State", status.object("State").with("Pid", Json.of(1)))
                .with("StoppedByUser", Json.of(true)));
        harness.reopenAfterAbandon();
        assertThat(restarts("web")).isEqualTo(ContainerSnapshot.Restarts.NONE);
        harness.crash();
        assertThat(restarts("web")).as("and its row knows").isEqualTo(ContainerSnapshot.Restarts.NONE);
    }

    /// Its end is written a moment after it, and must not be written over what came then.
    @Test
    void aRestartThatFailedIsNobodysToFinish() throws Exception {
        start("db", "{}", "sleep");
        start("web", "{\"Links\":[\"db\"]}", "sleep");
        harness.containers().stop("db", StopRequest.DEFAULT);
        assertThatThrownBy(() -> harness.containers().restart("web", StopRequest.DEFAULT)).isInstanceOf(EngineException.class);
        harness.engine.settle();
        harness.containers().start("db");
        harness.crash();
        assertThat(restarts("web").comingBack()).isFalse();
        assertThat(harness.state("web")).isInstanceOfSatisfying(State.Exited.class,
                exited -> assertThat(exited.failure()).as("why").isPresent());
    }

    @Test
    void aStopThatTheEnginesEndCutShortIsNotAnsweredAsDone() throws Exception {
        start("web", "{}", "stubborn");
        var answer = asked(() -> harness.containers().stop("web", PATIENT));
        harness.engine.close();
        wasCutShort(answer);
        harness.reopenAfterAbandon();
        assertThat(harness.state("web")).isInstanceOf(State.Running.class);
    }

    @Test
    void aUserWhoStopsItMeanwhileHasTheLastWord() throws Exception {
        String id = start("web", "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "stubborn");
        asked(() -> harness.containers().restart("web", PATIENT));
        asked(() -> harness.containers().stop("web", PATIENT));
        harness.engine.abandon();
        harness.runtime.end(layout.run(id), 143);
        harness.reopenAfterAbandon();
        assertThatThrownBy(() -> harness.containers().stop("web", StopRequest.DEFAULT)).as("nothing started it")
                .isInstanceOf(EngineException.NotModified.class);
        assertThat(harness.runtime.started()).hasSize(1);
    }

    @Test
    void oneThatIsToBeRemovedAtItsEndOutlivesARestart() throws Exception {
        start("once", "{\"AutoRemove\":true}", "sleep");
        harness.containers().restart("once", StopRequest.DEFAULT);
        assertThat(harness.state("once")).isInstanceOf(State.Running.class);
        harness.containers().stop("once", StopRequest.DEFAULT);
        eventually(() -> harness.names().isEmpty());
    }
}
