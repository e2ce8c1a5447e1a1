package carafe.e2e;

import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// One subject's share of [DockerCommandContract]: the engine and client in question and the words to ask with.
/// Every test starts with no container and leaves none.
abstract class Contract {

    static final String IMAGE = "busybox";

    private static final Pattern CREATED = Pattern.compile("\"ID\":\"([0-9a-f]{64})\"");

    private final EngineUnderTest engine;
    private final Client client;
    private Instant begin = Instant.EPOCH;

    Contract(DockerCommandContract whole) {
        this.engine = whole.engine();
        this.client = whole.client();
    }

    @BeforeEach
    void rememberTheTime() {
        begin = Instant.now();
    }

    @AfterEach
    void removeContainers() throws Exception {
        String filter = "%7B%22event%22%3A%7B%22create%22%3Atrue%7D%2C%22type%22%3A%7B%22container%22%3Atrue%7D%7D";
        String events = RawHttp.get(
                engine.socket(),
                "/events?since=" + begin.getEpochSecond() + "&until=" + seconds(Instant.now()) + "&filters=" + filter);
        engine.remember(CREATED.matcher(events).results().map(r -> r.group(1)).toList());
        List<String> left = docker("ps", "-aq", "--no-trunc").lines();
        if (!left.isEmpty()) {
            command("rm", "-f").and(left.toArray(String[]::new)).run().good();
        }
    }

    private static String seconds(Instant moment) {
        return moment.getEpochSecond() + "." + "%09d".formatted(moment.getNano());
    }

    final EngineUnderTest engine() {
        return engine;
    }

    /// Whether this is Docker's own engine, which is Debian's 20.10 and speaks version 1.41.
    final boolean isDockers() {
        return engine instanceof DebianDocker;
    }

    final Client client() {
        return client;
    }

    /// The client with these words, to be run, started or changed.
    final Command command(String... words) {
        return client.to(engine).and(words);
    }

    /// Runs the client with these words; it must succeed.
    final Outcome docker(String... words) throws Exception {
        return command(words).run().good();
    }

    /// Runs the client with these words; it must fail with the exit code.
    final Outcome failing(int code, String... words) throws Exception {
        return command(words).run().endedWith(code);
    }

    /// Starts `sh -c script` in a container of this name and leaves it running.
    final String background(String name, String script) throws Exception {
        return docker("run", "-d", "--name", name, IMAGE, "sh", "-c", script).text();
    }

    /// One value of `inspect`, by a Go template.
    final String inspect(String container, String template) throws Exception {
        return docker("inspect", "--format", template, container).text();
    }

    /// Waits until the logs hold the text.
    final void awaitLog(String container, String text) throws Exception {
        Deadline.await(container + " says " + text, () -> {
            var logs = docker("logs", container);
            return (logs.out() + logs.err()).contains(text);
        });
    }

    /// Waits until the container's state is this word.
    final void awaitStatus(String container, String status) throws Exception {
        Deadline.await(
                container + " is " + status,
                () -> inspect(container, "{{.State.Status}}").equals(status));
    }
}
