package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.Table;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `top`: the processes of a container.
final class Top {

    private static final int COLUMN = 20;

    private Top() {}

    static Command command(String path) {
        var command = Command.of(path, "CONTAINER [ps OPTIONS]", "Display the running processes of a container")
                .aliases("container top", "top").words(1, Command.ANY);
        command.flags().stopAtFirstWord();
        return command.does(Top::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var target = Target.of("containers", call.word(0), "top")
                .given("ps_args", String.join(" ", call.words().subList(1, call.words().size())));
        var answer = call.engine().fetchObject(target);
        var text = new StringBuilder(String.join("\t", answer.texts("Titles"))).append('\n');
        for (var row : answer.list("Processes")) {
            var cells = new ArrayList<String>();
            if (row instanceof Json.Arr array) {
                for (var cell : array.elements()) {
                    cells.add(cell instanceof Json.Str value ? value.text() : cell.print());
                }
            }
            text.append(String.join("\t", cells)).append('\n');
        }
        call.session().print(Table.align(text.toString(), COLUMN, 3));
        return 0;
    }
}
