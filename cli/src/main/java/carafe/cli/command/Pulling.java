package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// Fetches an image through the engine and shows how that goes.
final class Pulling {

    private Pulling() {}

    /// Pulls `image`; progress goes to `out` unless `quiet`.
    static void pull(Call call, String image, String platform, OutputStream out, boolean quiet)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        int digest = image.indexOf('@');
        int colon = image.lastIndexOf(':');
        String name = digest > 0 ? image.substring(0, digest)
                : colon > image.lastIndexOf('/') ? image.substring(0, colon) : image;
        String tag = digest > 0 ? image.substring(digest + 1) : image.length() > name.length()
                ? image.substring(name.length() + 1) : "latest";
        var target = Target.of("images/create").with("fromImage", name).with("tag", tag).given("platform", platform);
        try (var response = call.engine().openPost(target); var messages = Json.stream(response.body())) {
            for (var next = messages.next(); next.isPresent(); next = messages.next()) {
                if (next.get() instanceof Json.Obj message) {
                    show(message, out, quiet);
                }
            }
        }
    }

    private static void show(Json.Obj message, OutputStream out, boolean quiet)
            throws Failure, EngineException.Invalid, IOException {
        String error = message.object("errorDetail").text("message", message.text("error"));
        if (!error.isEmpty()) {
            throw new Failure(1, error);
        }
        String line = message.text("stream");
        if (line.isEmpty() && !message.text("status").isEmpty() && message.object("progressDetail").fields().isEmpty()) {
            String id = message.text("id");
            line = (id.isEmpty() ? "" : id + ": ") + message.text("status") + "\n";
        }
        if (!quiet && !line.isEmpty()) {
            out.write(line.getBytes(StandardCharsets.UTF_8));
        }
    }

    /// Shows a stream of messages as `load` answers it.
    static void showAll(Json.Stream messages, OutputStream out, boolean quiet)
            throws Failure, EngineException.Invalid, IOException {
        for (var next = messages.next(); next.isPresent(); next = messages.next()) {
            if (next.get() instanceof Json.Obj message) {
                show(message, out, quiet);
            }
        }
    }
}
