package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The daemon is killed with -9 and started again: containers go on, nothing is lost, nothing is left.
class CarafeSurvivesTest {

    private static final int MANY = 100;

    /// Writes numbered lines until it is asked to end.
    private static final String WRITER =
            "trap 'echo last; exit 9' TERM; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.2; done";

    private final CarafeDaemon engine;
    private final Client client = Client.docker28();

    CarafeSurvivesTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeEach
    void start() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void stop() throws Exception {
        try (engine) {
            removeAll();
        }
    }

    /// Removes what the engine knows, and says which that was.
    private List<String> removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        if (!known.isEmpty()) {
            client.to(engine).and("rm", "-f").and(known.toArray(String[]::new)).run().good();
        }
        assertThat(docker("ps", "-aq").text()).isEmpty();
        return known;
    }

    private Outcome docker(String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    private String inspect(String container, String template) throws Exception {
        return docker("inspect", "--format", template, container).text();
    }

    private List<String> inspectAll(List<String> containers, String template) throws Exception {
        return client.to(engine).and("inspect", "--format", template).and(containers.toArray(String[]::new)).run()
                .good().lines();
    }

    private String background(String name, String script) throws Exception {
        return docker("run", "-d", "--name", name, "busybox", "sh", "-c", script).text();
    }

    @Test
    void aHundredContainersOutliveItAndLoseNoLine() throws Exception {
        var containers = new ArrayList<String>();
        for (int i = 0; i < MANY; i++) {
            containers.add(background("writer" + i, WRITER));
        }
        var before = inspectAll(containers, "{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}");
        var logs = inspectAll(containers, "{{.LogPath}}").stream().map(Path::of).toList();

        engine.kill();
        for (Path log : logs) {
            long size = Files.size(log);
            Deadline.await(log + " grows without the daemon", () -> Files.size(log) > size);
        }
        engine.start();

        assertThat(docker("ps", "-q").lines()).hasSize(MANY);
        assertThat(inspectAll(containers, "{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}"))
                .isEqualTo(before);
        client.to(engine).and("kill", "-s", "TERM").and(containers.toArray(String[]::new)).run().good();
        for (String container : containers) {
            assertThat(docker("wait", container).text()).isEqualTo("9");
            var lines = docker("logs", container).lines();
            assertThat(lines.size()).isGreaterThan(1);
            for (int i = 0; i < lines.size() - 1; i++) {
                assertThat(lines.get(i)).as("line of " + container).isEqualTo(Integer.toString(i));
            }
            assertThat(lines.getLast()).isEqualTo("last");
        }
    }

    @Test
    void anEndThatNobodySawIsKnownAfterwards() throws Exception {
        String id = background("ended", "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done");
        Deadline.await("ready", () -> docker("logs", id).text().equals("ready"));
        long pid = Long.parseLong(inspect("ended", "{{.State.Pid}}"));
        engine.kill();
        Command.of("kill", "-s", "TERM", Long.toString(pid)).run().good();
        Deadline.await("the process is gone", () -> ProcessHandle.of(pid).isEmpty());
        engine.start();
        Deadline.await("it is exited", () -> inspect("ended", "{{.State.Status}}").equals("exited"));
        assertThat(inspect("ended", "{{.State.ExitCode}} {{.State.OOMKilled}}")).isEqualTo("7 false");
        assertThat(docker("logs", "ended").lines()).containsExactly("ready", "bye");
        assertThat(docker("start", "ended").text()).isEqualTo("ended");
    }

    /// It has no restart policy. As process 1 it does not hear SIGTERM, so it has not ended when the engine does.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRestartIsFinishedByTheNextEngine(boolean killed) throws Exception {
        docker("run", "-d", "--name", "slow", "--stop-timeout", "1", "busybox", "sleep", "100000");
        String before = inspect("slow", "{{.State.Pid}}");
        try (var restart = client.to(engine).and("restart", "-t", "600", "slow").start()) {
            Deadline.await("it was asked to end", () -> !docker(
                    "events", "--since", "10m", "--until", "0s", "--filter", "event=kill").text().isEmpty());
            if (killed) {
                engine.kill();
            } else {
                engine.stop();
            }
            assertThat(restart.await().code()).isNotZero();
        }
        engine.start();
        Deadline.await("it runs anew", () -> {
            var now = inspect("slow", "{{.State.Pid}}");
            return !now.equals("0") && !now.equals(before);
        });
        assertThat(inspect("slow", "{{.State.Status}} {{.RestartCount}}")).isEqualTo("running 0");
    }

    @Test
    void everyCommandWorksOnWhatWasAdopted() throws Exception {
        docker("run", "-dit", "--name", "adopted", "busybox", "sh");
        engine.kill();
        engine.start();
        assertThat(docker("exec", "adopted", "echo", "in").text()).isEqualTo("in");
        try (var attach = client.to(engine).and("attach", "adopted").startOnTerminal()) {
            attach.write("\n").expect("# ").write("echo $((20 + 22))\n").expect("42").expect("# ");
            attach.write("exit 5\n");
            attach.await().endedWith(5);
        }
        assertThat(docker("wait", "adopted").text()).isEqualTo("5");
        docker("start", "adopted");
        docker("stop", "-t", "0", "adopted");
        docker("rm", "adopted");
    }

    @Test
    void aClientThatFollowsTheLogMayComeBack() throws Exception {
        background("followed", WRITER);
        try (var logs = client.to(engine).and("logs", "-f", "followed").start()) {
            logs.expect("0\n");
            engine.kill();
            logs.await();
        }
        engine.start();
        try (var logs = client.to(engine).and("logs", "-f", "followed").start()) {
            logs.expect("0\n1\n2\n");
            docker("kill", "-s", "TERM", "followed");
            assertThat(logs.await().good().lines()).endsWith("last");
        }
    }

    @Test
    void removalOnExitIsMadeUpFor() throws Exception {
        String id = docker("run", "-d", "--rm", "busybox", "sleep", "1000").text();
        engine.remember(List.of(id));
        long pid = Long.parseLong(inspect(id, "{{.State.Pid}}"));
        engine.kill();
        Command.of("kill", "-s", "KILL", Long.toString(pid)).run().good();
        engine.start();
        Deadline.await("it is removed", () -> docker("ps", "-aq").text().isEmpty());
    }

    @Test
    void deathAtAnyStepOfALifeLeavesNothing() throws Exception {
        var points = List.of("prepare.cgroup", "prepare.filter", "start.record", "tape.exec", "start.row", "exit.row",
                "exit.process", "delete.run-directory", "remove.row", "remove.snapshot");
        for (String point : points) {
            docker("create", "--name", point, "busybox", "sleep", "1000");
        }
        engine.stop();
        for (String point : points) {
            engine.failAt(point + "=halt");
            engine.start();
            engine.remember(docker("ps", "-aq", "--no-trunc").lines());
            client.to(engine).and("start", point).run();
            client.to(engine).and("rm", "-f", point).run();
            engine.awaitEnd();
            engine.failAt("");
            engine.start();
            client.to(engine).and("rm", "-f", point).run();
            assertThat(docker("ps", "-a", "--format", "{{.Names}}").lines()).as(point).doesNotContain(point);
            engine.stop();
        }
        engine.start();
    }

    @Test
    void killedInTheMiddleOfStartsItComesBackClean() throws Exception {
        for (int round = 0; round < 5; round++) {
            var sessions = new ArrayList<Session>();
            for (int i = 0; i < 6; i++) {
                sessions.add(client.to(engine).and("run", "--rm", "-d", "busybox", "sleep", "1000").start());
            }
            // A different moment of the starts each time: once the first, the second ... has been answered.
            int answered = round;
            Deadline.await("some are answered", () ->
                    sessions.stream().filter(session -> !session.running()).count() >= answered);
            engine.kill();
            for (Session session : sessions) {
                session.await();
                session.close();
            }
            engine.start();
            List<String> known = removeAll();
            for (Session session : sessions) {
                String id = session.out().strip();
                if (!id.isEmpty()) {
                    assertThat(known).as("started before the daemon died").contains(id);
                }
            }
        }
    }
}
