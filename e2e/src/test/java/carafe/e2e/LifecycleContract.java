package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/// `create`, `start`, `stop`, `kill`, `wait`, `rm`: the states of a container and the words for what is not possible.
abstract class LifecycleContract extends Contract {

    private static final String OBEDIENT = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";

    LifecycleContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void createdThenStartedThenExited() throws Exception {
        String id = docker("create", "--name", "three", IMAGE, "echo", "here").text();
        assertThat(id).matches("[0-9a-f]{64}");
        assertThat(inspect("three", "{{.State.Status}} {{.State.Running}} {{.State.Pid}}"))
                .isEqualTo("created false 0");
        assertThat(docker("start", "three").text()).isEqualTo("three");
        awaitStatus("three", "exited");
        assertThat(docker("logs", "three").text()).isEqualTo("here");
    }

    @Test
    void startAttachedShowsTheOutputAndPassesTheCode() throws Exception {
        docker("create", "--name", "attached", IMAGE, "sh", "-c", "echo again; exit 5");
        assertThat(failing(5, "start", "-a", "attached").text()).isEqualTo("again");
        assertThat(failing(5, "start", "--attach", "attached").text()).isEqualTo("again");
    }

    @Test
    void startInteractiveTakesInput() throws Exception {
        docker("create", "-i", "--name", "input", IMAGE, "cat");
        assertThat(command("start", "-ai", "input").stdin("typed\n").run().good().text()).isEqualTo("typed");
    }

    @Test
    void startingARunningContainerIsNoError() throws Exception {
        background("running", "sleep 1000");
        String pid = inspect("running", "{{.State.Pid}}");
        docker("start", "running");
        assertThat(inspect("running", "{{.State.Pid}}")).isEqualTo(pid);
    }

    @Test
    void aContainerStartsAgainOnTheSameFiles() throws Exception {
        docker("run", "--name", "twice", IMAGE, "sh", "-c", "echo line >> /lines; cat /lines");
        assertThat(docker("start", "-a", "twice").lines()).containsExactly("line", "line");
    }

    @Test
    void startOfAMissingProgramFails() throws Exception {
        docker("create", "--name", "noprogram", IMAGE, "nosuchprogram");
        assertThat(failing(1, "start", "noprogram").err()).contains("nosuchprogram");
        assertThat(inspect("noprogram", "{{.State.Running}} {{.State.ExitCode}}")).isEqualTo("false 127");
    }

    @Test
    void stopAsksFirst() throws Exception {
        background("polite", OBEDIENT);
        awaitLog("polite", "ready");
        assertThat(docker("stop", "polite").text()).isEqualTo("polite");
        assertThat(inspect("polite", "{{.State.Status}} {{.State.ExitCode}}")).isEqualTo("exited 7");
    }

