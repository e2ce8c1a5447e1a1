package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.http.Exchange;
import carafe.http.Headers;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The order of `run`, its exit codes and its words, against an engine that answers by script.
class RunTest {

    private static final String ID = "a".repeat(64);

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private final CountDownLatch started = new CountDownLatch(1);
    private FakeEngine engine;
    private volatile String received = "";
    private int status;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory)
                .on("POST /containers/create", 201, "{\"Id\":\"" + ID + "\",\"Warnings\":[\"careful\"]}")
                .on("POST /containers/" + ID + "/attach", this::attach)
                .on("POST /containers/" + ID + "/wait", exchange -> {
                    try (var out = exchange.respondStreaming(200, Headers.of("Content-Type", "application/json"))) {
                        out.flush();
                        started.await(10, TimeUnit.SECONDS);
                        out.write(("{\"StatusCode\":" + status + "}\n").getBytes(StandardCharsets.UTF_8));
                    }
                })
                .on("POST /containers/" + ID + "/resize", 200, "")
                .on("POST /containers/" + ID + "/kill", 204, "")
                .on("POST /containers/" + ID + "/start", exchange -> {
                    exchange.respond(204, Headers.NONE, new byte[0]);
                    started.countDown();
                });
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private void attach(Exchange exchange) throws Exception {
        boolean tty = caller.terminal;
        boolean reads = exchange.query().flag("stdin");
        try (var stream = exchange.upgrade(Headers.NONE)) {
            started.await(10, TimeUnit.SECONDS);
            if (reads) {
                received = read(stream.input(), tty);
            }
            stream.output().write(tty ? "raw\r\n".getBytes(StandardCharsets.UTF_8) : frame(1, "to out\n"));
            if (!tty) {
                stream.output().write(frame(2, "to err\n"));
            }
        }
    }

    private static String read(InputStream in, boolean tty) throws Exception {
        return new String(tty ? in.readNBytes(3) : in.readAllBytes(), StandardCharsets.UTF_8);
    }

    private static byte[] frame(int stream, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + bytes.length).put((byte) stream).put(new byte[3]).putInt(bytes.length).put(bytes).array();
    }

    private int run(String... words) {
        var all = new String[words.length + 2];
        all[0] = "-H";
        all[1] = engine.host();
        System.arraycopy(words, 0, all, 2, words.length);
        return Carafe.run(caller.session(all), address -> false);
    }

    @Test
    void attachesAndWaitsBeforeItStartsAndEndsWithTheContainersCode() {
        status = 7;
        assertThat(run("run", "busybox", "true")).isEqualTo(7);
        assertThat(caller.output()).isEqualTo("to out\n");
        assertThat(caller.errors()).isEqualTo("WARNING: careful\nto err\n");
        assertThat(engine.asked).containsExactly(
                "POST /containers/create",
                "POST /containers/" + ID + "/attach?stream=1&stdout=1&stderr=1",
                "POST /containers/" + ID + "/wait?condition=next-exit",
                "POST /containers/" + ID + "/start");
        assertThat(caller.handlers).isEmpty();
    }

    @Test
    void inputIsSentToItsEnd() {
        caller.in = new ByteArrayInputStream("hello".getBytes(StandardCharsets.UTF_8));
        assertThat(run("run", "-i", "--rm", "busybox", "cat")).isZero();
        assertThat(received).isEqualTo("hello");
        assertThat(engine.asked).contains("POST /containers/" + ID + "/wait?condition=removed");
    }

    @Test
    void aTerminalIsRawMeasuredAndGivenBack() throws Exception {
        caller.terminal = true;
        caller.in = new ByteArrayInputStream("abc".getBytes(StandardCharsets.UTF_8));
        assertThat(run("run", "-it", "busybox")).isZero();
        assertThat(caller.output()).isEqualTo("raw\r\n");
        assertThat(caller.rawMode).containsExactly("raw", "restored");
        assertThat(received).isEqualTo("abc");
        assertThat(engine.asked).contains("POST /containers/" + ID + "/resize?h=30&w=100");
        assertThat(engine.body(0).object("HostConfig").list("ConsoleSize")).hasToString("[30, 100]");
    }

    @Test
    void theDetachKeysLeaveTheContainerRunning() throws Exception {
        caller.terminal = true;
        var typed = new PipedOutputStream();
        caller.in = new PipedInputStream(typed);
        typed.write(new byte[] {'x', 16, 17});
        assertThat(run("run", "-it", "busybox")).isZero();
        assertThat(caller.rawMode).containsExactly("raw", "restored");
    }

    @Test
    void detachedItPrintsTheId() {
        assertThat(run("run", "-d", "busybox")).isZero();
        assertThat(caller.output()).isEqualTo(ID + "\n");
        assertThat(engine.asked).containsExactly("POST /containers/create", "POST /containers/" + ID + "/start");
    }

    @Test
    void aMissingImageIsPulledOnceAndTheErrorOfThePullIsShown() {
        engine.on("POST /containers/create", 404, "{\"message\":\"No such image: nope:latest\"}")
                .on("POST /images/create", 404, "{\"message\":\"pull access denied for nope\"}");
        assertThat(run("run", "nope")).isEqualTo(125);
        assertThat(caller.errors()).isEqualTo("""
                Unable to find image 'nope:latest' locally
                carafe: Error response from daemon: pull access denied for nope

                Run 'carafe run --help' for more information
                """);
        assertThat(engine.asked).containsExactly("POST /containers/create", "POST /images/create?fromImage=nope&tag=latest");
    }

    @ParameterizedTest
    @ValueSource(strings = {"network nope not found", "No such container: nope",
        "create v: error looking up volume plugin nope: plugin \\\"nope\\\" not found"})
    void whatElseIsMissingIsNoReasonToPull(String message) {
        engine.on("POST /containers/create", 404, "{\"message\":\"" + message + "\"}");
        assertThat(run("run", "busybox")).isEqualTo(125);
        assertThat(caller.errors()).startsWith("carafe: Error response from daemon: " + message.replace("\\", "") + "\n");
        assertThat(engine.asked).containsExactly("POST /containers/create");
    }

    @ParameterizedTest
    @ValueSource(strings = {"No such image: x:1", "image with reference x:1 was found but does not match the specified platform:"
            + " wanted linux/arm64, actual: linux/amd64"})
    void aMissingImageIsPulledAndTheContainerMade(String message) {
        var pulled = new CountDownLatch(1);
        engine.on("POST /containers/create", exchange -> FakeEngine.answer(exchange, pulled.getCount() == 0 ? 201 : 404,
                        pulled.getCount() == 0 ? "{\"Id\":\"" + ID + "\",\"Warnings\":[]}"
                                : "{\"message\":\"" + message + "\"}"))
                .on("POST /images/create", exchange -> {
                    pulled.countDown();
                    FakeEngine.answer(exchange, 200, "{\"status\":\"Pulling from library/x\",\"id\":\"1\"}\r\n"
                            + "{\"status\":\"Done\"}\r\n");
                });
        assertThat(run("run", "-d", "x:1")).isZero();
        assertThat(caller.errors()).isEqualTo("Unable to find image 'x:1' locally\n1: Pulling from library/x\nDone\n");
        assertThat(caller.output()).isEqualTo(ID + "\n");
    }

    @Test
    void exitCodesFollowTheEnginesSentence() {
        for (var sentence : new String[][] {
            {"exec: \\\"x\\\": executable file not found in $PATH", "127"}, {"exec: \\\"/x\\\": permission denied", "126"},
            {"something else", "125"}, {"exec: /x: no such file or directory", "127"}, {"x: exec format error", "126"},
        }) {
            engine.on("POST /containers/" + ID + "/start", 400, "{\"message\":\"" + sentence[0] + "\"}");
            assertThat(run("run", "-d", "busybox")).as(sentence[0]).isEqualTo(Integer.parseInt(sentence[1]));
        }
        assertThat(caller.errors()).contains("carafe: Error response from daemon: "
                + "exec: \"x\": executable file not found in $PATH\n\n"
                + "Run 'carafe run --help' for more information\n");
    }

    @Test
    void signalsArePassedOnWhileItRuns() throws Exception {
        engine.on("POST /containers/" + ID + "/start", exchange -> {
            exchange.respond(204, Headers.NONE, new byte[0]);
            Thread.ofVirtual().start(() -> { // not here: the connection of this request may be the one that is reused
                caller.handlers.getFirst().accept("TERM");
                started.countDown();
            });
        });
        assertThat(run("run", "busybox")).isZero();
        assertThat(engine.asked).contains("POST /containers/" + ID + "/kill?signal=SIGTERM");
        assertThat(caller.handlers).isEmpty();
    }

    @Test
    void theIdIsWrittenToAFileThatMustBeNew() {
        assertThat(run("run", "-d", "--cidfile", "cid", "busybox")).isZero();
        assertThat(new String(caller.files.get(Path.of("/home/user/cid")), StandardCharsets.UTF_8)).isEqualTo(ID);
        assertThat(run("run", "-d", "--cidfile", "cid", "busybox")).isEqualTo(125);
        assertThat(caller.errors()).contains(
                "container ID file found, make sure the other container isn't running or delete cid");
    }

    @Test
    void anEngineOfAnOlderVersionIsAskedForItsOwn() {
        var versions = new CopyOnWriteArrayList<String>();
        engine.on("GET /_ping", exchange ->
                        exchange.respond(200, Headers.of("Api-Version", "1.41"), "OK".getBytes(StandardCharsets.UTF_8)))
                .on("GET /containers/json", exchange -> {
                    versions.add(exchange.rawPath());
                    boolean old = exchange.rawPath().startsWith("/v1.41/");
                    FakeEngine.answer(exchange, old ? 200 : 400, old ? "[]"
                            : "{\"message\":\"client version 1.50 is too new. Maximum supported API version is 1.41\"}");
                });
        assertThat(run("ps", "-q")).isZero();
        assertThat(versions).containsExactly("/v1.50/containers/json", "/v1.41/containers/json");
    }

    @Test
    void dryRunPrintsTheTapeAndMakesNothing() {
        engine.on("POST /carafe/v1/dry-run", 200, """
                {"steps":[{"id":"1","part":"child","call":"execve","text":"execve(/bin/true)","why":"Run it.","man":"execve(2)",
                "micros":null}],"total_micros":null}""");
        assertThat(run("run", "--dry-run", "--name", "n", "busybox", "true")).isZero();
        assertThat(caller.output()).contains("execve(/bin/true)").contains("Run it. [execve(2)]").endsWith("1 step\n");
        assertThat(engine.asked).containsExactly("POST /carafe/v1/dry-run?name=n");
        assertThat(run("run", "--dry-run=json", "busybox")).isZero();
        assertThat(caller.output()).contains("\"call\": \"execve\"");
    }

    @Test
    void explainPrintsTheTapeBehindTheOutput() {
        engine.on("GET /carafe/v1/containers/" + ID + "/tape", 200, """
                {"steps":[{"id":"1","part":"child","call":"execve","text":"execve(/bin/true)","why":"Run it.","man":"execve(2)",
                "micros":12}],"total_micros":12}""");
        assertThat(run("run", "--explain", "busybox")).isZero();
        assertThat(caller.output()).isEqualTo("to out\n");
        assertThat(caller.errors()).contains("12 µs  execve(/bin/true)").endsWith("1 step in 12 µs\n");
    }

    @Test
    void anotherEngineCannotExplain() {
        assertThat(run("run", "-d", "--explain", "busybox")).isZero();
        assertThat(caller.errors()).contains("this engine keeps no tape of its starts; only Carafe's does");
    }
}
