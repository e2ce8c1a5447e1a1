package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The client of an origin of the web: its waits end, bodies have lengths, proxies are spoken to.
@Timeout(60)
class OriginClientTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    private static Dial dial(Duration stall, Optional<Dial.Proxy> proxy) {
        return new Dial(LONG, stall, proxy, Trust.ofHost(), 2);
    }

    private static HttpClient client(TestServer server, Duration stall) {
        return HttpClient.of(new Origin(false, "127.0.0.1", server.tcp.port()), dial(stall, Optional.empty()));
    }

    @Test
    void originsAreCompared() {
        assertThat(Origin.parse(true, "Registry.Example")).isEqualTo(new Origin(true, "registry.example", 443));
        assertThat(Origin.parse(true, "a:443").toString()).isEqualTo("https://a");
        assertThat(Origin.parse(false, "[::1]:5000").toString()).isEqualTo("http://[::1]:5000");
        assertThat(Origin.parse(false, "a:5000")).isNotEqualTo(Origin.parse(true, "a:5000"));
        for (String wrong : new String[] {"", "a:", "a:x", "a:0", "a:99999", "a/b", "a b", "user@a", "a\\b"}) {
            assertThatThrownBy(() -> Origin.parse(true, wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aServerThatSendsNothingIsGivenUp() throws Exception {
        var end = new CountDownLatch(1);
        Handler handler = exchange -> end.await();
        try (var server = new TestServer(handler);
                var client = client(server, Duration.ofMillis(300))) {
            assertThatThrownBy(() -> client.send(ClientRequest.get("/")))
                    .isInstanceOf(Stalled.class)
                    .hasMessage("the server sent nothing for 300 ms");
            end.countDown();
        }
    }

    @Test
    void aBodyThatStallsIsGivenUpAndASlowOneIsNot() throws Exception {
        var end = new CountDownLatch(1);
        Handler handler = exchange -> {
            try (var out = exchange.respondStreaming(200, TEXT)) {
                out.write(bytes("begin"));
                out.flush();
                end.await();
            }
        };
        try (var server = new TestServer(handler);
                var client = client(server, Duration.ofMillis(300));
                var answer = client.send(ClientRequest.get("/"))) {
            assertThat(new String(answer.body().readNBytes(5))).isEqualTo("begin");
            assertThatThrownBy(() -> answer.body().read()).isInstanceOf(Stalled.class);
            end.countDown();
        }
    }

    @Test
    void aServerThatTakesNothingIsGivenUp() throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var client = HttpClient.of(new Origin(false, "127.0.0.1", server.getLocalPort()),
                        dial(Duration.ofMillis(300), Optional.empty()))) {
            var request = ClientRequest.of("PUT", "/").body("x/y", new byte[64 << 20]);
            assertThatThrownBy(() -> client.send(request)).isInstanceOf(Stalled.class);
        }
    }

    @Test
    void aBodyOfKnownLengthSaysIt() throws IOException {
        var lengths = new AtomicReference<String>();
        Handler handler = exchange -> {
            lengths.set(exchange.headers().first("Content-Length").orElse("none") + " "
                    + exchange.headers().first("Transfer-Encoding").orElse("none"));
            exchange.respond(200, TEXT, bytes(String.valueOf(exchange.readBody(10_000_000).length)));
        };
        var data = new byte[3_000_000];
        Arrays.fill(data, (byte) 5);
        try (var server = new TestServer(handler);
                var client = client(server, LONG)) {
            var request = ClientRequest.of("PUT", "/").body("x/y", new ByteArrayInputStream(data), 2_000_000);
            assertThat(new String(client.send(request).readBody(100))).isEqualTo("2000000");
            assertThat(lengths.get()).isEqualTo("2000000 none");
            var torn = ClientRequest.of("PUT", "/").body("x/y", new ByteArrayInputStream(data), 4_000_000);
            assertThatThrownBy(() -> client.send(torn))
                    .hasMessage("the request's body could not be read: it ends 1000000 bytes early");
        }
    }

    @Test
    void aBodyIsWrittenWhileItIsMade() throws IOException {
        Handler handler = exchange ->
                exchange.respond(200, TEXT, bytes(String.valueOf(exchange.readBody(10_000_000).length)));
        try (var server = new TestServer(handler);
                var client = client(server, LONG)) {
            var request = ClientRequest.of("PATCH", "/").body("x/y", out -> {
                for (int i = 0; i < 300; i++) {
                    out.write(new byte[10_000]);
                }
                out.write(7);
            });
            assertThat(new String(client.send(request).readBody(100))).isEqualTo("3000001");
            var torn = ClientRequest.of("PATCH", "/").body("x/y", out -> {
                out.write(new byte[10]);
                throw new IOException("disk on fire");
            });
            assertThatThrownBy(() -> client.send(torn))
                    .hasMessage("the request's body could not be read: disk on fire");
        }
    }

    @Test
    void aProxyIsGivenWholeTargets() throws IOException {
        var seen = new AtomicReference<String>();
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var proxy = new Dial.Proxy("127.0.0.1", server.getLocalPort(), Optional.of("Basic YTpi"));
            assertThat(proxy.toString()).doesNotContain("YTpi");
            var thread = answering(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", seen);
            try (var client = HttpClient.of(new Origin(false, "far.example", 5000), dial(LONG, Optional.of(proxy)));
                    var answer = client.send(ClientRequest.get("/v2/"))) {
                assertThat(new String(answer.readBody(10))).isEqualTo("OK");
            }
            assertThat(seen.get()).startsWith("GET http://far.example:5000/v2/ HTTP/1.1\r\n")
                    .contains("Host: far.example:5000\r\n", "Proxy-Authorization: Basic YTpi\r\n");
            thread.interrupt();
        }
    }

    @Test
    void aProxyThatRefusesTheWayIsQuoted() throws IOException {
        var seen = new AtomicReference<String>();
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var proxy = new Dial.Proxy("127.0.0.1", server.getLocalPort(), Optional.empty());
            var thread = answering(server, "HTTP/1.1 403 Forbidden\r\n\r\n", seen);
            try (var client = HttpClient.of(new Origin(true, "far.example", 443), dial(LONG, Optional.of(proxy)))) {
                assertThatThrownBy(() -> client.send(ClientRequest.get("/v2/")))
                        .isInstanceOf(ConnectFailed.class)
                        .hasMessage("cannot connect to https://far.example: " + proxy
                                + " refuses the way to far.example:443: HTTP/1.1 403 Forbidden");
            }
            assertThat(seen.get()).startsWith("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n");
            thread.interrupt();
        }
    }

    private static Thread answering(ServerSocket server, String answer, AtomicReference<String> seen) {
        return Thread.ofVirtual().start(() -> {
            try (var peer = server.accept()) {
                var head = new StringBuilder();
                while (head.indexOf("\r\n\r\n") < 0) {
                    head.append((char) peer.getInputStream().read());
                }
                seen.set(head.toString());
                peer.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                peer.getInputStream().readAllBytes();
            } catch (IOException e) {
                return; // the client's complaint is what is looked at
            }
        });
    }
}
