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
        flags.bool("disable-content-trust", "Skip image verification").otherwise("true");
        flags.text("platform", "Set platform if server is multi-platform capable");
        flags.bool("q,quiet", "Suppress verbose output");
        return command.does(Pull::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean quiet = call.flags().truth("quiet");
        String image = call.word(0);
        if (!quiet && !ImageName.tagged(image).equals(image)) {
            call.session().println("Using default tag: latest");
        }
        Pulling.pull(call, image, call.flags().text("platform"), call.session().out(), quiet);
        call.session().println(ImageName.full(image));
        return 0;
    }
}
