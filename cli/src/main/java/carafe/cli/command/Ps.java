package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.cli.format.ContainerRow;
import carafe.cli.format.Listing;
import carafe.cli.template.TemplateException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// `ps`: the containers.
final class Ps {

    private Ps() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "List containers")
                .aliases("container ls", "container list", "container ps", "ps");
        var flags = command.flags();
        flags.bool("a,all", "Show all containers (default shows just running)");
        flags.add("f,filter", "filter", "Filter output based on conditions provided").checked(Values::filter);
        Formats.list(flags);
        flags.integer("n,last", -1, "Show n last created containers (includes all states)");
        flags.bool("l,latest", "Show the latest created container (includes all states)");
        flags.bool("no-trunc", "Don't truncate output");
        flags.bool("q,quiet", "Only display container IDs");
        flags.bool("s,size", "Display total file sizes");
        return command.does(Ps::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        var flags = call.flags();
        boolean quiet = flags.truth("quiet");
        String format = flags.text("format");
        if (format.isEmpty() && !quiet) {
            format = call.setting("psFormat");
        }
        if (!format.isEmpty()) {
            var nobody = new ContainerRow(Json.object().build(), false, call.session().clock().instant());
            shown(List.of(nobody), format, false); // a wrong field is said before the engine is asked
        }
        boolean size = flags.truth("size") || format.contains(".Size");
        long last = flags.truth("latest") ? 1 : flags.number("last");
        var target = Target.of("containers/json").when(flags.truth("all"), "all").when(size, "size");
        if (last > 0) {
            target.with("limit", last);
        }
        Filters.add(target, flags.list("filter"));
        var rows = new ArrayList<ContainerRow>();
        if (call.engine().get(target) instanceof Json.Arr array) {
            var now = call.session().clock().instant();
            for (var element : array.elements()) {
                if (element instanceof Json.Obj container) {
                    rows.add(new ContainerRow(container, flags.truth("no-trunc"), now));
                }
            }
        }
        if (quiet && format.isEmpty()) {
            format = "{{.ID}}";
        }
        call.session().print(shown(rows, format, flags.truth("size")));
        return 0;
    }

    private static String shown(List<ContainerRow> rows, String format, boolean size) throws Failure {
        List<String> columns = ContainerRow.COLUMNS;
        if (size) {
            columns = new ArrayList<>(columns);
            columns.add("Size");
        }
        try {
            return new Listing(ContainerRow.HEADERS, columns).show(format, rows);
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
    }
}
