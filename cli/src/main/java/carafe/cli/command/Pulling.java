package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;

/// Fetches an image through the engine and shows how that goes.
final class Pulling {

    private Pulling() {}

    /// What to pull: a name with its tag or digest, for a platform if one is said; or all tags of a name; with what refers
    /// to it, or alone.
    record Wanted(String image, String platform, boolean allTags, boolean referrers) {}

    /// Pulls; progress goes to `out`, the caller's standard stream number `stream`, unless `quiet`.
    static void pull(Call call, Wanted wanted, OutputStream out, boolean quiet)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        String image = wanted.image;
        int digest = image.indexOf('@');
        int colon = image.lastIndexOf(':');
        String name = digest > 0 ? image.substring(0, digest)
                : colon > image.lastIndexOf('/') ? image.substring(0, colon) : image;
        String tag = digest > 0 ? image.substring(digest + 1) : image.length() > name.length()
                ? image.substring(name.length() + 1) : wanted.allTags ? "" : "latest";
        var target = Target.of("images/create").with("fromImage", name).given("tag", tag)
                .given("platform", wanted.platform).when(wanted.referrers, "referrers");
        String auth = call.credentials().header(ImageName.registry(image));
        int stream = out == call.session().err() ? 2 : 1;
        var progress = new Progress(call.session(), quiet ? OutputStream.nullOutputStream() : out, stream);
        try (var response = call.engine().openPost(target, auth); var messages = Json.stream(response.body())) {
            progress.showAll(messages);
        }
    }

    /// Shows a stream of messages as `load` answers it.
    static void showAll(Call call, Json.Stream messages) throws Failure, EngineException.Invalid, IOException {
        new Progress(call.session(), call.session().out(), 1).showAll(messages);
    }
}
