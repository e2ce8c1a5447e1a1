package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a server does not take, and from whom it does not wait.
@Timeout(30)
class RefusedRequestTest {

    private static final Handler OK = exchange -> exchange.respond(200, TEXT, exchange.readBody(1 << 20));

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "400 | garbage without sense",
        "400 | \\x16\\x03\\x01\\x02\\x00\\x01",
        "400 | GET / HTTP/1.1",
        "400 | GET  / HTTP/1.1#Host: h",
        "400 | GET /a b HTTP/1.1#Host: h",
        "400 | GET x HTTP/1.1#Host: h",
        "400 | G(T / HTTP/1.1#Host: h",
        "400 | GET / HTTP/1.1#Host: h#Host: i",
        "400 | GET / HTTP/1.1#Host: h# folded: x",
        "400 | GET / HTTP/1.1#Host : h",
        "400 | GET / HTTP/1.1#Host: h#X: a\\x00b",
        "400 | GET / HTTP/1.1#Host: h#X: a\\x0ab: c",
        "400 | POST / HTTP/1.1#Host: h#Content-Length: 1#Transfer-Encoding: chunked",
        "400 | POST / HTTP/1.1#Host: h#Content-Length: 1#Content-Length: 2",
        "400 | POST / HTTP/1.1#Host: h#Content-Length: +1",
        "400 | POST / HTTP/1.1#Host: h#Content-Length: -1",
        "400 | POST / HTTP/1.1#Host: h#Content-Length: 99999999999999999999",
        "400 | POST / HTTP/1.0#Transfer-Encoding: chunked",
        "501 | POST / HTTP/1.1#Host: h#Transfer-Encoding: gzip, chunked",
        "501 | POST / HTTP/1.1#Host: h#Transfer-Encoding: chunked#Transfer-Encoding: chunked",
        "505 | PRI * HTTP/2.0",
        "400 | POST / HTTP/1.1#Host: h#Transfer-Encoding: chunked##x",
        "400 | POST / HTTP/1.1#Host: h#Transfer-Encoding: chunked##-1",
        "400 | POST / HTTP/1.1#Host: h#Transfer-Encoding: chunked##fffffffffffffffff",
        "400 | POST / HTTP/1.1#Host: h#Transfer-Encoding: chunked##1#abc#0",
    })
    void whatIsNotARequestIsRefused(int status, String text) throws IOException {
        var request = new StringBuilder();
        String lines = text.replace("#", "\r\n");
        for (int i = 0; i < lines.length(); i++) {
            boolean escape = lines.startsWith("\\x", i);
            request.append(escape ? (char) Integer.parseInt(lines, i + 2, i + 4, 16) : lines.charAt(i));
            i += escape ? 3 : 0;
        }
        try (var server = new TestServer(OK);
                var client = server.connectTcp()) {
            client.send(request + "\r\n\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 " + status + " ");
        }
    }

    @Test
    void aHugeHeaderIs431AndAHugeLine414AndTheRefusalIsReadable() throws IOException {
        try (var server = new TestServer(OK)) {
            try (var client = server.connectTcp()) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ").send(new byte[300 << 10]);
                assertThat(client.head()).startsWith("HTTP/1.1 431 ").contains("Connection: close\r\n");
            }
            try (var client = server.connectTcp()) {
                client.send("GET /" + "x".repeat(70 << 10));
                assertThat(client.head()).startsWith("HTTP/1.1 414 ");
                client.shutdownOutput();
                assertThat(client.restText()).isEqualTo("the first line is longer than 65536 bytes");
            }
            try (var client = server.connectTcp()) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\n" + "A: b\r\n".repeat(1001) + "\r\n");
                assertThat(client.head()).startsWith("HTTP/1.1 431 ");
            }
        }
    }

    @Test
    void largeHeadersWithinTheLimitsAreTaken() throws IOException {
        Handler handler = exchange -> {
            int length = exchange.headers().first("X-Registry-Config").orElseThrow().length();
            exchange.respond(200, TEXT, bytes(exchange.rawQuery().length() + " " + length));
        };
        try (var server = new TestServer(handler);
                var client = server.connect()) {
            client.send("GET /?" + "q".repeat(60_000) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n")
                    .send("X-Registry-Config: " + "c".repeat(200_000) + "\r\n\r\n");
            assertThat(client.restText()).endsWith("\r\n\r\n60000 200000");
        }
    }

    @Test
    void whoeverStaysSilentOrDribblesIsDropped() throws IOException {
        var limits = new ServerLimits(1 << 10, 1 << 10, 9, Duration.ofMillis(50), Duration.ofMillis(80),
                Duration.ofMillis(50));
        try (var server = new TestServer(limits, Optional.empty(), OK);
                var silent = server.connect();
                var dribbling = server.connect();
                var idle = server.connect()) {
            dribbling.send("GET / HT");
            assertThat(idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 200 OK");
            assertThat(silent.rest()).isEmpty();
            assertThat(dribbling.rest()).isEmpty();
            assertThat(idle.rest()).isEmpty();
        }
    }

    @Test
    void aRefusedBodyIsSwallowedForAMomentOnly() throws IOException {
        var limits = new ServerLimits(1 << 10, 1 << 10, 9, Duration.ofSeconds(5), Duration.ofSeconds(5),
                Duration.ofMillis(50));
        Handler handler = exchange -> exchange.respond(409, TEXT, bytes("no"));
        try (var server = new TestServer(limits, Optional.empty(), handler);
                var client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 409 ");
            assertThat(client.restText()).isEqualTo("no");
        }
    }

    @Test
    void connectionsBeyondTheLimitAreTurnedAwayAndRoomIsUsedAgain() throws IOException {
        var limits = new ServerLimits(1 << 10, 1 << 10, 2, Duration.ofSeconds(5), Duration.ofSeconds(5),
                Duration.ofSeconds(1));
        try (var server = new TestServer(limits, Optional.empty(), OK)) {
            List<RawPeer> held = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                held.add(server.connect());
                held.get(i).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").head();
            }
            try (var refused = server.connect()) {
                assertThat(refused.head()).startsWith("HTTP/1.1 503 ");
            }
            for (var client : held) {
                client.close();
            }
            Sockets.await("room", () -> server.server.connections() == 0);
            try (var client = server.connect()) {
                assertThat(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 200 OK");
            }
        }
    }
}
