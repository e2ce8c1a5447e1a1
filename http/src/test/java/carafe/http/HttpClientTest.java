package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The client against the server.
@Timeout(30)
class HttpClientTest {

    private static final int LIMIT = 64 << 20;

    private static String text(ClientResponse response) throws IOException {
        return new String(response.readBody(LIMIT), StandardCharsets.ISO_8859_1);
    }

    @Test
    void oneConnectionServesManyRequests() throws IOException {
        Handler handler = exchange -> {
            byte[] body = exchange.readBody(1000);
            String seen = exchange.method() + " " + exchange.headers().first("Host").orElse("") + " "
                    + exchange.headers().first("Content-Type").orElse("") + " " + new String(body);
            exchange.respond(exchange.method().equals("DELETE") ? 204 : 200, TEXT, bytes(seen));
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            assertThat(text(client.send(ClientRequest.get("/a")))).isEqualTo("GET api.moby.localhost  ");
            var post = ClientRequest.of("POST", "/b").body("application/json", bytes("{}"));
            assertThat(text(client.send(post))).isEqualTo("POST api.moby.localhost application/json {}");
            var chunked = ClientRequest.of("PUT", "/c").body("x/y", new ByteArrayInputStream(bytes("in chunks")));
            assertThat(text(client.send(chunked))).isEqualTo("PUT api.moby.localhost x/y in chunks");
            assertThat(client.send(ClientRequest.of("DELETE", "/d")).status()).isEqualTo(204);
            var head = client.send(ClientRequest.of("HEAD", "/e"));
            assertThat(head.headers().first("content-length")).contains("0");
            assertThat(text(head)).isEmpty();
            assertThat(server.server.connections()).isEqualTo(1);
        }
    }

    @Test
    void aConnectionTheServerClosedMeanwhileIsReplaced() throws IOException {
        Handler handler = exchange -> exchange.respond(200, TEXT, bytes("OK"));
        try (var first = new TestServer(handler);
                var client = first.client()) {
            assertThat(text(client.send(ClientRequest.get("/")))).isEqualTo("OK");
            first.server.close();
            var listener = Listener.unix(first.socket, 0600, Optional.empty());
            var errors = (ErrorMapper) cause -> new Answer(500, TEXT, bytes("no"));
            try (var second = HttpServer.start(List.of(listener), ServerLimits.DEFAULTS, handler, errors)) {
                assertThat(text(client.send(ClientRequest.of("POST", "/").body("x/y", bytes("z"))))).isEqualTo("OK");
                assertThat(second.connections()).isEqualTo(1);
            }
        }
    }

