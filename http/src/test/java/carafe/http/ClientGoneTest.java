package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Long answers end when nobody waits for them, and a server ends in time.
@Timeout(30)
class ClientGoneTest {

    private static final String GET = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

    /// Streams nothing until its client has gone, like a quiet `docker events`.
    private static final Handler QUIET_STREAM = exchange -> {
        var gone = new CountDownLatch(1);
        exchange.onClientGone(gone::countDown);
        var out = exchange.respondStreaming(200, TEXT);
        out.flush();
        gone.await();
        assertThat(exchange.clientGone()).isTrue();
        out.close();
    };

    @Test
    void aClientThatClosesOrHalfClosesEndsAQuietStream() throws IOException {
        try (var server = new TestServer(QUIET_STREAM)) {
            for (int i = 0; i < 4; i++) {
                var client = i < 2 ? server.connect() : server.connectTcp();
                client.send(GET).head();
                if (i % 2 == 0) {
                    client.shutdownOutput();
                    assertThat(client.restText()).isEqualTo("0\r\n\r\n");
                }
                client.leave();
                Sockets.await("the handler to end", () -> server.server.connections() == 0);
            }
        }
    }

    @Test
    void aSilentRawStreamLearnsThatItsClientHungUpAndDoesNotTakeAHalfCloseForIt() throws Exception {
        var waits = new LinkedBlockingQueue<DuplexStream>();
        var ends = new LinkedBlockingQueue<Boolean>();
        Handler handler = exchange -> {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                assertThat(stream.input().readAllBytes()).isEmpty();
                waits.add(stream);
                ends.add(stream.awaitHangup());
            }
        };
        String attach = "POST /attach HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
        try (var server = new TestServer(handler);
                var halfClosed = server.connect();
                var leaves = server.connect()) {
            halfClosed.send(attach).head();
            halfClosed.shutdownOutput();
            var stream = waits.take();
            leaves.send(attach).head();
            leaves.leave();
            waits.take();
            assertThat(ends.take()).as("the one that left").isTrue();
            assertThat(ends).as("the half-closed one, looked at at least as often").isEmpty();
            byte[] much = "still here ".repeat(100_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            var writer = Thread.ofVirtual().start(() -> {
                try {
                    stream.output().write(much); // more than the socket holds, and the channel does not block any more
                    stream.close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(halfClosed.restText()).hasSize(much.length).endsWith("still here ");
            writer.join();
            assertThat(ends.take()).as("closed by us").isFalse();
        }
    }

    @Test
    void theEndOfTheClientIsAlsoSeenAfterItsBodyWasRead() throws IOException {
        Handler handler = exchange -> {
            var gone = new CountDownLatch(1);
            exchange.onClientGone(gone::countDown);
            assertThat(exchange.readBody(10)).hasSize(4);
            exchange.respondStreaming(200, TEXT).flush();
            gone.await();
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST /build HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n").send("body").head();
            client.leave();
            Sockets.await("the handler to end", () -> server.server.connections() == 0);
        }
    }

    @Test
    void askingIsEnoughToBeTold() throws IOException {
        Handler handler = exchange -> Sockets.await("the client to go", exchange::clientGone);
        try (var server = new TestServer(handler)) {
            try (var client = server.connect()) {
                client.send(GET);
            }
            Sockets.await("the handler to end", () -> server.server.connections() == 0);
        }
    }

    @Test
    void aCompleteAnswerIsNotCancelledAndRequestsReadAheadAreServed() throws IOException {
        var cancelled = new AtomicInteger();
        Handler handler = exchange -> {
            exchange.onClientGone(cancelled::incrementAndGet);
            exchange.respond(200, TEXT, bytes("OK"));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            for (int i = 0; i < 200; i++) {
                client.send(i % 2 == 0 ? GET : GET + GET);
                for (int answers = i % 2; answers >= 0; answers--) {
                    assertThat(client.head()).startsWith("HTTP/1.1 200 OK");
                    assertThat(client.take(2)).isEqualTo("OK");
                }
            }
            client.shutdownOutput();
            assertThat(client.rest()).isEmpty();
            assertThat(cancelled.get()).isZero();
        }
    }

    @Test
    void closingWaitsForShortRequestsAndTellsLongOnes() throws Exception {
        var entered = new LinkedBlockingQueue<String>();
        var go = new CountDownLatch(1);
        Handler handler = exchange -> {
            entered.add(exchange.rawPath());
            if (exchange.rawPath().equals("/events")) {
                QUIET_STREAM.handle(exchange);
            } else {
                go.await();
                exchange.respond(200, TEXT, bytes("done"));
            }
        };
        try (var server = new TestServer(handler);
                var events = server.connect();
                var shortly = server.connect();
                var idle = server.connect()) {
            events.send(GET).head();
            shortly.send("GET /stop HTTP/1.1\r\nHost: h\r\n\r\n");
            entered.take();
            entered.take();
            var closing = Thread.ofVirtual().start(() -> server.server.close(Duration.ofSeconds(10)));
            assertThat(idle.rest()).isEmpty();
            assertThat(events.restText()).isEqualTo("0\r\n\r\n");
            assertThat(closing.isAlive()).isTrue();
            go.countDown();
            assertThat(shortly.restText()).contains("Connection: close\r\n").endsWith("\r\n\r\ndone");
            closing.join();
        }
    }

    @Test
    void aStuckHandlerIsInterruptedAtTheDeadlineAndRawStreamsEndAtOnce() throws Exception {
        var interrupted = new CountDownLatch(1);
        Handler handler = exchange -> {
            if (exchange.upgradeProtocol().isPresent()) {
                try (var stream = exchange.upgrade(Headers.NONE)) {
                    stream.input().readAllBytes();
                }
            } else {
                exchange.respondStreaming(200, TEXT).flush();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                }
            }
        };
        try (var server = new TestServer(handler);
                var stuck = server.connect();
                var attached = server.connect()) {
            stuck.send(GET).head();
            attached.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n").head();
            var closing = Thread.ofVirtual().start(() -> server.server.close(Duration.ofMillis(100)));
            assertThat(attached.rest()).isEmpty();
            attached.leave();
            closing.join();
            interrupted.await();
            assertThat(stuck.rest()).isEmpty();
        }
    }
}
