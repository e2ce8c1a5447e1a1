package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import java.io.IOException;

/// `tag`: another name for an image.
final class Tag {

    private Tag() {}

    static Command command(String path) {
        return Command.of(path, "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
                "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE")
                .aliases("image tag", "tag").words(2, 2).does(Tag::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        String name = call.word(1);
        int colon = name.lastIndexOf(':');
        boolean tagged = colon > name.lastIndexOf('/');
        call.engine().post(Target.of("images", call.word(0), "tag")
                .with("repo", tagged ? name.substring(0, colon) : name)
                .with("tag", tagged ? name.substring(colon + 1) : "latest"));
        return 0;
    }
}