    @Test
    void streamedAnswersArriveAsTheyAreFlushed() throws Exception {
        var go = new CountDownLatch(1);
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                out.flush();
                go.await();
                out.write(bytes("{\"StatusCode\":0}"));
            }
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var response = client.send(ClientRequest.of("POST", "/wait"));
            assertThat(response.status()).isEqualTo(200);
            go.countDown();
            assertThat(text(response)).isEqualTo("{\"StatusCode\":0}");
        }
    }

    @Test
    void largeBodiesPassBothWays() throws IOException {
        var data = new byte[20_000_000];
        Arrays.fill(data, 10_000_000, 10_001_000, (byte) 7);
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                exchange.body().transferTo(out);
            }
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var request = ClientRequest.of("POST", "/").body("x/y", new ByteArrayInputStream(data));
            assertThat(client.send(request).readBody(LIMIT)).isEqualTo(data);
        }
    }

    @Test
    void aRefusalOfALargeBodyIsRead() throws IOException {
        Handler handler = exchange -> exchange.respond(413, TEXT, bytes("too much"));
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var data = new byte[30_000_000];
            for (var request : new ClientRequest[] {
                ClientRequest.of("POST", "/").body("x/y", data),
                ClientRequest.of("POST", "/").body("x/y", new ByteArrayInputStream(data))
            }) {
                try (var response = client.send(request)) {
                    assertThat(response.status()).isEqualTo(413);
                    assertThat(text(response)).isEqualTo("too much");
                }
            }
        }
    }

    @Test
    void aBodyThatCannotBeReadFailsTheRequestOnBothSides() throws Exception {
        var torn = new AtomicReference<Throwable>();
        var done = new CountDownLatch(1);
        Handler handler = exchange -> {
            try {
                exchange.readBody(1000);
            } catch (IOException e) {
                torn.set(e);
                throw e;
            } finally {
                done.countDown();
            }
        };
        var broken = new InputStream() {
            private int left = 3;

            @Override
            public int read() throws IOException {
                if (left-- == 0) {
                    throw new IOException("disk on fire");
                }
                return 'x';
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                into[offset] = (byte) read();
                return 1;
            }
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            assertThatThrownBy(() -> client.send(ClientRequest.of("POST", "/").body("x/y", broken)))
                    .hasMessage("the request's body could not be read: disk on fire");
            done.await();
            assertThat(torn.get()).hasMessage("the connection ended inside the body");
        }
    }

    @Test
    void aFaultOfWhatMakesTheBodyFailsTheRequestOnBothSides() throws Exception {
        var torn = new ArrayBlockingQueue<IOException>(1);
        Handler handler = exchange -> {
            try {
                exchange.readBody(1000);
            } catch (IOException e) {
                torn.add(e);
                throw e;
            }
        };
        var broken = new InputStream() {
            @Override
            public int read() {
                throw new IllegalStateException("no name");
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                throw new IllegalStateException("no name");
            }
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var sent = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.send(ClientRequest.of("POST", "/").body("x/y", broken)).toString();
                } catch (IOException e) {
                    return String.valueOf(e.getMessage());
                }
            });
            assertThat(sent.get(10, TimeUnit.SECONDS))
                    .isEqualTo("the request's body could not be read: java.lang.IllegalStateException: no name");
            assertThat(torn.poll(10, TimeUnit.SECONDS)).hasMessage("the connection ended inside the body");
        }
    }

    @Test
    void aTornAnswerIsNeverTakenForAWholeOne() throws IOException {
        Handler handler = exchange -> {
            var out = exchange.respondStreaming(200, TEXT);
            out.write(bytes("half of it"));
            out.flush();
            throw new IllegalStateException("broken");
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var response = client.send(ClientRequest.get("/"));
            assertThatThrownBy(() -> response.readBody(LIMIT)).hasMessage("the connection ended inside the body");
        }
    }

    @Test
    void anAnswerOverItsLimitIsRefused() throws IOException {
        try (var server = new TestServer(exchange -> exchange.respond(200, TEXT, new byte[1001]));
                var client = server.client();
                var response = client.send(ClientRequest.get("/"))) {
            assertThatThrownBy(() -> response.readBody(1000)).hasMessage("the answer is longer than 1000 bytes");
        }
    }

    @Test
    void closingAnAnswerCancelsItEvenWhileItIsRead() throws Exception {
        var gone = new CountDownLatch(1);
        Handler handler = exchange -> {
            exchange.onClientGone(gone::countDown);
            exchange.respondStreaming(200, TEXT).flush();
            gone.await();
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var response = client.send(ClientRequest.get("/events"));
            var ended = new AtomicReference<Throwable>();
            var reader = Thread.ofPlatform().start(() -> {
                try {
                    response.readBody(LIMIT);
                } catch (IOException e) {
                    ended.set(e);
                }
            });
            response.close();
            reader.join();
            gone.await();
            assertThat(ended.get()).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aStreamIsTakenOverWithHalfCloseBothWays() throws IOException {
        Handler handler = exchange -> {
            byte[] body = exchange.readBody(100);
            try (var stream = exchange.upgrade(TEXT)) {
                stream.output().write(body);
                stream.output().write(stream.input().readAllBytes());
            }
        };
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var request = ClientRequest.of("POST", "/exec/1/start").body("application/json", bytes("{\"Tty\":true}"));
            var switched = (Upgraded.Switched) client.upgrade(request, "tcp");
            try (var stream = switched.stream()) {
                assertThat(switched.status()).isEqualTo(101);
                assertThat(switched.headers().first("Upgrade")).contains("tcp");
                assertThat(stream.input().readNBytes(12)).isEqualTo(bytes("{\"Tty\":true}"));
                stream.output().write(bytes("stdin"));
                stream.shutdownOutput();
                assertThat(stream.input().readAllBytes()).isEqualTo(bytes("stdin"));
            }
        }
    }

    @Test
    void aRefusedUpgradeIsAnOrdinaryAnswer() throws IOException {
        Handler handler = exchange -> exchange.respond(404, TEXT, bytes("No such container: x"));
        try (var server = new TestServer(handler);
                var client = server.client()) {
            var refused = (Upgraded.Refused) client.upgrade(ClientRequest.of("POST", "/containers/x/attach"), "tcp");
            assertThat(refused.response().status()).isEqualTo(404);
            assertThat(text(refused.response())).isEqualTo("No such container: x");
            assertThat(text(client.send(ClientRequest.get("/")))).isEqualTo("No such container: x");
            assertThat(server.server.connections()).isEqualTo(1);
        }
    }

    @Test
    void requestsThatWouldTearTheirHeadAreRefused() {
        assertThatThrownBy(() -> ClientRequest.get("/a b")).hasMessage("target is not escaped: /a b");
        assertThatThrownBy(() -> ClientRequest.of("GET\r\n", "/")).isInstanceOf(IllegalArgumentException.class);
    }
}
