package carafe.engine;

import static carafe.engine.EngineHarness.eventually;
import static carafe.engine.EngineHarness.request;
import static carafe.engine.EngineHarness.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.ExecConfig;
import carafe.spec.docker.Filters;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContainersTest {
    @TempDir
    private Path root;
    private EngineHarness harness;
    private Containers containers;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        containers = harness.containers();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (var name : harness.names()) {
            harness.containers().remove(name, new RemoveRequest(true, true));
        }
        harness.assertNothingLeft();
        harness.close();
    }

    @Test
    void aContainerIsCreatedRunsEndsAndIsRemoved() throws Exception {
        String id = harness.create("web", "exit", "3");
        assertThat(harness.state("web")).isEqualTo(new State.Created(Optional.empty()));
        var wait = containers.await("web", WaitCondition.NEXT_EXIT);
        containers.start("web");
        assertThat(wait.await()).isEqualTo(new Waiting.Result(3, ""));
        assertThat(harness.state(id.substring(0, 7))).isInstanceOfSatisfying(State.Exited.class, exited -> {
            assertThat(exited.exitCode()).isEqualTo(3);
            assertThat(exited.finishedAt()).isAfterOrEqualTo(exited.startedAt());
        });
        containers.remove("web", new RemoveRequest(false, false));
        assertThatThrownBy(() -> containers.inspect("web", false))
                .isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such container: web");
    }

    @Test
    void aNameInUseIsRefusedInDockersWords() throws Exception {
        String id = harness.create("web", "true");
        assertThatThrownBy(() -> harness.create("web", "true"))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("Conflict. The container name \"/web\" is already in use by container \"" + id
                        + "\". You have to remove (or rename) that container to be able to reuse that name.");
        assertThat(harness.directories()).hasSize(2);
    }

    @Test
    void anUnknownImageIsRefusedSoThatClientsPullIt() {
        assertThatThrownBy(() -> containers.create(new CreateRequest(
                        "", "", ContainerConfig.parse((Json.Obj) Json.parse("{\"Image\":\"nope\",\"Cmd\":[\"x\"]}")),
                        HostConfig.parse(Json.object().build()), NetworkingConfig.NONE)))
                .isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such image: nope:latest");
    }

    @Test
    void badNamesAndEmptyCommandsAreRefused() {
        assertThatThrownBy(() -> harness.create("a b", "true"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        assertThatThrownBy(() -> harness.create("web"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("no command specified");
    }

    @Test
    void manyStartAtOnceWithGeneratedNames() throws Exception {
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var done = IntStream.range(0, 100)
                    .mapToObj(_ -> pool.submit(() -> {
                        String id = harness.create("", "sleep");
                        containers.start(id);
                        return id;
                    }))
                    .toList();
            for (var each : done) {
                each.get();
            }
        }
        assertThat(Set.copyOf(harness.names())).hasSize(100);
        assertThat(containers.list(new ListQuery(false, 0, false, Filters.NONE))).hasSize(100);
    }

    @Test
    void startingTwiceChangesNothing() throws Exception {
        harness.create("web", "sleep");
        containers.start("web");
        assertThatThrownBy(() -> containers.start("web")).isInstanceOf(EngineException.NotModified.class);
    }

    @Test
    void aMissingProgramLeavesTheContainerCreatedWith127() throws Exception {
        harness.create("web", "nosuch");
        assertThatThrownBy(() -> containers.start("web"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("executable file not found");
        assertThat(harness.state("web")).isInstanceOfSatisfying(
                State.Created.class,
                created -> assertThat(created.failure()).hasValueSatisfying(failure -> {
                    assertThat(failure.exitCode()).isEqualTo(127);
                    assertThat(failure.message()).contains("\"nosuch\"");
                }));
    }

    @Test
    void stopAsksThenKills() throws Exception {
        var since = Instant.now();
        harness.create("mild", "sleep");
        harness.create("hard", "stubborn");
        containers.start("mild");
        containers.start("hard");
        containers.stop("mild", StopRequest.DEFAULT);
        containers.stop("hard", new StopRequest(Optional.empty(), Optional.of(0)));
        assertThat(harness.state("mild")).extracting("exitCode").isEqualTo(143);
        assertThat(harness.state("hard")).extracting("exitCode").isEqualTo(137);
        assertThatThrownBy(() -> containers.stop("mild", StopRequest.DEFAULT))
                .isInstanceOf(EngineException.NotModified.class);
        assertThat(harness.actions(since)).containsExactly(
                "create", "create", "start", "start", "kill", "die", "stop", "kill", "kill", "die", "stop");
    }

    @Test
    void killNeedsARunningContainerAndAKnownSignal() throws Exception {
        String id = harness.create("web", "sleep");
        assertThatThrownBy(() -> containers.kill("web", "KILL"))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("cannot kill container: web: container " + id + " is not running");
        containers.start("web");
        assertThatThrownBy(() -> containers.kill("web", "NOPE"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid signal: NOPE");
        containers.kill("web", "");
        assertThat(harness.state("web")).extracting("exitCode").isEqualTo(137);
    }

    @Test
    void aPausedContainerIsNotStartedExecutedOrRemovedButCanBeStopped() throws Exception {
        String id = harness.create("web", "sleep");
        containers.start("web");
        containers.pause("web");
        assertThat(harness.state("web").word()).isEqualTo("paused");
        assertThatThrownBy(() -> containers.pause("web")).hasMessage("container " + id + " is already paused");
        assertThatThrownBy(() -> containers.start("web"))
                .hasMessage("cannot start a paused container, try unpause instead");
        assertThatThrownBy(() -> containers.remove("web", new RemoveRequest(false, false)))
                .hasMessage("cannot remove container \"/web\": container is paused and must be unpaused first");
        containers.unpause("web");
        assertThatThrownBy(() -> containers.unpause("web")).hasMessage("container " + id + " is not paused");
        containers.pause("web");
        containers.stop("web", new StopRequest(Optional.empty(), Optional.of(1)));
        assertThat(harness.state("web")).isInstanceOf(State.Exited.class);
    }

    @Test
    void aRunningContainerIsRemovedOnlyByForce() throws Exception {
        harness.create("web", "stubborn");
        containers.start("web");
        assertThatThrownBy(() -> containers.remove("web", new RemoveRequest(false, false)))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("cannot remove container \"/web\": container is running: stop the container before removing"
                        + " or force remove");
        var removed = containers.await("web", WaitCondition.REMOVED);
        containers.remove("web", new RemoveRequest(true, false));
        assertThat(removed.await().exitCode()).isEqualTo(137);
        harness.assertNothingLeft();
    }

    @Test
    void aContainerToBeRemovedAtItsEndGoesByItselfAndItsExitCodeIsKeptForWaiters() throws Exception {
        containers.create(request("once", "{\"AutoRemove\":true}", "exit", "7"));
        var wait = containers.await("once", WaitCondition.REMOVED);
        containers.start("once");
        assertThat(wait.await().exitCode()).isEqualTo(7);
        eventually(() -> harness.directories().isEmpty() && harness.names().isEmpty());
    }

    @Test
    void aContainerToBeRemovedAtItsEndGoesEvenWhenItCannotStart() throws Exception {
        containers.create(request("once", "{\"AutoRemove\":true}", "nosuch"));
        var wait = containers.await("once", WaitCondition.REMOVED);
        assertThatThrownBy(() -> containers.start("once")).isInstanceOf(EngineException.Invalid.class);
        assertThat(wait.await().exitCode()).isEqualTo(127);
        harness.assertNothingLeft();
    }

    @Test
    void waitingForOneThatDoesNotRunIsOverAtOnce() throws Exception {
        harness.create("web", "sleep");
        assertThat(containers.await("web", WaitCondition.NOT_RUNNING).await().exitCode()).isZero();
    }

    @Test
    void aClosedWaitEnds() throws Exception {
        harness.create("web", "sleep");
        var wait = containers.await("web", WaitCondition.NEXT_EXIT);
        wait.close();
        assertThat(wait.await().error()).isNotEmpty();
    }

    @Test
    void renamingKeepsTheContainerAndFreesTheOldName() throws Exception {
        String id = harness.create("old", "true");
        containers.rename("old", "new");
        assertThat(containers.inspect("new", false).container().id()).isEqualTo(id);
        harness.create("old", "true");
        assertThatThrownBy(() -> containers.rename("new", "old")).isInstanceOf(EngineException.Conflict.class);
        harness.crash();
        assertThat(harness.names()).containsExactlyInAnyOrder("old", "new");
    }

    @Test
    void onFailureRestartsAsOftenAsItMay() throws Exception {
        containers.create(request(
                "loop", "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":2}}", "exit", "1"));
        var wait = containers.await("loop", WaitCondition.NEXT_EXIT);
        containers.start("loop");
        wait.await();
        assertThat(containers.await("loop", WaitCondition.NOT_RUNNING).await().exitCode()).isEqualTo(1);
        assertThat(containers.inspect("loop", false).container().restarts().count()).isEqualTo(2);
        assertThat(harness.runtime.started()).hasSize(3);
    }

    @Test
    void stoppingOneThatWaitsForItsRestartEndsTheRestarts() throws Exception {
        containers.create(request("loop", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "true"));
        containers.start("loop");
        eventually(() -> harness.state("loop") instanceof State.Restarting);
        containers.stop("loop", StopRequest.DEFAULT);
        assertThat(harness.state("loop")).isInstanceOf(State.Exited.class);
    }

    @Test
    void aUserWhoStopsOneEndsItsRestarts() throws Exception {
        containers.create(request("loop", "{\"RestartPolicy\":{\"Name\":\"always\"}}", "sleep"));
        containers.start("loop");
        containers.stop("loop", StopRequest.DEFAULT);
        assertThat(harness.state("loop")).isInstanceOf(State.Exited.class);
    }

    @Test
    void aClientAttachedBeforeTheStartMissesNothing() throws Exception {
        harness.create("web", "say", "hello");
        try (var client = containers.attach("web", new AttachRequest(false, true, true, false, true, ""))) {
            containers.start("web");
            assertThat(client.terminal()).isFalse();
            assertThat(text(client.output())).isEqualTo("\1\0\0\0\0\0\0\6hello\n");
        }
    }

    @Test
    void aWaitIsAnsweredAfterTheOutputForClientsThatAttachedBeforeTheStart() throws Exception {
        harness.create("web", "say", "hello");
        var request = new AttachRequest(false, true, true, false, true, "");
        heldUp(() -> {
            var client = containers.attach("web", request);
            containers.start("web");
            return client;
        });
    }

    @Test
    void aWaitIsAnsweredAfterTheOutputForClientsThatAttachedToARunningOne() throws Exception {
        harness.create("web", "sleep");
        var request = new AttachRequest(false, true, true, false, true, "");
        heldUp(() -> {
            containers.start("web");
            var client = containers.attach("web", request);
            containers.kill("web", "KILL");
            return client;
        });
    }

    /// The patience of waits is short, and a machine may sleep that long: then it is seen at another try.
    private void heldUp(Callable<Attachment> life) throws Exception {
        boolean seen = false;
        for (int i = 0; i < 10 && !seen; i++) {
            var wait = containers.await("web", WaitCondition.NEXT_EXIT);
            try (var _ = life.call()) {
                var asker = new Asker(wait);
                while (!asker.isAnswered() && !seen) {
                    seen = asker.isHeldUp();
                }
            }
            eventually(() -> !harness.state("web").alive());
        }
        assertThat(seen).isTrue();
    }

    @Test
    void logsAreReadWithFramesAndTimes() throws Exception {
        harness.create("web", "say", "hello");
        var wait = containers.await("web", WaitCondition.NEXT_EXIT);
        containers.start("web");
        wait.await();
        var query = new LogQuery(
                new LogQuery.Streams(true, true), Optional.empty(), Optional.empty(), Optional.empty(),
                new LogQuery.Show(true, false, true));
        try (var log = containers.logs("web", query)) {
            assertThat(text(log)).isEqualTo("\1\0\0\0\0\0\0\45" + "2026-01-02T03:04:05.000000006Z hello\n");
        }
    }

    @Test
    void listsAreFilteredAsDockerDoes() throws Exception {
        containers.create(new CreateRequest(
                "labelled", "", ContainerConfig.parse((Json.Obj) Json.parse(
                        "{\"Image\":\"app\",\"Cmd\":[\"sleep\"],\"Labels\":{\"tier\":\"web\"}}")),
                HostConfig.parse(Json.object().build()), NetworkingConfig.NONE));
        harness.create("plain", "true");
        containers.start("labelled");
        var filters = Map.of(
                "label", "tier=web", "name", "^/label", "status", "running", "ancestor", "app:latest");
        for (var filter : filters.entrySet()) {
            var found = containers.list(new ListQuery(
                    false, 0, false, new Filters(Map.of(filter.getKey(), Set.of(filter.getValue())))));
            assertThat(found).as(filter.toString()).extracting(summary -> summary.container().name())
                    .containsExactly("labelled");
        }
        assertThatThrownBy(() -> containers.list(
                        new ListQuery(true, 0, false, new Filters(Map.of("colour", Set.of("red"))))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid filter 'colour'");
        assertThat(containers.list(new ListQuery(false, 1, false, Filters.NONE)))
                .singleElement().extracting(ContainerSummary::imageShown).isEqualTo("app");
    }

    @Test
    void pruneRemovesWhatDoesNotRun() throws Exception {
        harness.create("idle", "true");
        harness.create("busy", "sleep");
        containers.start("busy");
        assertThat(containers.prune(Filters.NONE).removed()).hasSize(1);
        assertThat(harness.names()).containsExactly("busy");
    }

    @Test
    void execsRunInRunningContainersOnly() throws Exception {
        var execs = harness.engine.execs();
        String id = harness.create("web", "sleep");
        var config = ExecConfig.parse(
                (Json.Obj) Json.parse("{\"Cmd\":[\"exit\",\"4\"],\"AttachStdout\":true}"));
        assertThatThrownBy(() -> execs.create("web", config)).hasMessage("container " + id + " is not running");
        containers.start("web");
        String exec = execs.create("web", config);
        assertThat(execs.inspect(exec).exitCode()).isEmpty();
        try (var client = execs.start(exec, Optional.empty())) {
            assertThat(text(client.output())).isEmpty();
        }
        eventually(() -> execs.inspect(exec).exitCode().isPresent());
        assertThat(execs.inspect(exec).exitCode()).contains(4);
        assertThatThrownBy(() -> execs.start(exec, Optional.empty()))
                .isInstanceOf(EngineException.Conflict.class);
        eventually(() -> harness.runtime.leftBehind().size() == 1);
    }

    @Test
    void anExecThatCannotStartKeepsItsExitCode() throws Exception {
        var execs = harness.engine.execs();
        harness.create("web", "sleep");
        containers.start("web");
        String exec = execs.create("web", ExecConfig.parse(
                (Json.Obj) Json.parse("{\"Cmd\":[\"nosuch\"]}")));
        assertThatThrownBy(() -> execs.startDetached(exec)).hasMessageContaining("executable file not found");
        assertThat(execs.inspect(exec).exitCode()).contains(127);
    }

    @Test
    void theLastStartIsExplainedEvenWhenTheContainerIsGone() throws Exception {
        String id = containers.create(request("once", "{\"AutoRemove\":true}", "true")).id();
        var wait = containers.await("once", WaitCondition.REMOVED);
        containers.start("once");
        wait.await();
        assertThat(containers.explain(id).list("steps")).hasSize(1);
        assertThat(containers.dryRun(request("", "{\"NetworkMode\":\"none\"}", "true")).list("steps")).hasSize(1);
        assertThat(containers.dryRun(request("", "{}", "true")).objects("steps")).extracting(step -> step.text("id"))
                .containsExactly("choose-address", "network-namespace", "note", "lay-cable", "addresses-and-routes", "clone");
    }

    @Test
    void aStartIsExplainedWhileItsContainerGoes() throws Exception {
        for (int round = 0; round < 300; round++) {
            String id = containers.create(request("once", "{\"AutoRemove\":true}", "true")).id();
            var removed = containers.await("once", WaitCondition.REMOVED);
            containers.start("once");
            for (int look = 0; look < 20; look++) {
                assertThat(containers.explain(id).list("steps")).hasSize(1);
            }
            removed.await();
        }
    }

    @Test
    void whatTheEngineCannotDoYetIsSaidClearly() {
        assertThatThrownBy(() -> containers.create(request("", "{\"NetworkMode\":\"mine\"}", "true")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("network mine not found");
    }

    @Test
    void theFilesInEtcAreWrittenAsDockerWritesThem() throws Exception {
        containers.create(request("web", "{\"ExtraHosts\":[\"db:10.0.0.7\"],\"Dns\":[\"9.9.9.9\"]}", "sleep"));
        containers.start("web");
        var files = containers.inspect("web", false).files();
        String id = containers.inspect("web", false).container().id();
        assertThat(files.hostname()).hasContent(id.substring(0, 12));
        assertThat(files.hosts()).content().contains("127.0.0.1\tlocalhost\n").contains("10.0.0.7\tdb\n");
        assertThat(files.resolver()).content().contains("nameserver 9.9.9.9");
        assertThat(List.of(files.hosts(), files.hostname(), files.resolver())).allMatch(Files::exists);
    }

    @Test
    void execsThatNobodyStartsAreForgottenWhenThereAreMany() throws Exception {
        harness.create("web", "sleep");
        harness.containers().start("web");
        var config = ExecConfig.parse(Json.object().put("Cmd", Json.ofTexts(List.of("sleep"))).build());
        var execs = harness.engine.execs();
        String first = execs.create("web", config);
        for (int number = 0; number < 300; number++) {
            execs.create("web", config);
        }
        assertThat(execs.inspect(first).running()).isFalse();
        harness.clock.putForward(Duration.ofMinutes(6));
        String last = execs.create("web", config);
        assertThatThrownBy(() -> execs.inspect(first)).isInstanceOf(EngineException.NotFound.class);
        execs.startDetached(last);
        assertThat(execs.inspect(last).running()).isTrue();
        harness.containers().remove("web", new RemoveRequest(true, true));
    }
}
