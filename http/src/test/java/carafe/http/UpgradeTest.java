package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Connections taken over from HTTP, as `docker attach` and `docker exec` need them.
@Timeout(30)
class UpgradeTest {

    private static final String UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    private static final Headers RAW = Headers.of("Content-Type", "application/vnd.docker.raw-stream");

    /// Answers with the body it got, then with all input once that has ended.
    private static final Handler ECHO = exchange -> {
        byte[] body = exchange.readBody(1000);
        try (var stream = exchange.upgrade(RAW)) {
            stream.output().write(body);
            stream.output().write(stream.input().readAllBytes());
        }
    };

    @Test
    void anUpgradeIsAnswered101AndWithoutOneTheRawStreamIs200() throws IOException {
        try (var server = new TestServer(ECHO)) {
            try (var client = server.connect()) {
                client.send("POST /attach HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "Content-Length: 0\r\n\r\n");
                assertThat(client.head())
                        .startsWith("HTTP/1.1 101 UPGRADED\r\n")
                        .contains("Content-Type: application/vnd.docker.raw-stream\r\n" + UPGRADE)
                        .doesNotContain("Date", "Content-Length", "chunked");
                client.send("in").shutdownOutput();
                assertThat(client.restText()).isEqualTo("in");
            }
            try (var client = server.connect()) {
                client.send("POST /attach HTTP/1.1\r\nHost: h\r\n\r\n");
                assertThat(client.head())
                        .startsWith("HTTP/1.1 200 OK\r\n")
                        .doesNotContain("Content-Length", "chunked", "Connection");
                client.send("in").shutdownOutput();
                assertThat(client.restText()).isEqualTo("in");
            }
        }
    }

    @Test
    void theBodyOfTheRequestIsReadBeforeTheUpgrade() throws IOException {
        try (var server = new TestServer(ECHO)) {
            try (var client = server.connect()) {
                client.send("POST /exec HTTP/1.1\r\nHost: h\r\n" + UPGRADE)
                        .send("Content-Length: 13\r\n\r\n{\"Tty\":false}and more");
                client.shutdownOutput();
                assertThat(client.head()).startsWith("HTTP/1.1 101 ");
                assertThat(client.restText()).isEqualTo("{\"Tty\":false}and more");
            }
            try (var client = server.connect()) {
                client.send("POST /exec HTTP/1.1\r\nHost: h\r\n" + UPGRADE)
                        .send("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nraw");
                client.shutdownOutput();
                assertThat(client.head()).startsWith("HTTP/1.1 101 ");
                assertThat(client.restText()).isEqualTo("raw");
            }
        }
    }

    @Test
    void aBodyTheHandlerDidNotReadIsNotPartOfTheStream() throws IOException {
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write(stream.input().readAllBytes());
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE)
                    .send("Content-Length: 4\r\n\r\nbodyraw")
                    .shutdownOutput();
            client.head();
            assertThat(client.restText()).isEqualTo("raw");
        }
    }

    @Test
    void bytesAndTheEndThatCameEarlyBelongToTheStreamEvenWhenTheClientWasWatched() throws Exception {
        var gone = new CountDownLatch(1);
        Handler handler = exchange -> {
            exchange.onClientGone(gone::countDown);
            gone.await(); // the watcher has read the early bytes and the end
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write(stream.input().readAllBytes());
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\nearly bytes").shutdownOutput();
            client.head();
            assertThat(client.restText()).isEqualTo("early bytes");
        }
    }

    @Test
    void aWatchedClientThatSpeaksLaterLosesNothing() throws Exception {
        Handler handler = exchange -> {
            exchange.onClientGone(() -> { });
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write('>');
                stream.output().write(stream.input().readAllBytes());
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").head();
            assertThat(client.take(1)).isEqualTo(">");
            client.send("first ").send("second").shutdownOutput();
            assertThat(client.restText()).isEqualTo("first second");
        }
    }

    @Test
    void theClientsEndLeavesTheServersOutputOpen() throws Exception {
        var go = new CountDownLatch(1);
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                assertThat(stream.input().read()).isEqualTo(-1);
                stream.output().write(bytes("stdin ended"));
                go.await();
                stream.output().write(bytes(", output goes on"));
            }
        };
        try (var server = new TestServer(handler)) {
            for (var client : new RawPeer[] {server.connect(), server.connectTcp()}) {
                try (client) {
                    client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").head();
                    client.shutdownOutput();
                    assertThat(client.take(11)).isEqualTo("stdin ended");
                    go.countDown();
                    assertThat(client.restText()).isEqualTo(", output goes on");
                }
            }
        }
    }

    @Test
    void theServersEndLeavesTheClientsOutputOpen() throws Exception {
        BlockingQueue<String> input = new LinkedBlockingQueue<>();
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write(bytes("last words"));
                stream.shutdownOutput();
                stream.shutdownOutput();
                assertThatThrownBy(() -> stream.output().write(1)).hasMessage("the stream's output is shut down");
                input.add(new String(stream.input().readAllBytes(), StandardCharsets.ISO_8859_1));
            }
        };
        try (var server = new TestServer(handler)) {
            for (var client : new RawPeer[] {server.connect(), server.connectTcp()}) {
                try (client) {
                    client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").head();
                    assertThat(client.restText()).isEqualTo("last words");
                    client.send("still ").send("typing").shutdownOutput();
                    assertThat(input.take()).isEqualTo("still typing");
                }
            }
        }
    }

    @Test
    void theOutputArrivesWholeAlthoughTheClientsInputWasNeverRead() throws IOException {
        var output = new byte[3 << 20];
        Arrays.fill(output, (byte) 'o');
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write(output);
            }
        };
        try (var server = new TestServer(handler)) {
            for (var client : new RawPeer[] {server.connect(), server.connectTcp()}) {
                try (client) {
                    client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").send(new byte[40_000]);
                    client.head();
                    assertThat(client.rest()).isEqualTo(output);
                }
            }
        }
    }

    @Test
    void pumpsMoveEveryByteInOrder() throws Exception {
        var data = new byte[9_999_999];
        new Random(1).nextBytes(data);
        var received = new ByteArrayOutputStream();
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                assertThat(stream.pumpTo(Channels.newChannel(received))).isEqualTo(data.length);
                var source = Channels.newChannel(new ByteArrayInputStream(data));
                assertThat(stream.pumpFrom(source)).isEqualTo(data.length);
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").send(data).shutdownOutput();
            client.head();
            assertThat(client.rest()).isEqualTo(data);
            assertThat(received.toByteArray()).isEqualTo(data);
        }
    }

    @Test
    void aStreamClosedByAnotherThreadEndsWhoeverReadsIt() throws Exception {
        var stopped = new AtomicReference<Throwable>();
        var opened = new LinkedBlockingQueue<DuplexStream>();
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                opened.add(stream);
                stream.input().read();
            } catch (IOException e) {
                stopped.set(e);
                throw e;
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n").head();
            opened.take().close();
            assertThat(client.rest()).isEmpty();
            client.leave();
            Sockets.await("the reader to stop", () -> stopped.get() != null);
            assertThat(stopped.get()).hasMessage("the stream is closed");
        }
    }

    @Test
    void anErrorBeforeTheUpgradeIsAnOrdinaryAnswer() throws IOException {
        Handler handler = exchange -> {
            if (exchange.upgradeProtocol().isPresent()) {
                throw new HttpException(409, "not running");
            }
            exchange.respond(200, TEXT, bytes("OK"));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\n" + UPGRADE + "\r\n" + "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 409 Conflict");
            assertThat(client.take(11)).isEqualTo("not running");
            assertThat(client.head()).startsWith("HTTP/1.1 200 OK");
        }
    }
}
