package carafe.cli.command;

import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.cli.flag.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What `--call` and `--check` ask for: the word (`build`, `check`, `outline`, `targets`, `subrequests.describe`), whether the
/// answer is a JSON document, and whether it may say that something is wrong without the command failing.
record BuildCall(String word, boolean json, boolean ignoresStatus) {

    private static final String DESCRIBE = "subrequests.describe";
    private static final String VERSION = "1.0.0";
    private static final List<String> KNOWN = List.of(
            "outline", "List all parameters current build target supports",
            "targets", "List all targets current build supports",
            DESCRIBE, "List available subrequest types",
            "lint", "Lint a Dockerfile");

    /// Reads `check,format=json,ignorestatus=true`, as buildx. Source: util/buildflags/callfunc.go of buildx.
    static BuildCall of(Flags flags) throws Failure {
        String text = flags.text("call");
        String word = "";
        String format = "";
        boolean ignoresStatus = false;
        for (String field : text.split(",", -1)) {
            int equals = field.indexOf('=');
            String key = equals < 0 ? "" : field.substring(0, equals);
            String value = field.substring(equals + 1);
            switch (key) {
                case "format" -> format = value;
                case "ignorestatus" -> ignoresStatus = truth(text, value);
                case "" -> {
                    if (!word.isEmpty() || equals == 0) {
                        throw wrong(text, "it names more than one call");
                    }
                    word = field;
                }
                default -> throw wrong(text, "unexpected key '" + key + "': format and ignorestatus are known");
            }
        }
        if (!format.isEmpty() && !format.equals("json") && !format.equals("text")) {
            throw wrong(text, "unknown format \"" + format + "\": json and text are known");
        }
        if (flags.truth("check") || word.equals("lint")) {
            word = "check";
        }
        if (word.equals("help")) {
            word = DESCRIBE;
        }
        return new BuildCall(word.isEmpty() ? "build" : word, format.equals("json"), ignoresStatus);
    }

    private static boolean truth(String text, String value) throws Failure {
        try {
            return Values.bool(value).equals("true");
        } catch (FlagException e) {
            throw wrong(text, "ignorestatus=" + value + " is neither true nor false");
        }
    }

    private static Failure wrong(String text, String why) {
        return new Failure(1, "invalid call \"" + text + "\": " + why);
    }

    /// Whether it asks for something other than a build.
    boolean answers() {
        return !word.equals("build");
    }

    /// Which calls there are, if that is asked for. Source: frontend/subrequests of BuildKit, describe.go.
    Optional<String> described() {
        if (!word.equals(DESCRIBE)) {
            return Optional.empty();
        }
        var text = new StringBuilder("NAME                 VERSION DESCRIPTION\n");
        var all = new ArrayList<Json.Obj>();
        for (int i = 0; i < KNOWN.size(); i += 2) {
            String name = KNOWN.get(i);
            text.append(name).repeat(' ', DESCRIBE.length() + 1 - name.length()).append(VERSION).append("   ")
                    .append(KNOWN.get(i + 1)).append('\n');
            all.add(Json.object().put("name", "frontend." + name).put("version", VERSION).put("type", "rpc")
                    .put("description", KNOWN.get(i + 1)).build());
        }
        return Optional.of(json ? Json.ofAll(all).print() + "\n" : text.toString());
    }

    /// The command's exit code after `answer`, where `warned` says whether a check found something.
    int status(String answer, boolean warned) throws EngineException.Invalid {
        boolean broken = json && word.equals("check")
                && Json.parseObject(answer.getBytes(StandardCharsets.UTF_8)).find("buildError").isPresent();
        return (word.equals("check") && warned || broken) && !ignoresStatus ? 1 : 0;
    }
}
