package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;

/// `image copy`: from one registry to another with all platforms, nothing unpacked and nothing kept here.
final class CopyImage {

    private CopyImage() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] SOURCE TARGET",
                "Copy an image with all its platforms from one registry to another").words(2, 2);
        command.flags().bool("q,quiet", "Suppress verbose output");
        return command.does(CopyImage::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        for (String image : call.words()) {
            String wrong = ImageName.mistake(image);
            if (!wrong.isEmpty()) {
                throw new Failure(1, image + ": " + wrong);
            }
        }
        var credentials = call.credentials();
        var body = Json.object()
                .put("source", call.word(0))
                .put("sourceAuth", credentials.document(ImageName.registry(call.word(0))))
                .put("target", call.word(1))
                .put("targetAuth", credentials.document(ImageName.registry(call.word(1))))
                .build();
        var out = call.flags().truth("quiet") ? OutputStream.nullOutputStream() : call.session().out();
        try (var response = call.engine().openPostOwn(Target.of("carafe/v1/registry/copy"), body);
                var messages = Json.stream(response.body())) {
            new Progress(call.session(), out, 1).showAll(messages);
        }
        return 0;
    }
}
