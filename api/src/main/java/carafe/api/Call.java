package carafe.api;

import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.http.HttpException;
import carafe.http.Query;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// One request on its way through a route: what the path named, the query, the body, and the ways to answer.
final class Call {

    private static final int BODY_LIMIT = 4 << 20;
    private static final byte[] NOTHING = new byte[0];

    private final Exchange exchange;
    private final ApiVersion version;
    private final Map<String, String> names;
    private final Headers standard;
    private final Query query;

    Call(Exchange exchange, ApiVersion version, Map<String, String> names, Headers standard) throws HttpException {
        this.exchange = exchange;
        this.version = version;
        this.names = names;
        this.standard = standard;
        this.query = exchange.query();
    }

    Exchange exchange() {
        return exchange;
    }

    ApiVersion version() {
        return version;
    }

    Query query() {
        return query;
    }

    /// What stands at `{name}` of the route's path.
    String name(String name) {
        String value = names.get(name);
        if (value == null) {
            throw new AssertionError("the route has no {" + name + "}");
        }
        return value;
    }

    String text(String parameter) {
        return query.first(parameter).orElse("");
    }

    boolean flag(String parameter) {
        return query.flag(parameter);
    }

    /// A whole number in the query; empty when absent or empty.
    Optional<Long> number(String parameter) throws Invalid {
        String text = text(parameter).strip();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            throw new Invalid("invalid value \"" + text + "\" for parameter " + parameter + ": not a whole number");
        }
    }

    Filters filters() throws Invalid {
        return Filters.parse(text("filters"));
    }

    /// The body as an object; empty when there is none. Demands a JSON content type, as Docker does.
    Json.Obj body() throws IOException, EngineException {
        byte[] bytes = exchange.readBody(BODY_LIMIT);
        if (bytes.length == 0) {
            return Json.object().build();
        }
        String type = exchange.headers().first("Content-Type").orElse("");
        int semicolon = type.indexOf(';');
        String bare = (semicolon < 0 ? type : type.substring(0, semicolon)).strip();
        if (!bare.equalsIgnoreCase("application/json")) {
            throw new Invalid("unsupported Content-Type header (" + type + "): must be 'application/json'");
        }
        return switch (Json.parse(bytes)) {
            case Json.Obj object -> object;
            case Json.Null _ -> Json.object().build();
            default -> throw new Invalid("the body must be a JSON object");
        };
    }

    /// The body as a tar to be unpacked, which is abandoned when the client goes.
    SentTar sentTar() {
        return new SentTar(exchange.body(), exchange::clientGone);
    }

    /// Refuses a body, for requests that once had one.
    void refuseBody(String message) throws IOException, EngineException {
        byte[] bytes = exchange.readBody(BODY_LIMIT);
        String text = new String(bytes, StandardCharsets.UTF_8).strip();
        if (!text.isEmpty() && !text.equals("{}") && !text.equals("null")) {
            throw new Invalid(message);
        }
    }

    void answer(int status, Json json) throws IOException {
        var body = new java.io.ByteArrayOutputStream(1024);
        json.write(body);
        body.write('\n');
        exchange.respond(status, with("Content-Type", "application/json"), body.toByteArray());
    }

    void answer(Json json) throws IOException {
        answer(200, json);
    }

    void answerNothing(int status) throws IOException {
        exchange.respond(status, standard, NOTHING);
    }

    void answerText(String text) throws IOException {
        exchange.respond(200, with("Content-Type", "text/plain; charset=utf-8"), text.getBytes(StandardCharsets.UTF_8));
    }

    /// Answers 200 and sends the header at once; the body follows as it comes.
    OutputStream answerStreaming(String contentType) throws IOException {
        return answerStreaming(contentType, Map.of());
    }

    /// The same with further fields.
    OutputStream answerStreaming(String contentType, Map<String, String> fields) throws IOException {
        var headers = with("Content-Type", contentType).toBuilder();
        fields.forEach(headers::set);
        var out = exchange.respondStreaming(200, headers.build());
        out.flush();
        return out;
    }

    /// The standard fields and some more, as alternating names and values.
    Headers with(String... namesAndValues) {
        var builder = standard.toBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            builder.set(namesAndValues[i], namesAndValues[i + 1]);
        }
        return builder.build();
    }
}
