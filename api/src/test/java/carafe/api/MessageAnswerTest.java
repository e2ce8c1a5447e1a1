package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Address;
import carafe.http.Answer;
import carafe.http.ClientRequest;
import carafe.http.Headers;
import carafe.http.HttpClient;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.spec.EngineException.NotFound;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MessageAnswerTest {

    @TempDir
    private Path directory;

    private interface Speech {
        void on(MessageAnswer answer) throws Exception;
    }

    private static Json line(String text) {
        return Json.object().put("line", text).build();
    }

    private HttpServer server(Speech speech) throws Exception {
        return HttpServer.start(List.of(Listener.unix(directory.resolve("s"), 0600, Optional.empty())), ServerLimits.DEFAULTS,
                exchange -> {
                    var call = new Call(exchange, ApiVersion.CURRENT, Map.of(), Headers.NONE);
                    try (var answer = new MessageAnswer(call, "application/json", "\n")) {
                        speech.on(answer);
                    }
                },
                cause -> new Answer(500, Headers.NONE, String.valueOf(cause.getMessage()).getBytes(StandardCharsets.UTF_8)));
    }

    private HttpClient client() {
        return new HttpClient(new Address.Unix(directory.resolve("s")), Duration.ofSeconds(5));
    }

    private String heard(Speech speech) throws Exception {
        var server = server(speech);
        try (var client = client(); var response = client.send(ClientRequest.get("/"))) {
            return new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            server.close(Duration.ofSeconds(5));
        }
    }

    @Test
    void aTaskThatIsInterruptedWhileItSpeaksDoesNotCutTheAnswer() throws Exception {
        String heard = heard(answer -> {
            answer.send(line("first"));
            var task = Thread.ofVirtual().start(() -> {
                Thread.currentThread().interrupt();
                answer.send(line("of an interrupted task"));
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            });
            task.join();
            answer.fail(new NotFound("why it failed"), line("why it failed"));
            answer.end();
        });
        assertThat(heard.lines()).containsExactly(
                "{\"line\":\"first\"}", "{\"line\":\"of an interrupted task\"}", "{\"line\":\"why it failed\"}");
    }

    @Test
    void aFailureBeforeTheFirstMessageHasAStatusOfItsOwn() throws Exception {
        assertThat(heard(answer -> answer.fail(new NotFound("no such thing"), line("never")))).isEqualTo("no such thing");
        assertThat(heard(MessageAnswer::end)).isEmpty();
    }

    @Test
    void whoWaitsForASlowClientCanBeInterrupted() throws Exception {
        var stuck = new Thread[1];
        var server = server(answer -> {
            var speaker = Thread.currentThread();
            stuck[0] = Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                speaker.interrupt();
            });
            while (!Thread.interrupted()) {
                answer.send(line("x".repeat(100_000)));
            }
            answer.end();
        });
        try (var client = client(); var response = client.send(ClientRequest.get("/"))) {
            stuck[0].join();
            assertThat(response.body().readAllBytes().length).as("bounded by what waits").isBetween(1 << 20, 4 << 20);
        } finally {
            server.close(Duration.ofSeconds(5));
        }
    }

    @Test
    void nothingIsKeptForAClientThatWent() throws Exception {
        var over = new java.util.concurrent.CountDownLatch(1);
        var server = server(answer -> {
            for (int i = 0; i < 200; i++) {
                answer.send(line("x".repeat(100_000)));
            }
            assertThatThrownBy(answer::end).isInstanceOf(java.io.IOException.class);
            over.countDown();
        });
        try (var client = client(); var response = client.send(ClientRequest.get("/"))) {
            assertThat(response.status()).isEqualTo(200);
        }
        over.await();
        server.close(Duration.ofSeconds(5));
    }
}
