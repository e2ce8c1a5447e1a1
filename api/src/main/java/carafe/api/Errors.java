package carafe.api;

import carafe.http.Answer;
import carafe.http.ErrorMapper;
import carafe.http.Headers;
import carafe.http.HttpException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns errors into Docker's answers: a status number and `{"message": …}`. The only place with such numbers.
final class Errors implements ErrorMapper {

    private static final Logger LOG = LoggerFactory.getLogger(Errors.class);

    private final Headers standard;

    Errors(Headers standard) {
        this.standard = standard;
    }

    @Override
    public Answer answer(Throwable cause) {
        int status = switch (cause) {
            case EngineException known -> status(known);
            case HttpException refused -> refused.status();
            case IOException _ -> 500; // a client's stream broke; it will hardly read this
            case InterruptedException _ -> 503;
            default -> {
                LOG.error("a request failed by a fault of the engine", cause);
                yield 500;
            }
        };
        if (status == 304) {
            return new Answer(status, standard, new byte[0]);
        }
        String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        byte[] body = (Json.object().put("message", message).build().print() + "\n")
                .getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return new Answer(status, standard.toBuilder().set("Content-Type", "application/json").build(), body);
    }

    private static int status(EngineException cause) {
        return switch (cause) {
            case EngineException.Invalid _ -> 400;
            case EngineException.NotFound _ -> 404;
            case EngineException.Conflict _ -> 409;
            case EngineException.NotModified _ -> 304;
            case EngineException.Forbidden _ -> 403;
            case EngineException.Unavailable _ -> 503;
            case EngineException.Unsupported _ -> 501;
            case EngineException.Internal _ -> 500;
        };
    }
}
