package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/// `push`: an image to a registry.
final class Push {

    private Push() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] NAME[:TAG]", "Upload an image to a registry")
                .aliases("image push", "push").words(1, 1);
        var flags = command.flags();
        flags.bool("a,all-tags", "Push all tags of an image to the repository");
        flags.bool("disable-content-trust", "Skip image signing").otherwise("true");
        flags.text("platform", "Push only the given platform's image, without the index. Formatted as "
                + "\"os[/arch[/variant]]\" (e.g., \"linux/amd64\")");
        flags.bool("referrers", "Push what refers to the image too: signatures, attestations");
        flags.bool("q,quiet", "Suppress verbose output");
        return command.does(Push::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean quiet = call.flags().truth("quiet");
        boolean all = call.flags().truth("all-tags");
        String image = call.word(0);
        if (image.startsWith("ssh://")) {
            throw new Failure(1, overSsh(image));
        }
        String wrong = ImageName.mistake(image);
        if (!wrong.isEmpty()) {
            throw new Failure(1, wrong);
        }
        if (all && ImageName.complete(image)) {
            throw new Failure(1, "tag can't be used with --all-tags/-a");
        }
        if (image.indexOf('@') >= 0) {
            throw new Failure(1, "cannot push a digest reference");
        }
        if (!all && !quiet && !ImageName.complete(image)) {
            call.session().println("Using default tag: latest");
        }
        var out = quiet ? OutputStream.nullOutputStream() : call.session().out();
        var target = all ? Target.of("images", image, "push") : target(image);
        push(call, target.when(call.flags().truth("referrers"), "referrers").given("platform", call.flags().text("platform")),
                image, out);
        if (quiet) {
            String full = ImageName.full(image);
            call.session().println(all ? full.substring(0, full.lastIndexOf(':')) : full);
        }
        return 0;
    }

    /// What does today what a push over ssh may do once (ADR 40).
    private static String overSsh(String address) {
        int slash = address.indexOf('/', "ssh://".length());
        String host = address.substring("ssh://".length(), slash < 0 ? address.length() : slash);
        String name = slash < 0 || slash == address.length() - 1 ? "NAME" : address.substring(slash + 1);
        int colon = host.lastIndexOf(':');
        String words = host.isEmpty() ? "HOST"
                : colon < 0 ? host : "-p " + host.substring(colon + 1) + " " + host.substring(0, colon);
        return "push goes to registries, not to hosts over ssh\n  try:  carafe save " + name + " | ssh " + words
                + " carafe load";
    }

    /// Pushes one tag of an image, `latest` where `image` has none, and shows on `out` how it goes.
    /// @return what the registry has now, by `Digest` and `Size`
    static Optional<Json.Obj> one(Call call, String image, OutputStream out)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        return push(call, target(image), image, out);
    }

    private static Target target(String image) {
        String tagged = ImageName.tagged(image);
        int colon = tagged.lastIndexOf(':');
        return Target.of("images", tagged.substring(0, colon), "push").given("tag", tagged.substring(colon + 1));
    }

    private static Optional<Json.Obj> push(Call call, Target target, String image, OutputStream out)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        String auth = call.credentials().header(ImageName.registry(image));
        try (var response = call.engine().openPost(target, auth); var messages = Json.stream(response.body())) {
            var progress = new Progress(call.session(), out, 1);
            progress.showAll(messages);
            return progress.result();
        }
    }
}
