package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Headers;
import carafe.http.HttpException;
import carafe.spec.EngineException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ErrorsTest {

    private final Errors errors = new Errors(Headers.of("Api-Version", "1.51"));

    @Test
    void eachKindHasDockersNumber() {
        assertThat(status(new EngineException.Invalid("x"))).isEqualTo(400);
        assertThat(status(new EngineException.Forbidden("x"))).isEqualTo(403);
        assertThat(status(new EngineException.NotFound("x"))).isEqualTo(404);
        assertThat(status(new EngineException.Conflict("x"))).isEqualTo(409);
        assertThat(status(new EngineException.Internal("x"))).isEqualTo(500);
        assertThat(status(new EngineException.Unsupported("x"))).isEqualTo(501);
        assertThat(status(new EngineException.Unavailable("x"))).isEqualTo(503);
        assertThat(status(new HttpException(413, "x"))).isEqualTo(413);
        assertThat(status(new IllegalStateException("x"))).isEqualTo(500);
    }

    @Test
    void theBodyIsOneLineOfJsonWithTheSentence() {
        var answer = errors.answer(new EngineException.NotFound("No such container: \"x\""));
        assertThat(new String(answer.body(), StandardCharsets.UTF_8))
                .isEqualTo("{\"message\":\"No such container: \\\"x\\\"\"}\n");
        assertThat(answer.headers().first("Content-Type")).contains("application/json");
        assertThat(answer.headers().first("Api-Version")).contains("1.51");
    }

    @Test
    void notModifiedHasNoBody() {
        var answer = errors.answer(new EngineException.NotModified("it already runs"));
        assertThat(answer.status()).isEqualTo(304);
        assertThat(answer.body()).isEmpty();
    }

    private int status(Throwable cause) {
        return errors.answer(cause).status();
    }
}
