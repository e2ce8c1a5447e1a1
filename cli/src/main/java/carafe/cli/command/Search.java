package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.cli.format.Listing;
import carafe.cli.format.SearchRow;
import carafe.cli.template.TemplateException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `search`: repositories of Docker Hub, or of the registry that the term begins with.
final class Search {

    private Search() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] TERM", "Search Docker Hub for images").words(1, 1);
        var flags = command.flags();
        flags.add("f,filter", "filter", "Filter output based on conditions provided").checked(Values::filter);
        flags.text("format", "Pretty-print search using a Go template");
        flags.integer("limit", 0, "Max number of search results");
        flags.bool("no-trunc", "Don't truncate output");
        return command.does(Search::run);
    }

    private static int run(Call call) throws Failure, EngineError, IOException {
        var flags = call.flags();
        String term = call.word(0);
        int slash = term.indexOf('/');
        String first = slash < 0 ? "" : term.substring(0, slash);
        boolean named = first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost");
        var target = Target.of("images/search").with("term", term);
        if (flags.number("limit") > 0) {
            target = target.with("limit", flags.number("limit"));
        }
        target = Filters.add(target, flags.list("filter"));
        var rows = new ArrayList<SearchRow>();
        if (call.engine().get(target, call.credentials().header(named ? first : "docker.io")) instanceof Json.Arr found) {
            for (var element : found.elements()) {
                if (element instanceof Json.Obj each) {
                    rows.add(new SearchRow(each, flags.truth("no-trunc")));
                }
            }
        }
        try {
            call.session().print(new Listing(SearchRow.HEADERS, SearchRow.COLUMNS).show(flags.text("format"), rows));
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        return 0;
    }
}
