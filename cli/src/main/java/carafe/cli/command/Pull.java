package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.spec.EngineException;
import java.io.IOException;

/// `pull`: an image from a registry.
final class Pull {

    private Pull() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry")
                .aliases("image pull", "pull").words(1, 1);
        var flags = command.flags();
        flags.bool("a,all-tags", "Download all tagged images in the repository");
        flags.bool("disable-content-trust", "Skip image verification").otherwise("true");
        flags.text("platform", "Set platform if server is multi-platform capable");
        flags.bool("referrers", "Pull what refers to the image too: signatures, attestations");
        flags.bool("q,quiet", "Suppress verbose output");
        return command.does(Pull::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean quiet = call.flags().truth("quiet");
        boolean all = call.flags().truth("all-tags");
        String image = call.word(0);
        String wrong = ImageName.mistake(image);
        if (!wrong.isEmpty()) {
            throw new Failure(1, wrong);
        }
        if (all && ImageName.complete(image)) {
            throw new Failure(1, "tag can't be used with --all-tags/-a");
        }
        if (!all && !quiet && !ImageName.complete(image)) {
            call.session().println("Using default tag: latest");
        }
        Pulling.pull(call, new Pulling.Wanted(image, call.flags().text("platform"), all,
                call.flags().truth("referrers")), call.session().out(), quiet);
        String full = ImageName.full(image);
        call.session().println(all ? full.substring(0, full.lastIndexOf(':')) : full);
        return 0;
    }
}
