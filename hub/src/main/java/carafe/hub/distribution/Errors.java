package carafe.hub.distribution;

import carafe.hub.store.Refusal;
import carafe.http.Answer;
import carafe.http.ErrorMapper;
import carafe.http.Headers;
import carafe.http.HttpException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns refusals into the protocol's answers: a status number and `{"errors": […]}`. The only place with such numbers.
public final class Errors implements ErrorMapper {

    private static final Logger LOG = LoggerFactory.getLogger(Errors.class);

    /// Sent with every answer of the protocol.
    static final Headers STANDARD =
            Headers.of("Docker-Distribution-Api-Version", "registry/2.0", "X-Content-Type-Options", "nosniff");

    private static final int RETRY_SECONDS = 5;

    @Override
    public Answer answer(Throwable cause) {
        return switch (cause) {
            case Refusal refusal -> refused(refusal);
            case HttpException refused -> answer(refused.status(), wireCode(refused.status()), text(refused), Json.NULL);
            case InterruptedException _ -> answer(503, "UNAVAILABLE", "the hub is stopping", Json.NULL);
            case IOException broken -> {
                LOG.warn("a request failed: {}", text(broken));
                yield full(broken)
                        ? answer(507, "UNAVAILABLE", "no space is left on the hub's disk", Json.NULL)
                        : answer(500, "UNKNOWN", "the hub could not read or write its files; its log says more", Json.NULL);
            }
            default -> {
                LOG.error("a request failed by a fault of the hub", cause);
                yield answer(500, "UNKNOWN", "the hub has a fault; its log says more", Json.NULL);
            }
        };
    }

    private static Answer refused(Refusal refusal) {
        var answer = answer(status(refusal.reason()), code(refusal.reason()), refusal.getMessage(), refusal.detail());
        if (refusal.reason() == Refusal.Reason.TOO_MANY_REQUESTS) {
            var later = answer.headers().toBuilder().set("Retry-After", String.valueOf(RETRY_SECONDS)).build();
            return new Answer(answer.status(), later, answer.body());
        }
        return answer;
    }

    private static int status(Refusal.Reason reason) {
        return switch (reason) {
            case BLOB_UNKNOWN, BLOB_UPLOAD_UNKNOWN, MANIFEST_UNKNOWN, NAME_UNKNOWN, MANIFEST_BLOB_UNKNOWN -> 404;
            case BLOB_UPLOAD_INVALID, DIGEST_INVALID, MANIFEST_INVALID, NAME_INVALID, SIZE_INVALID,
                    PAGINATION_NUMBER_INVALID -> 400;
            case RANGE_INVALID -> 416;
            case MANIFEST_TOO_LARGE -> 413;
            case UNAUTHORIZED -> 401;
            case DENIED -> 403;
            case UNSUPPORTED -> 405;
            case TOO_MANY_REQUESTS -> 429;
            case UNAVAILABLE -> 503;
        };
    }

    private static String code(Refusal.Reason reason) {
        return switch (reason) {
            case RANGE_INVALID -> "BLOB_UPLOAD_INVALID";
            case MANIFEST_TOO_LARGE -> "MANIFEST_INVALID";
            case TOO_MANY_REQUESTS -> "TOOMANYREQUESTS";
            default -> reason.name();
        };
    }

    private static String wireCode(int status) {
        return switch (status) {
            case 413 -> "SIZE_INVALID";
            default -> "UNSUPPORTED";
        };
    }

    private static Answer answer(int status, String code, String message, Json detail) {
        var error = Json.object().put("code", code).put("message", message);
        if (!detail.equals(Json.NULL)) {
            error.put("detail", detail);
        }
        byte[] body = Json.object().put("errors", Json.ofAll(List.of(error.build()))).build().printBytes();
        return new Answer(status, STANDARD.toBuilder().set("Content-Type", "application/json").build(), body);
    }

    private static String text(Throwable cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private static boolean full(IOException cause) {
        return text(cause).contains("No space left on device") || text(cause).contains("quota exceeded");
    }

    @Override
    public void tooLate(Throwable cause) {
        LOG.warn("an answer broke off: {}", text(cause));
    }
}
