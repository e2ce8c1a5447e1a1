package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `inspect`: everything the engine knows about an object.
final class Inspect {

    private static final String[] TYPES = {"container", "image", "network", "volume"};

    private Inspect() {}

    /// `type` is that of the group, empty for the command that looks for any.
    static Command command(String path, String type) {
        var command = type.isEmpty()
                ? Command.of(path, "[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on Carafe objects")
                : type.equals("container")
                ? Command.of(path, "[OPTIONS] CONTAINER [CONTAINER...]",
                        "Display detailed information on one or more containers")
                : type.equals("volume")
                ? Command.of(path, "[OPTIONS] VOLUME [VOLUME...]",
                        "Display detailed information on one or more volumes")
                : type.equals("network")
                ? Command.of(path, "[OPTIONS] NETWORK [NETWORK...]",
                        "Display detailed information on one or more networks")
                : Command.of(path, "[OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images");
        command.words(1, Command.ANY);
        var flags = command.flags();
        Formats.document(flags, "f,format");
        if (type.equals("network")) {
            flags.bool("v,verbose", "Verbose output for diagnostics");
        } else if (type.isEmpty() || type.equals("container")) {
            flags.bool("s,size", type.isEmpty() ? "Display total file sizes if the type is container"
                    : "Display total file sizes");
        }
        if (type.equals("image")) {
            flags.text("platform", "Inspect a specific platform of the multi-platform image. Formatted as \"os[/arch[/variant]]\""
                    + " (e.g., \"linux/amd64\")");
        }
        if (type.isEmpty()) {
            flags.text("type", "Only inspect objects of the given type");
        } else {
            flags.text("type", "").otherwise(type).hidden();
        }
        return command.does(Inspect::run);
    }

    private static int run(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        String type = call.flags().text("type");
        if (!type.isEmpty() && !List.of(TYPES).contains(type)) {
            throw new Failure(1, "unknown type: " + Values.quote(type)
                    + ": must be one of \"container\", \"image\", \"network\", \"volume\"");
        }
        var found = new ArrayList<Json>();
        var mistakes = new ArrayList<String>();
        for (var word : call.words()) {
            try {
                Json object = type.isEmpty() ? search(call, word) : one(call, type, word);
                if (object == null) {
                    mistakes.add("Error: No such object: " + word);
                } else {
                    found.add(object);
                }
            } catch (EngineError e) {
                mistakes.add(e.sentence());
            }
        }
        print(call, found);
        for (var mistake : mistakes) {
            call.session().say(mistake);
        }
        return mistakes.isEmpty() ? 0 : 1;
    }

    private static void print(Call call, ArrayList<Json> found) throws Failure, IOException {
        String format = call.flags().text("format");
        if (format.isEmpty()) {
            call.session().println(Json.ofAll(found).printIndented("    "));
            return;
        }
        for (var object : found) {
            call.session().println(Documents.show(format, object, "template parsing error: "));
        }
    }

    private static @Nullable Json search(Call call, String word) throws Failure, EngineError, IOException {
        for (var type : TYPES) {
            try {
                return one(call, type, word);
            } catch (EngineError e) {
                if (!e.isNotFound()) {
                    throw e;
                }
            }
        }
        return null;
    }

    private static Json one(Call call, String type, String word) throws Failure, EngineError, IOException {
        boolean size = call.flags().exists("size") && call.flags().truth("size");
        return call.engine().get(switch (type) {
            case "container" -> Target.of("containers", word, "json").when(size, "size");
            case "image" -> Target.of("images", word, "json").given("platform",
                    call.flags().exists("platform") ? call.flags().text("platform") : "");
            case "network" -> Target.of("networks", word);
            default -> Target.of("volumes", word);
        });
    }
}
