package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Flags;
import carafe.cli.format.Tape;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// `--explain` and `--dry-run`: the system calls of a start, in words or as JSON.
final class Explaining {

    private final Call call;
    private final boolean dry;
    private final boolean wanted;
    private final boolean json;
    private Json.@Nullable Obj tape;

    private Explaining(Call call, boolean dry, boolean wanted, boolean json) {
        this.call = call;
        this.dry = dry;
        this.wanted = wanted;
        this.json = json;
    }

    static void flags(Flags flags) {
        flags.add("dry-run", "format", "Print the system calls that would start the container, and run nothing (\"json\")")
                .valueOptional();
        flags.add("explain", "format", "Print the system calls that started the container, with their times (\"json\")")
                .valueOptional();
    }

    static Explaining of(Call call) throws Failure {
        boolean dry = call.flags().given("dry-run");
        boolean wanted = call.flags().given("explain");
        String format = call.flags().text(dry ? "dry-run" : "explain");
        if (!format.isEmpty() && !format.equals("json") && !format.equals("text")) {
            throw Creating.failure(call.command(), "invalid format '" + format + "': must be \"text\" or \"json\"");
        }
        return new Explaining(call, dry, wanted, format.equals("json"));
    }

    boolean isDry() {
        return dry;
    }

    /// Asks for the tape of a container that would be made, prints it to standard output, makes none.
    int dryRun(Creating creating) throws Failure, EngineException.Invalid, IOException {
        try {
            var target = Target.of("carafe/v1/dry-run").given("name", creating.request().name())
                    .given("platform", creating.request().platform());
            tape = call.engine().postOwn(target, creating.body());
        } catch (EngineError e) {
            throw Creating.failure(call.command(), unsupported(e));
        }
        call.session().print(text(tape, 1));
        return 0;
    }

    /// Asks for the tape of a container that was just started, if it was asked for.
    void fetch(String id) throws Failure, IOException {
        if (!wanted) {
            return;
        }
        try {
            tape = call.engine().fetchOwn(Target.of("carafe/v1/containers", id, "tape"));
        } catch (EngineError e) {
            call.session().say("cannot explain: " + unsupported(e));
        }
    }

    /// Prints to standard error what [#fetch] got.
    void print() throws EngineException.Invalid, IOException {
        if (tape != null) {
            call.session().say(text(tape, 2).stripTrailing());
        }
    }

    private String text(Json.Obj steps, int stream) throws EngineException.Invalid {
        if (json) {
            return steps.printIndented("  ") + "\n";
        }
        boolean terminal = call.session().terminal().isTerminal(stream);
        return Tape.text(steps, terminal && call.session().variable("NO_COLOR").isEmpty(), Help.columns(call.session()));
    }

    private static String unsupported(EngineError error) {
        return error.isNotFound() && String.valueOf(error.getMessage()).contains("page not found")
                ? "this engine keeps no tape of its starts; only Carafe's does" : error.sentence();
    }
}