    @Test
    void stopKillsAfterItsPatience() throws Exception {
        background("deaf", "trap '' TERM; echo ready; while :; do sleep 0.05; done");
        awaitLog("deaf", "ready");
        long begin = System.nanoTime();
        docker("stop", "-t", "1", "deaf");
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isBetween(Duration.ofMillis(900), Duration.ofSeconds(9));
        assertThat(inspect("deaf", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}"))
                .isEqualTo("exited 137 false");
    }

    @Test
    void stopUsesTheContainersSignal() throws Exception {
        docker("run", "-d", "--name", "signal", "--stop-signal", "USR1", IMAGE, "sh", "-c",
                "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done");
        awaitLog("signal", "ready");
        docker("stop", "signal");
        assertThat(inspect("signal", "{{.State.ExitCode}}")).isEqualTo("9");
    }

    @Test
    void stoppingAStoppedContainerIsNoError() throws Exception {
        docker("run", "--name", "over", IMAGE, "true");
        docker("stop", "over");
    }

    @Test
    void killSendsAnySignal() throws Exception {
        background("killed", "trap 'exit 11' USR1; echo ready; while :; do sleep 0.05; done");
        awaitLog("killed", "ready");
        docker("kill", "-s", "SIGUSR1", "killed");
        assertThat(docker("wait", "killed").text()).isEqualTo("11");
    }

    @Test
    void killTakesNamesAndNumbers() throws Exception {
        background("numbered", OBEDIENT);
        awaitLog("numbered", "ready");
        docker("kill", "--signal", "15", "numbered");
        assertThat(docker("wait", "numbered").text()).isEqualTo("7");
        background("bad", "sleep 1000");
        assertThat(failing(1, "kill", "-s", "NOSUCH", "bad").err()).containsIgnoringCase("invalid signal: NOSUCH");
    }

    @Test
    void aStoppedContainerCannotBeKilled() throws Exception {
        String id = docker("create", "--name", "still", IMAGE, "true").text();
        assertThat(failing(1, "kill", "still").err()).contains("is not running").containsAnyOf(id, "still");
    }

    @Test
    void waitPrintsTheCodeOfEach() throws Exception {
        background("first", "exit 1");
        background("second", "sleep 0.2; exit 2");
        assertThat(docker("wait", "first", "second").lines()).containsExactly("1", "2");
    }

    @Test
    void waitBlocksUntilTheEnd() throws Exception {
        background("waited", OBEDIENT);
        awaitLog("waited", "ready");
        try (var wait = command("wait", "waited").start()) {
            docker("exec", "waited", "true");
            assertThat(wait.running()).isTrue();
            docker("kill", "-s", "TERM", "waited");
            assertThat(wait.await().good().text()).isEqualTo("7");
        }
    }

    @Test
    void rmOfARunningContainerNeedsForce() throws Exception {
        background("busy", "sleep 1000");
        assertThat(failing(1, "rm", "busy").err())
                .containsPattern("(?i)cannot remove (a running )?container .*(busy|[0-9a-f]{12})")
                .containsIgnoringCase("stop the container before");
        assertThat(docker("rm", "-f", "busy").text()).isEqualTo("busy");
        assertThat(docker("ps", "-aq").text()).isEmpty();
    }

    @Test
    void rmTakesSeveral() throws Exception {
        docker("create", "--name", "one", IMAGE);
        docker("create", "--name", "two", IMAGE);
        var removed = failing(1, "rm", "one", "nosuch", "two");
        assertThat(removed.lines()).containsExactly("one", "two");
        assertThat(removed.err()).contains("No such container: nosuch");
    }

    @Test
    void aContainerIsFoundByNameIdAndPrefix() throws Exception {
        String id = docker("create", "--name", "found", IMAGE, "true").text();
        for (String reference : new String[] {id, id.substring(0, 12), id.substring(0, 8), "found"}) {
            assertThat(inspect(reference, "{{.Id}}")).isEqualTo(id);
        }
    }

    @Test
    void whatIsNotThereIsNamed() throws Exception {
        for (String word : new String[] {"start", "stop", "kill", "wait", "logs", "rm", "attach"}) {
            assertThat(failing(1, word, "nosuch").err()).as(word).contains("No such container: nosuch");
        }
        assertThat(failing(1, "exec", "nosuch", "true").err()).contains("No such container: nosuch");
        assertThat(failing(1, "inspect", "nosuch").err()).containsIgnoringCase("no such object: nosuch");
    }

    @Test
    void timesOfTheLifeAreKept() throws Exception {
        docker("run", "--name", "timed", IMAGE, "sleep", "0.3");
        String[] times = inspect("timed", "{{.Created}} {{.State.StartedAt}} {{.State.FinishedAt}}").split(" ");
        assertThat(times).hasSize(3).allMatch(time -> time.matches("20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z"));
        assertThat(java.time.Instant.parse(times[1])).isBetween(
                java.time.Instant.parse(times[0]), java.time.Instant.parse(times[2]));
        docker("create", "--name", "unborn", IMAGE);
        assertThat(inspect("unborn", "{{.State.StartedAt}} {{.State.FinishedAt}}"))
                .isEqualTo("0001-01-01T00:00:00Z 0001-01-01T00:00:00Z");
    }
}
