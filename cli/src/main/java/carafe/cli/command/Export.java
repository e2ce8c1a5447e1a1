package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import java.io.IOException;

/// `export`: a container's files as a tar.
final class Export {

    private Export() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] CONTAINER", "Export a container's filesystem as a tar archive")
                .aliases("container export", "export").words(1, 1);
        command.flags().text("o,output", "Write to a file, instead of STDOUT");
        return command.does(Export::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        Archives.fetch(call, Target.of("containers", call.word(0), "export"), call.flags().text("output"));
        return 0;
    }
}
