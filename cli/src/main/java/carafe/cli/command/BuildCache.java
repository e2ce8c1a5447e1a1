package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import carafe.cli.format.Human;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// `builder prune`: what builds keep for later ones.
final class BuildCache {

    private BuildCache() {}

    static Command prune(String path) {
        var command = Command.of(path, "[OPTIONS]", "Remove build cache").aliases("builder prune");
        var flags = command.flags();
        flags.bool("a,all", "Remove all build cache, cache mounts too");
        flags.list("filter", "Provide filter values (e.g. \"until=24h\")");
        flags.bool("f,force", "Do not prompt for confirmation");
        flags.text("keep-storage", "Amount of disk space to keep for cache");
        return command.does(BuildCache::prune);
    }

    private static int prune(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        var session = call.session();
        if (!flags.truth("force")) {
            session.print("WARNING! This will remove " + (flags.truth("all") ? "all build cache" : "all build steps' results")
                    + ". Are you sure you want to continue? [y/N] ");
            byte[] answer = new byte[16];
            int count = session.in().read(answer);
            String word = new String(answer, 0, Math.max(0, count), StandardCharsets.UTF_8).strip();
            if (!word.equalsIgnoreCase("y") && !word.equalsIgnoreCase("yes")) {
                return 0;
            }
        }
        var target = Filters.add(Target.of("build", "prune").when(flags.truth("all"), "all"), flags.list("filter"));
        String keep = flags.text("keep-storage");
        if (!keep.isEmpty()) {
            try {
                target = target.with("keep-storage", Values.size(keep));
            } catch (FlagException e) {
                throw new Failure(1, "invalid size '" + keep + "' of --keep-storage");
            }
        }
        var report = call.engine().post(target, Json.object().build());
        for (String id : report.texts("CachesDeleted")) {
            session.println(id);
        }
        session.println("Total reclaimed space: " + Human.size(report.number("SpaceReclaimed", 0), 4));
        return 0;
    }
}
