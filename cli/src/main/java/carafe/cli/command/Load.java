package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;

/// `load`: images from an archive.
final class Load {

    private Load() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Load an image from a tar archive or STDIN")
                .aliases("image load", "load");
        var flags = command.flags();
        flags.text("i,input", "Read from tar archive file, instead of STDIN");
        flags.text("platform", "Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., "
                + "\"linux/amd64\")");
        flags.bool("q,quiet", "Suppress the load output");
        return command.does(Load::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        String file = flags.text("input");
        if (file.isEmpty() && call.session().terminal().isTerminal(0)) {
            throw new Failure(1, "requested load from stdin, but stdin is empty");
        }
        boolean quiet = flags.truth("quiet") || !call.session().terminal().isTerminal(1);
        var target = Target.of("images/load").with("quiet", quiet ? "1" : "0")
                .given("platform", flags.text("platform"));
        try (InputStream archive = file.isEmpty() ? call.session().in() : call.session().files().read(call.session().path(file));
                var answer = call.engine().upload(target, archive);
                var messages = Json.stream(answer.body())) {
            Pulling.showAll(call, messages);
        }
        return 0;
    }
}
