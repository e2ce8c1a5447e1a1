package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests and answers, with hand-written bytes on the client's side.
@Timeout(30)
class HttpServerTest {

    private static final String GET = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

    @Test
    void aConnectionServesOneRequestAfterTheOther() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, bytes(exchange.rawPath())));
                var client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                String head = client.send("GET /" + i + " HTTP/1.1\r\nHost: h\r\n\r\n").head();
                assertThat(head)
                        .startsWith("HTTP/1.1 200 OK\r\n")
                        .contains("Content-Type: text/plain\r\n", "Content-Length: 2\r\n", "\r\nDate: ")
                        .doesNotContain("Connection");
                assertThat(client.take(2)).isEqualTo("/" + i);
            }
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        var go = new CountDownLatch(1);
        Handler handler = exchange -> {
            if (exchange.rawPath().equals("/1")) {
                go.await();
            }
            exchange.respond(200, TEXT, exchange.readBody(100));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nA"
                    + "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nB\r\n0\r\n\r\n"
                    + "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nC");
            go.countDown();
            String all = client.restText();
            assertThat(all.replaceAll("(?s)HTTP.*?\r\n\r\n", "")).isEqualTo("ABC");
        }
    }

    @Test
    void headGetsHeadersAndLengthZeroAndNoBody() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, bytes("OK")));
                var client = server.connect()) {
            client.send("HEAD /_ping HTTP/1.1\r\nHost: h\r\n\r\n")
                    .send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assertThat(client.head()).contains("Content-Length: 0\r\n");
            assertThat(client.restText()).startsWith("HTTP/1.1 200 OK").endsWith("\r\n\r\nOK");
        }
    }

    @Test
    void answersWithoutBodyHaveNoLength() throws IOException {
        Handler handler = exchange ->
                exchange.respond(Integer.parseInt(exchange.segments().get(0)), Headers.NONE, bytes("ignored"));
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            for (String status : List.of("204", "304")) {
                assertThat(client.send("GET /" + status + " HTTP/1.1\r\nHost: h\r\n\r\n").head())
                        .startsWith("HTTP/1.1 " + status)
                        .doesNotContain("Content-Length");
            }
        }
    }

    @Test
    void bodiesArriveHoweverTheyAreCut() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, exchange.readBody(100)));
                var client = server.connect()) {
            String request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "5;name=\"value\"\r\nhello\r\n0B\r\n and a rest\r\n0\r\nTrailer: x\r\n\r\n";
            for (byte each : bytes(request)) {
                client.send(new byte[] {each});
            }
            assertThat(client.head()).contains("Content-Length: 16\r\n");
            assertThat(client.take(16)).isEqualTo("hello and a rest");
        }
    }

    @Test
    void aBodyOverItsLimitIs413() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, exchange.readBody(4)))) {
            try (var client = server.connect()) {
                client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
                assertThat(client.head()).startsWith("HTTP/1.1 413 ");
            }
            try (var client = server.connect()) {
                client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
                assertThat(client.head()).startsWith("HTTP/1.1 413 ");
            }
        }
    }

    @Test
    void continueIsSentWhenTheHandlerReads() throws Exception {
        var read = new CountDownLatch(1);
        Handler handler = exchange -> {
            read.await();
            exchange.respond(200, TEXT, exchange.readBody(100));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            client.channel.configureBlocking(false);
            assertThat(client.channel.read(ByteBuffer.allocate(1))).isZero();
            client.channel.configureBlocking(true);
            read.countDown();
            assertThat(client.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            assertThat(client.send("hi").head()).startsWith("HTTP/1.1 200 OK");
            assertThat(client.take(2)).isEqualTo("hi");
        }
    }

    @Test
    void continueIsSentAlsoWhenAnAnswerWasBegunButNotFlushed() throws IOException {
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                out.write('>');
                exchange.body().transferTo(out);
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertThat(client.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            assertThat(client.send("hi").head()).startsWith("HTTP/1.1 200 OK");
            assertThat(client.restText()).isEqualTo("3\r\n>hi\r\n0\r\n\r\n");
        }
    }

    @Test
    void anUnreadAwaitedBodyIsRefusedWithoutContinue() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(404, TEXT, bytes("no")));
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 404 ").contains("Connection: close\r\n");
            assertThat(client.restText()).isEqualTo("no");
        }
    }

    @Test
    void aStreamedAnswersHeadGoesOutAtOnceAndEachFlushReachesTheWire() throws Exception {
        var next = new CountDownLatch(1);
        var last = new CountDownLatch(1);
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                out.flush();
                next.await();
                out.write(bytes("one"));
                out.write(bytes(" piece"));
                out.flush();
                last.await();
                out.write(bytes("end"));
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            assertThat(client.send(GET).head()).contains("Transfer-Encoding: chunked\r\n");
            next.countDown();
            assertThat(client.take(14)).isEqualTo("9\r\none piece\r\n");
            last.countDown();
            assertThat(client.take(13)).isEqualTo("3\r\nend\r\n0\r\n\r\n");
            assertThat(client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").restText())
                    .contains("Content-Length: 0\r\n")
                    .endsWith("\r\n\r\n");
        }
    }

    @Test
    void oldClientsGetStreamsUntilClose() throws IOException {
        Handler handler = exchange -> {
            var out = exchange.respondStreaming(200, TEXT);
            out.write(bytes("to the end")); // and left open: the server ends it
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            String all = client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").restText();
            assertThat(all).contains("Connection: close\r\n").doesNotContain("chunked").endsWith("\r\n\r\nto the end");
        }
    }

    @Test
    void oldClientsMayStayWhenTheyAsk() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, bytes("OK")));
                var client = server.connect()) {
            assertThat(client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head())
                    .contains("Connection: keep-alive\r\n");
            assertThat(client.take(2)).isEqualTo("OK");
            assertThat(client.send("GET / HTTP/1.0\r\n\r\n").restText()).contains("Connection: close\r\n");
        }
    }

    @Test
    void aClientThatDoesNotReadHoldsItsHandlerBack() throws IOException {
        var written = new AtomicLong();
        long total = 64 << 20;
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                var piece = new byte[64 << 10];
                for (long sent = 0; sent < total; sent += piece.length) {
                    out.write(piece);
                    written.addAndGet(piece.length);
                }
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").head();
            var last = new AtomicLong(-1);
            Sockets.await("the handler to block", () -> written.get() == last.getAndSet(written.get()));
            assertThat(written.get()).isLessThan(4 << 20);
            assertThat(client.rest().length).isGreaterThan((int) total);
        }
    }

    @Test
    void aHandlerThatDoesNotReadHoldsItsClientBack() throws Exception {
        var go = new CountDownLatch(1);
        Handler handler = exchange -> {
            go.await();
            long bytes = 0;
            var piece = new byte[64 << 10];
            for (int read = exchange.body().read(piece); read >= 0; read = exchange.body().read(piece)) {
                bytes += read;
            }
            exchange.respond(200, TEXT, bytes(String.valueOf(bytes)));
        };
        int total = 16 << 20;
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + total + "\r\n\r\n");
            client.channel.configureBlocking(false);
            var piece = ByteBuffer.allocate(64 << 10);
            int sent = 0;
            for (int n = client.channel.write(piece); n > 0; n = client.channel.write(piece.clear())) {
                sent += n;
            }
            assertThat(sent).isLessThan(4 << 20);
            go.countDown();
            client.channel.configureBlocking(true);
            client.send(new byte[total - sent]);
            assertThat(client.restText()).endsWith("\r\n\r\n" + total);
        }
    }

    @Test
    void anAnswerMayStreamWhileTheBodyIsStillComing() throws IOException {
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                for (int c = exchange.body().read(); c >= 0; c = exchange.body().read()) {
                    out.write(c);
                    out.flush();
                }
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
            client.head();
            assertThat(client.take(6)).isEqualTo("1\r\na\r\n");
            assertThat(client.send("1\r\nb\r\n").take(6)).isEqualTo("1\r\nb\r\n");
            assertThat(client.send("0\r\n\r\n").take(5)).isEqualTo("0\r\n\r\n");
        }
    }

    @Test
    void aSmallUnreadBodyIsSkippedAndALargeOneEndsTheConnectionReadably() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(409, TEXT, bytes("no")));
                var client = server.connectTcp()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + GET);
            assertThat(client.head()).startsWith("HTTP/1.1 409 ").doesNotContain("close");
            assertThat(client.take(2)).isEqualTo("no");
            assertThat(client.head()).startsWith("HTTP/1.1 409 ");
            assertThat(client.take(2)).isEqualTo("no");
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n").send(new byte[1 << 20]);
            assertThat(client.head()).startsWith("HTTP/1.1 409 ").contains("Connection: close\r\n");
            client.shutdownOutput();
            assertThat(client.restText()).isEqualTo("no");
        }
    }

    @Test
    void whatAHandlerThrowsIsMappedUnlessTheAnswerHasBegun() throws Exception {
        Handler handler = exchange -> {
            switch (exchange.rawPath()) {
                case "/before" -> throw new IOException("before");
                case "/silent" -> { }
                case "/unflushed" -> {
                    exchange.respondStreaming(200, TEXT).write(1);
                    throw new IOException("unflushed");
                }
                default -> {
                    exchange.respondStreaming(200, TEXT).flush();
                    throw new IOException("torn");
                }
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            assertThat(client.send("GET /before HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 500 ");
            assertThat(client.take(6)).isEqualTo("before");
            assertThat(client.send("GET /silent HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 500 ");
            assertThat(client.take(41)).isEqualTo("the handler of GET /silent did not answer");
            assertThat(client.send("GET /unflushed HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 500 ");
            assertThat(client.take(9)).isEqualTo("unflushed");
            assertThat(client.send("GET /torn HTTP/1.1\r\nHost: h\r\n\r\n").restText()).endsWith("\r\n\r\n");
            assertThat(server.tooLate.take()).hasMessage("torn");
        }
    }

    @Test
    void aRequestIsAnsweredOnce() throws Exception {
        var second = new AtomicReference<Throwable>();
        Handler handler = exchange -> {
            exchange.respond(200, TEXT, bytes("OK"));
            try {
                exchange.respond(500, TEXT, bytes("again"));
            } catch (IllegalStateException e) {
                second.set(e);
            }
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            String all = client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").restText();
            assertThat(all).endsWith("\r\n\r\nOK");
            assertThat(second.get()).hasMessage("the request was answered already");
        }
    }

    @Test
    void targetsKeepTheirEscapesUntilTheyAreSplit() throws IOException {
        Handler handler = exchange -> {
            String seen = exchange.rawPath() + " " + exchange.segments() + " " + exchange.query().all("a");
            exchange.respond(200, TEXT, bytes(seen));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            String head = " HTTP/1.1\r\nHost: %2Fvar%2Frun%2Fdocker.sock\r\nConnection: close\r\n\r\n";
            client.send("GET http://localhost:2375/v1.41/images/a%2Fb:c/json?a=1%262&a=x+y" + head);
            assertThat(client.restText())
                    .endsWith("/v1.41/images/a%2Fb:c/json [v1.41, images, a/b:c, json] [1&2, x y]");
        }
    }

    @Test
    void peersOfUnixSocketsAreKnown() throws IOException {
        Handler handler = exchange -> exchange.respond(200, TEXT, bytes(exchange.peer().toString()));
        try (var server = new TestServer(handler)) {
            try (var client = server.connect()) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
                assertThat(client.restText())
                        .endsWith("Optional[PeerCredentials[uid=0, gid=0, user=root, group=root]]");
            }
            try (var client = server.connectTcp()) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
                assertThat(client.restText()).endsWith("Optional.empty");
            }
        }
    }

    @Test
    void aTornBodyIsNeverTakenForAWholeOne() throws Exception {
        var seen = new AtomicReference<Throwable>();
        var done = new CountDownLatch(1);
        Handler handler = exchange -> {
            try {
                exchange.readBody(1000);
            } catch (IOException e) {
                seen.set(e);
                throw e;
            } finally {
                done.countDown();
            }
        };
        try (var server = new TestServer(handler)) {
            try (var client = server.connect()) {
                client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
            }
            done.await();
            assertThat(seen.get()).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void headersCannotBeSmuggledIntoAnAnswer() {
        assertThatThrownBy(() -> Headers.of("Location", "x\r\nSet-Cookie: y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the value of header Location holds a character that cannot be sent");
        assertThatThrownBy(() -> Headers.of("Bad Name", "x")).hasMessage("not a header name: Bad Name");
    }
}
