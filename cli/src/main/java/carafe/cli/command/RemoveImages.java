package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;

/// `rmi`: names of images, and the images when they have no other.
final class RemoveImages {

    private RemoveImages() {}

    static Command command(String path) {
        var command = Command.of(path, "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images")
                .aliases("image rm", "image remove", "rmi").words(1, Command.ANY);
        command.flags().bool("f,force", "Force removal of the image");
        command.flags().bool("no-prune", "Do not delete untagged parents");
        return command.does(RemoveImages::run);
    }

    private static int run(Call call) throws Failure, EngineException.Invalid, IOException {
        boolean force = call.flags().truth("force");
        boolean fatal = false;
        var mistakes = new ArrayList<String>();
        for (var word : call.words()) {
            try {
                var answer = call.engine().delete(Target.of("images", word).when(force, "force")
                        .when(call.flags().truth("no-prune"), "noprune"));
                print(call, answer);
            } catch (EngineError e) {
                fatal |= !e.isNotFound();
                mistakes.add(e.sentence());
            }
        }
        for (var mistake : mistakes) {
            call.session().say(mistake);
        }
        return mistakes.isEmpty() || force && !fatal ? 0 : 1;
    }

    private static void print(Call call, Json answer) throws EngineException.Invalid, IOException {
        if (answer instanceof Json.Arr array) {
            for (var element : array.elements()) {
                if (element instanceof Json.Obj object) {
                    boolean deleted = !object.text("Deleted").isEmpty();
                    call.session().println(deleted ? "Deleted: " + object.text("Deleted")
                            : "Untagged: " + object.text("Untagged"));
                }
            }
        }
    }
}
