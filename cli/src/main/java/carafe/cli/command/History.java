package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.format.HistoryRow;
import carafe.cli.format.Listing;
import carafe.cli.template.TemplateException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `history`: how an image came about.
final class History {

    private History() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] IMAGE", "Show the history of an image")
                .aliases("image history", "history").words(1, 1);
        var flags = command.flags();
        Formats.list(flags);
        flags.bool("H,human", "Print sizes and dates in human readable format").otherwise("true");
        flags.bool("no-trunc", "Don't truncate output");
        flags.bool("q,quiet", "Only show image IDs");
        return command.does(History::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        var flags = call.flags();
        var style = new HistoryRow.Style(flags.truth("no-trunc"), flags.truth("human"), call.session().clock().instant());
        var rows = new ArrayList<HistoryRow>();
        if (call.engine().get(Target.of("images", call.word(0), "history")) instanceof Json.Arr array) {
            for (var element : array.elements()) {
                if (element instanceof Json.Obj layer) {
                    rows.add(new HistoryRow(layer, style));
                }
            }
        }
        String format = flags.truth("quiet") && flags.text("format").isEmpty() ? "{{.ID}}" : flags.text("format");
        try {
            call.session().print(new Listing(HistoryRow.HEADERS, HistoryRow.COLUMNS).show(format, rows));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        return 0;
    }
}
