package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// `logs`: every byte that the container wrote, on the stream it wrote it to.
abstract class LogContract extends Contract {

    LogContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void logsKeepTheStreamsApart() throws Exception {
        docker("run", "--name", "both", IMAGE, "sh", "-c", "echo out; echo err >&2");
        var logs = docker("logs", "both");
        assertThat(logs.out()).isEqualTo("out\n");
        assertThat(logs.err()).isEqualTo("err\n");
    }

    @Test
    void theTailIsCounted() throws Exception {
        docker("run", "--name", "five", IMAGE, "seq", "1", "5");
        assertThat(docker("logs", "--tail", "2", "five").lines()).containsExactly("4", "5");
        assertThat(docker("logs", "--tail", "0", "five").text()).isEmpty();
        assertThat(docker("logs", "-n", "all", "five").lines()).hasSize(5);
        assertThat(docker("logs", "-n", "100", "five").lines()).hasSize(5);
    }

    @Test
    void timesComeBeforeLines() throws Exception {
        docker("run", "--name", "timed", IMAGE, "echo", "line");
        assertThat(docker("logs", "-t", "timed").text())
                .matches("20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z line");
    }

    @Test
    void sinceAndUntilCut() throws Exception {
        docker("run", "--name", "cut", IMAGE, "sh", "-c", "echo early; sleep 1.2; echo late");
        String times = docker("logs", "-t", "cut").lines().getLast();
        String late = times.substring(0, times.indexOf(' '));
        assertThat(docker("logs", "--since", late, "cut").text()).isEqualTo("late");
        assertThat(docker("logs", "--until", late.substring(0, 19) + "Z", "cut").text()).isEqualTo("early");
    }

    @Test
    void followingEndsWithTheContainer() throws Exception {
        background("followed", "echo one; while [ ! -e /go ]; do sleep 0.05; done; echo two");
        try (var logs = command("logs", "-f", "followed").start()) {
            logs.expect("one\n");
            assertThat(logs.running()).isTrue();
            docker("exec", "followed", "touch", "/go");
            assertThat(logs.await().good().lines()).containsExactly("one", "two");
        }
    }

    @Test
    void followingWithATailBeginsThere() throws Exception {
        background("followed", "seq 1 100; while [ ! -e /go ]; do sleep 0.05; done; echo end");
        awaitLog("followed", "100");
        try (var logs = command("logs", "-f", "--tail", "1", "followed").start()) {
            logs.expect("100\n");
            docker("exec", "followed", "touch", "/go");
            assertThat(logs.await().good().lines()).containsExactly("100", "end");
        }
    }

    @Test
    void aLongLineIsWhole() throws Exception {
        docker("run", "--name", "long", IMAGE, "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end");
        assertThat(docker("logs", "long").lines()).containsExactly("x".repeat(100_000), "end");
    }

    @Test
    void anUnfinishedLineIsThere() throws Exception {
        docker("run", "--name", "unfinished", IMAGE, "printf", "no end");
        assertThat(docker("logs", "unfinished").out()).isEqualTo("no end");
    }

    @Test
    void manyLinesAreAllThereInOrder() throws Exception {
        docker("run", "-d", "--name", "many", IMAGE, "seq", "1", "100000");
        docker("wait", "many");
        String expected = IntStream.rangeClosed(1, 100_000).mapToObj(i -> i + "\n").collect(Collectors.joining());
        assertThat(docker("logs", "many").out().equals(expected)).as("100000 numbered lines, none lost").isTrue();
    }

    @Test
    void bytesThatAreNoTextAreKept() throws Exception {
        docker("run", "--name", "quotes", IMAGE, "printf", "\"quoted\" \\\\ <a&b> \\t end\\n");
        assertThat(docker("logs", "quotes").out()).isEqualTo("\"quoted\" \\ <a&b> \t end\n");
    }

    @Test
    void theLogOutlivesARestart() throws Exception {
        docker("run", "--name", "again", IMAGE, "echo", "once");
        docker("start", "-a", "again");
        assertThat(docker("logs", "again").lines()).containsExactly("once", "once");
    }

    @Test
    void aTerminalsLogIsRaw() throws Exception {
        docker("run", "-dt", "--name", "raw", IMAGE, "sh", "-c", "echo out; echo err >&2");
        docker("wait", "raw");
        assertThat(docker("logs", "raw").out()).isEqualTo("out\r\nerr\r\n");
    }
}
