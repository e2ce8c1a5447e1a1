package carafe.registry;

import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Locale;

/// Makes a sentence of a server's refusal. However much it says, little is read, and less is quoted.
/// Source: OCI distribution-spec, "Error Codes".
final class Refusal {

    private static final int READ = 64 << 10;
    private static final int QUOTED = 300;

    private Refusal() {}

    /// The refusal in `response`, which is closed. `what` says what was tried: `pull localhost:5000/x`.
    static EngineException of(String what, ClientResponse response) {
        int status = response.status();
        String sentence = what + ": " + reason(response);
        return switch (status) {
            case 401, 403 -> new EngineException.Forbidden(sentence);
            case 404, 410 -> new EngineException.NotFound(sentence);
            case 405, 501 -> new EngineException.Unsupported(sentence);
            case 409, 412 -> new EngineException.Conflict(sentence);
            case 408, 425, 429 -> new EngineException.Unavailable(sentence);
            default -> status >= 500 || status < 400
                    ? new EngineException.Unavailable(sentence) : new EngineException.Invalid(sentence);
        };
    }

    /// What the server says, in one line; closes the response.
    static String reason(ClientResponse response) {
        String type = response.headers().first("Content-Type").orElse("").toLowerCase(Locale.ROOT);
        byte[] body;
        try (response) {
            body = response.body().readNBytes(READ);
        } catch (IOException e) {
            body = new byte[0]; // the status is all there is
        }
        String fallback = switch (response.status()) {
            case 401 -> "unauthorized: authentication required";
            case 403 -> "denied: requested access to the resource is denied";
            default -> "the server answered with status " + response.status();
        };
        if (type.startsWith("text/html")) {
            return fallback + " and a web page";
        }
        try {
            String told = errors(Json.parseObject(body));
            return told.isEmpty() ? fallback : clean(told);
        } catch (EngineException.Invalid e) {
            String text = clean(new String(body, StandardCharsets.UTF_8));
            return text.isEmpty() ? fallback : fallback + ": " + text;
        }
    }

    private static String errors(Json.Obj json) throws EngineException.Invalid {
        var told = new ArrayList<String>();
        for (var error : json.objects("errors")) {
            String code = error.text("code").toLowerCase(Locale.ROOT).replace('_', ' ');
            String message = error.text("message");
            told.add(code.isEmpty() ? message : message.isEmpty() ? code : code + ": " + message);
        }
        if (told.isEmpty()) {
            String text = json.text("details", json.text("message", json.text("error_description")));
            return text.isEmpty() && json.find("error").isPresent() ? json.text("error") : text;
        }
        return String.join("; ", told);
    }

    private static String clean(String text) {
        var line = new StringBuilder();
        for (int i = 0; i < text.length() && line.length() < QUOTED; i++) {
            char c = text.charAt(i);
            line.append(c < ' ' || c == 0x7f ? ' ' : c);
        }
        return line.toString().strip();
    }
}
