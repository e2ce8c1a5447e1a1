package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.cli.format.Human;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `image prune`: images that nothing uses.
final class PruneImages {

    private PruneImages() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS]", "Remove unused images");
        var flags = command.flags();
        flags.bool("a,all", "Remove all unused images, not just dangling ones");
        flags.add("filter", "filter", "Provide filter values (e.g. \"until=<timestamp>\")").checked(Values::filter);
        flags.bool("f,force", "Do not prompt for confirmation");
        return command.does(PruneImages::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        boolean all = call.flags().truth("all");
        String warning = all ? "WARNING! This will remove all images without at least one container associated to them."
                : "WARNING! This will remove all dangling images.";
        if (!call.flags().truth("force") && !Confirm.ask(call, warning)) {
            throw new Failure(1, "image prune has been cancelled");
        }
        var filters = new ArrayList<>(call.flags().list("filter"));
        filters.add("dangling=" + !all);
        var answer = call.engine().post(Filters.add(Target.of("images/prune"), filters), Json.object().build());
        var removed = answer.objects("ImagesDeleted");
        if (!removed.isEmpty()) {
            call.session().println("Deleted Images:");
            for (var each : removed) {
                boolean deleted = !each.text("Deleted").isEmpty();
                call.session().println(deleted ? "deleted: " + each.text("Deleted") : "untagged: " + each.text("Untagged"));
            }
            call.session().println("");
        }
        call.session().println("Total reclaimed space: " + Human.size(answer.number("SpaceReclaimed", 0), 4));
        return 0;
    }
}
