package carafe.build.dockerfile;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Tells the parts of a statement apart.
final class InstructionParser {

    private static final List<String> KEYWORDS = List.of("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE",
            "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
            "WORKDIR");
    private static final List<String> RUN_FLAGS = List.of("mount", "network", "security", "device");

    private final char escape;

    InstructionParser(char escape) {
        this.escape = escape;
    }

    Step step(Statement statement) throws DockerfileException {
        var text = new StringBuilder(statement.keyword().toUpperCase(Locale.ROOT));
        statement.flags().forEach(flag -> text.append(' ').append(flag.text()));
        if (!statement.rest().isEmpty()) {
            text.append(' ').append(statement.rest());
        }
        return new Step(instruction(statement), text.toString(), statement.span(), statement.keyword(),
                statement.comments());
    }

    private Instruction instruction(Statement statement) throws DockerfileException {
        String keyword = statement.keyword().toUpperCase(Locale.ROOT);
        if (!KEYWORDS.contains(keyword)) {
            throw new DockerfileException(statement.span(), "unknown instruction: " + statement.keyword()
                    + Nearest.of(keyword, KEYWORDS).map(near -> " (did you mean " + near + "?)").orElse(""));
        }
        if (statement.rest().isEmpty() && !keyword.equals("CMD") && !keyword.equals("ENTRYPOINT")) {
            throw new DockerfileException(statement.span(), keyword + " requires at least one argument");
        }
        var flags = new Flags(statement);
        var made = switch (keyword) {
            case "FROM" -> from(statement, flags);
            case "RUN" -> run(statement, flags);
            case "COPY" -> new Instruction.Copy(new TransferParser(statement, flags, false).read());
            case "ADD" -> new Instruction.Add(new TransferParser(statement, flags, true).read());
            case "HEALTHCHECK" -> new HealthcheckParser(statement, flags).read();
            default -> plain(keyword, statement);
        };
        flags.end(switch (keyword) {
            case "FROM" -> List.of("platform");
            case "RUN" -> RUN_FLAGS;
            case "COPY", "ADD" -> TransferParser.FLAGS;
            case "HEALTHCHECK" -> HealthcheckParser.FLAGS;
            default -> List.of();
        });
        return made;
    }

    private Instruction plain(String keyword, Statement statement) throws DockerfileException {
        String rest = statement.rest();
        return switch (keyword) {
            case "ARG" -> new Instruction.Arg(arguments(statement));
            case "ENV" -> new Instruction.Env(pairs(statement), isLegacy(statement));
            case "LABEL" -> new Instruction.Label(pairs(statement), isLegacy(statement));
            case "CMD" -> new Instruction.Cmd(command(statement));
            case "ENTRYPOINT" -> new Instruction.Entrypoint(command(statement));
            case "SHELL" -> shell(statement);
            case "WORKDIR" -> new Instruction.Workdir(rest);
            case "USER" -> new Instruction.User(rest);
            case "STOPSIGNAL" -> new Instruction.StopSignal(single(statement));
            case "MAINTAINER" -> new Instruction.Maintainer(rest);
            case "EXPOSE" -> new Instruction.Expose(Words.fields(rest));
            case "VOLUME" -> new Instruction.Volume(volumes(statement));
            case "ONBUILD" -> onBuild(statement);
            default -> throw new AssertionError(keyword);
        };
    }

    private static Instruction from(Statement statement, Flags flags) throws DockerfileException {
        var words = Words.fields(statement.rest());
        boolean named = words.size() == 3 && words.get(1).equalsIgnoreCase("as");
        if (words.size() != 1 && !named) {
            throw new DockerfileException(statement.span(),
                    "FROM requires either one or three arguments: FROM image [AS name]");
        }
        Optional<String> name = named ? Optional.of(words.get(2).toLowerCase(Locale.ROOT)) : Optional.empty();
        if (name.isPresent() && !name.get().matches("[a-z][a-z0-9-_.]*")) {
            throw new DockerfileException(statement.span(), "invalid name for build stage: \"" + words.get(2)
                    + "\", name can't start with a number or contain symbols");
        }
        return new Instruction.From(words.getFirst(), flags.text("platform"), name);
    }

    private Instruction run(Statement statement, Flags flags) throws DockerfileException {
        var mounts = flags.texts("mount");
        var network = flags.text("network");
        if (network.isPresent() && !List.of("default", "none", "host").contains(network.get())
                && !network.get().contains("$")) {
            throw new DockerfileException(statement.span(), "invalid network mode " + network.get()
                    + ": default, none and host are known");
        }
        var security = flags.text("security");
        if (security.isPresent() && !List.of("sandbox", "insecure").contains(security.get())) {
            throw new DockerfileException(statement.span(), "security \"" + security.get()
                    + "\" is not valid: sandbox and insecure are known");
        }
        return new Instruction.Run(command(statement), mounts, network, security, flags.texts("device"));
    }

