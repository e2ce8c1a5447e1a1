package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import java.io.IOException;

/// `image tags`: the tags that an image has at its registry.
final class RemoteTags {

    private RemoteTags() {}

    static Command command(String path) {
        return Command.of(path, "NAME", "List the tags an image has at its registry").words(1, 1).does(RemoteTags::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String image = call.word(0);
        String wrong = ImageName.mistake(image);
        if (!wrong.isEmpty()) {
            throw new Failure(1, wrong);
        }
        var target = Target.of("carafe/v1/registry/tags").with("name", image);
        var answer = call.engine().fetchOwn(target, call.credentials().header(ImageName.registry(image)));
        for (String tag : answer.texts("tags")) {
            call.session().println(tag);
        }
        return 0;
    }
}
