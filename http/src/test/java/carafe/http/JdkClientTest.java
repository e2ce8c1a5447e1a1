package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The server against a client that others wrote.
@Timeout(30)
class JdkClientTest {

    private static final Handler ECHO = exchange -> {
        try (var out = exchange.respondStreaming(200, TEXT)) {
            out.write(bytes(exchange.method() + " " + exchange.rawPath() + " "));
            exchange.body().transferTo(out);
        }
    };

    @Test
    void everyFormOfBodyIsUnderstoodByBothSides() throws Exception {
        try (var server = new TestServer(ECHO);
                var client = HttpClient.newHttpClient()) {
            assertThat(ask(client, request(server, "/get").GET())).isEqualTo("GET /get ");
            assertThat(ask(client, request(server, "/length").POST(BodyPublishers.ofString("abc"))))
                    .isEqualTo("POST /length abc");
            var chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[300_000]));
            assertThat(ask(client, request(server, "/chunked").PUT(chunked))).hasSize(13 + 300_000);
            assertThat(ask(client, request(server, "/expect").expectContinue(true)
                    .POST(BodyPublishers.ofString("awaited")))).isEqualTo("POST /expect awaited");
            assertThat(ask(client, request(server, "/head").HEAD())).isEmpty();
        }
    }

    @Test
    void manyRequestsAtOnceAreAnsweredEachWithItsOwn() throws Exception {
        try (var server = new TestServer(ECHO);
                var client = HttpClient.newHttpClient()) {
            var answers = new ArrayList<CompletableFuture<String>>();
            for (int i = 0; i < 200; i++) {
                var request = request(server, "/" + i).POST(BodyPublishers.ofString("x".repeat(i)));
                answers.add(client.sendAsync(request.build(), BodyHandlers.ofString()).thenApply(a -> a.body()));
            }
            for (int i = 0; i < 200; i++) {
                assertThat(answers.get(i).get()).isEqualTo("POST /" + i + " " + "x".repeat(i));
            }
        }
    }

    private static HttpRequest.Builder request(TestServer server, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.tcp.port() + path))
                .version(HttpClient.Version.HTTP_1_1);
    }

    private static String ask(HttpClient client, HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString()).body();
    }
}
