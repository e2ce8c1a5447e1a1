package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import carafe.cli.format.CacheRow;
import carafe.cli.format.Human;
import carafe.cli.format.Listing;
import carafe.cli.template.TemplateException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// `builder prune` and `builder du`: what builds keep for later ones.
final class BuildCache {

    private static final List<String> SPACES = List.of("keep-storage", "reserved-space", "max-used-space", "min-free-space");

    private BuildCache() {}

    static Command prune(String path) {
        var command = Command.of(path, "[OPTIONS]", "Remove build cache").aliases("builder prune");
        var flags = command.flags();
        flags.bool("a,all", "Remove all build cache, cache mounts and what images share too");
        flags.list("filter", "Provide filter values (e.g. \"until=24h\")");
        flags.bool("f,force", "Do not prompt for confirmation");
        flags.text("keep-storage", "Amount of disk space to keep for cache");
        flags.text("max-used-space", "Maximum amount of disk space allowed to keep for cache");
        flags.text("min-free-space", "Target amount of free disk space after pruning");
        flags.text("reserved-space", "Amount of disk space always allowed to keep for cache");
        flags.bool("verbose", "Provide a more verbose output");
        return command.does(BuildCache::prune);
    }

    private static int prune(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        var session = call.session();
        if (!flags.truth("force")) {
            session.print("WARNING! This will remove " + (flags.truth("all") ? "all build cache"
                    : "all results of build steps that no image and no container needs")
                    + ". Are you sure you want to continue? [y/N] ");
            byte[] answer = new byte[16];
            int count = session.in().read(answer);
            String word = new String(answer, 0, Math.max(0, count), StandardCharsets.UTF_8).strip();
            if (!word.equalsIgnoreCase("y") && !word.equalsIgnoreCase("yes")) {
                return 0;
            }
        }
        var target = Filters.add(Target.of("build", "prune").when(flags.truth("all"), "all"), flags.list("filter"));
        for (String name : SPACES) {
            String size = flags.text(name);
            try {
                target = size.isEmpty() ? target : target.with(name, Values.size(size));
            } catch (FlagException e) {
                throw new Failure(1, "invalid size '" + size + "' of --" + name);
            }
        }
        Map<String, CacheRow> rows = new HashMap<>();
        if (flags.truth("verbose")) {
            for (var row : rows(call)) {
                rows.put(String.valueOf(row.field("ID", List.of())), row);
            }
        }
        var report = call.engine().post(target, Json.object().build());
        for (String id : report.texts("CachesDeleted")) {
            var row = rows.get(id);
            session.println(row == null ? id : row.details());
        }
        session.println("Total reclaimed space: " + Human.size(report.number("SpaceReclaimed", 0), 4));
        return 0;
    }

    static Command usage(String path) {
        var command = Command.of(path, "[OPTIONS]", "Disk usage of what builds keep").aliases("builder du");
        var flags = command.flags();
        flags.list("filter", "Provide filter values (e.g. \"until=24h\")");
        Formats.list(flags);
        flags.bool("verbose", "Provide a more verbose output");
        return command.does(BuildCache::usage);
    }

    private static List<CacheRow> rows(Call call) throws Failure, EngineError, IOException {
        var now = call.session().clock().instant();
        var rows = new ArrayList<CacheRow>();
        if (call.engine().get(Filters.add(Target.of("build", "cache"), call.flags().list("filter"))) instanceof Json.Arr array) {
            for (var element : array.elements()) {
                if (element instanceof Json.Obj record) {
                    rows.add(new CacheRow(record, now));
                }
            }
        }
        return rows.reversed();
    }

    private static int usage(Call call) throws Failure, EngineError, IOException {
        var session = call.session();
        String format = call.flags().text("format");
        boolean verbose = call.flags().truth("verbose");
        if (verbose && !format.isEmpty()) {
            throw new Failure(1, "--format and --verbose cannot be used together");
        }
        var rows = rows(call);
        try {
            if (verbose) {
                for (var row : rows) {
                    session.println(row.details());
                }
            } else {
                session.print(new Listing(CacheRow.HEADERS, CacheRow.COLUMNS).show(format, rows));
            }
        } catch (TemplateException e) {
            throw new Failure(1, e.getMessage());
        }
        if (format.isEmpty()) {
            session.print(CacheRow.summary(rows));
        }
        return 0;
    }
}