    private CommandLine command(Statement statement) throws DockerfileException {
        var exec = jsonTexts(statement);
        if (exec.isPresent()) {
            return new CommandLine(true, exec.get(), statement.heredocs());
        }
        return new CommandLine(false, statement.rest().isEmpty() ? List.of() : List.of(statement.rest()),
                statement.heredocs());
    }

    /// The texts of a JSON array; empty when the arguments are none, as what only looks like one is for the shell.
    static Optional<List<String>> jsonTexts(Statement statement) throws DockerfileException {
        if (!statement.rest().startsWith("[")) {
            return Optional.empty();
        }
        Json json;
        try {
            json = Json.parse(statement.rest().getBytes(StandardCharsets.UTF_8));
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
        if (!(json instanceof Json.Arr(List<Json> elements))) {
            return Optional.empty();
        }
        var texts = new ArrayList<String>();
        for (var element : elements) {
            if (!(element instanceof Json.Str(String text))) {
                throw new DockerfileException(statement.span(),
                        "when using JSON array syntax, arrays must be comprised of strings only");
            }
            texts.add(text);
        }
        return Optional.of(texts);
    }

    private Instruction shell(Statement statement) throws DockerfileException {
        var words = jsonTexts(statement).orElseThrow(() -> new DockerfileException(statement.span(),
                "SHELL requires the arguments to be in JSON form: SHELL [\"executable\", \"parameter\"]"));
        if (words.isEmpty()) {
            throw new DockerfileException(statement.span(), "SHELL requires at least one argument");
        }
        return new Instruction.Shell(words);
    }

    private static String single(Statement statement) throws DockerfileException {
        if (Words.fields(statement.rest()).size() != 1) {
            throw new DockerfileException(statement.span(), statement.keyword().toUpperCase(Locale.ROOT)
                    + " requires exactly one argument");
        }
        return statement.rest();
    }

    private static List<String> volumes(Statement statement) throws DockerfileException {
        var paths = jsonTexts(statement).orElseGet(() -> Words.fields(statement.rest()));
        if (paths.isEmpty() || paths.stream().anyMatch(String::isBlank)) {
            throw new DockerfileException(statement.span(), "VOLUME specified can not be an empty string");
        }
        return paths;
    }

    private Instruction onBuild(Statement statement) throws DockerfileException {
        String trigger = statement.flags().isEmpty() ? statement.rest() : "";
        String word = trigger.split("\\s", 2)[0].toUpperCase(Locale.ROOT);
        if (word.equals("ONBUILD")) {
            throw new DockerfileException(statement.span(), "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
        }
        if (word.equals("FROM") || word.equals("MAINTAINER")) {
            throw new DockerfileException(statement.span(), word + " isn't allowed as an ONBUILD trigger");
        }
        var text = new StringBuilder(trigger);
        for (var heredoc : statement.heredocs()) {
            text.append('\n').append(heredoc.content()).append(heredoc.name());
        }
        var inner = Flags.split(trigger.substring(Math.min(trigger.length(), word.length())));
        step(new Statement(word, inner.flags(), inner.rest(), statement.heredocs(), statement.span(), List.of()));
        return new Instruction.OnBuild(text.toString());
    }

    private List<String> words(Statement statement) throws DockerfileException {
        try {
            return Words.raw(statement.rest(), escape);
        } catch (WordException e) {
            throw new DockerfileException(statement.span(), e.getMessage());
        }
    }

    private boolean isLegacy(Statement statement) throws DockerfileException {
        return words(statement).getFirst().indexOf('=') < 0;
    }

    private List<KeyValue> pairs(Statement statement) throws DockerfileException {
        String keyword = statement.keyword().toUpperCase(Locale.ROOT);
        var words = words(statement);
        if (isLegacy(statement)) {
            String[] halves = statement.rest().split("\\s+", 2);
            if (halves.length < 2) {
                throw new DockerfileException(statement.span(), keyword + " must have two arguments");
            }
            return List.of(new KeyValue(halves[0], Optional.of(halves[1])));
        }
        var pairs = new ArrayList<KeyValue>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals < 0) {
                throw new DockerfileException(statement.span(), "can't find = in \"" + word
                        + "\". Must be of the form: name=value");
            }
            if (equals == 0) {
                throw new DockerfileException(statement.span(), keyword + " names can not be blank");
            }
            pairs.add(new KeyValue(word.substring(0, equals), Optional.of(word.substring(equals + 1))));
        }
        return pairs;
    }

    private List<KeyValue> arguments(Statement statement) throws DockerfileException {
        var arguments = new ArrayList<KeyValue>();
        for (String word : words(statement)) {
            int equals = word.indexOf('=');
            if (equals == 0) {
                throw new DockerfileException(statement.span(), "ARG names can not be blank");
            }
            arguments.add(equals < 0 ? new KeyValue(word, Optional.empty())
                    : new KeyValue(word.substring(0, equals), Optional.of(word.substring(equals + 1))));
        }
        return arguments;
    }
}
