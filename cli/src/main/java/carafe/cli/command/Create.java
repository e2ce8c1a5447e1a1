package carafe.cli.command;

import carafe.cli.create.ContainerFlags;
import carafe.spec.EngineException;
import java.io.IOException;

/// `create`: a container that is not started.
final class Create {

    private Create() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container")
                .aliases("container create", "create")
                .words(1, Command.ANY);
        ContainerFlags.add(command.flags());
        command.flags().text("pull", "Pull image before creating (\"always\", \"|missing\", \"never\")").otherwise("missing");
        return command.does(Create::run);
    }

    private static int run(Call call) throws Failure, EngineException.Invalid, IOException {
        call.session().println(Creating.read(call, false).create());
        return 0;
    }
}
