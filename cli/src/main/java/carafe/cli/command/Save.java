package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import java.io.IOException;

/// `save`: images as an archive.
final class Save {

    private Save() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] IMAGE [IMAGE...]",
                "Save one or more images to a tar archive (streamed to STDOUT by default)")
                .aliases("image save", "save").words(1, Command.ANY);
        var flags = command.flags();
        flags.text("o,output", "Write to a file, instead of STDOUT");
        flags.text("platform", "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., "
                + "\"linux/amd64\")");
        return command.does(Save::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        var target = Target.of("images/get");
        call.words().forEach(name -> target.with("names", name));
        Archives.fetch(call, target.given("platform", call.flags().text("platform")), call.flags().text("output"));
        return 0;
    }
}
