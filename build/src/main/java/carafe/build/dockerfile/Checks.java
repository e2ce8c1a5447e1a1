package carafe.build.dockerfile;

import carafe.spec.EngineException;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// The build checks that need nothing but the Dockerfile. Those that need a stage's variables or the context's ignore
/// file are made where stages are planned.
final class Checks {

    private static final Pattern SECRET = Pattern.compile("(?i)(^|.*_)(apikey|auth|credential|credentials|key|password"
            + "|pword|passwd|secret|token)(_.*|$)");
    private static final Pattern PUBLIC = Pattern.compile("(?i)(^|.*_)(public)(_.*|$)");

    private final Directives directives;
    private final List<Finding> findings = new ArrayList<>();

    private Checks(Directives directives) {
        this.directives = directives;
    }

    static List<Finding> of(List<Step> globals, List<Stage> stages, Directives directives) {
        var checks = new Checks(directives);
        checks.casing(globals, stages);
        checks.globalArguments(globals, stages);
        var names = new HashSet<String>();
        for (var stage : stages) {
            checks.from(stage, names);
            checks.stage(stage, stages);
        }
        checks.findings.removeIf(finding -> !directives.wants(finding.rule()));
        return checks.findings;
    }

    private void add(Rule rule, String message, Step at, String fix) {
        findings.add(new Finding(rule, message, at.span(), fix));
    }

    private void casing(List<Step> globals, List<Stage> stages) {
        var all = new ArrayList<>(globals);
        for (var stage : stages) {
            all.add(stage.from());
            all.addAll(stage.steps());
        }
        long lower = all.stream().filter(step -> isLower(step.keyword())).count();
        long upper = all.stream().filter(step -> isUpper(step.keyword())).count();
        boolean majorityLower = lower > upper;
        for (var step : all) {
            boolean fits = majorityLower ? isLower(step.keyword()) : isUpper(step.keyword());
            if (!fits) {
                String wanted = majorityLower ? step.keyword().toLowerCase(Locale.ROOT)
                        : step.keyword().toUpperCase(Locale.ROOT);
                add(Rule.CONSISTENT_INSTRUCTION_CASING, "Command '" + step.keyword() + "' should match the case of the "
                        + "command majority (" + (majorityLower ? "lowercase" : "uppercase") + ")", step, wanted);
            }
        }
    }

    private static boolean isLower(String word) {
        return word.equals(word.toLowerCase(Locale.ROOT));
    }

    private static boolean isUpper(String word) {
        return word.equals(word.toUpperCase(Locale.ROOT));
    }

    private void globalArguments(List<Step> globals, List<Stage> stages) {
        Map<String, String> defaults = new HashMap<>();
        var declared = new HashSet<>(PlatformArguments.NAMES);
        for (var step : globals) {
            if (step.instruction() instanceof Instruction.Arg(var arguments)) {
                for (var argument : arguments) {
                    declared.add(argument.key());
                    var expansion = new Expansion(directives.escape(), name -> Optional.ofNullable(defaults.get(name)));
                    try {
                        defaults.put(argument.key(), expansion.word(argument.value().orElse("")));
                    } catch (WordException e) {
                        defaults.put(argument.key(), "");
                    }
                    secret("ARG", argument.key(), step);
                }
                description(step, arguments.getFirst().key(), "ARG");
            }
        }
        for (var stage : stages) {
            fromArguments(stage, declared, defaults);
        }
    }

    private void fromArguments(Stage stage, HashSet<String> declared, Map<String, String> defaults) {
        String image = stage.base().image();
        var used = new HashSet<String>();
        var expansion = new Expansion(directives.escape(), name -> {
            used.add(name);
            return Optional.ofNullable(defaults.get(name));
        });
        try {
            String value = expansion.word(image);
            boolean undeclared = false;
            for (String name : used) {
                if (!declared.contains(name)) {
                    undeclared = true;
                    add(Rule.UNDEFINED_ARG_IN_FROM, "FROM argument '" + name + "' is not declared"
                            + Nearest.of(name, declared).map(near -> " (did you mean " + near + "?)").orElse(""),
                            stage.from(), "ARG " + name + "=... before the first FROM");
                }
            }
            if (!undeclared && !used.isEmpty() && !isReference(value)) {
                add(Rule.INVALID_DEFAULT_ARG_IN_FROM, "Default value for ARG " + image
                        + " results in empty or invalid base image name", stage.from(),
                        "give " + String.join(", ", used) + " a default that names an image");
            }
        } catch (WordException e) {
            // the planner refuses it
        }
    }

    private static boolean isReference(String text) {
        try {
            Reference.parse(text);
            return true;
        } catch (EngineException.Invalid e) {
            return false;
        }
    }

    private void from(Stage stage, HashSet<String> names) {
        String[] words = stage.from().text().split("\\s+");
        if (stage.base().name().isPresent()) {
            String as = words[words.length - 2];
            String name = words[words.length - 1];
            if (isLower(as) != isLower(stage.from().keyword())) {
                add(Rule.FROM_AS_CASING, "'" + as + "' and '" + stage.from().keyword() + "' keywords' casing do not "
                        + "match", stage.from(), isLower(stage.from().keyword()) ? "as" : "AS");
            }
            if (!isLower(name)) {
                add(Rule.STAGE_NAME_CASING, "Stage name '" + name + "' should be lowercase", stage.from(),
                        name.toLowerCase(Locale.ROOT));
            }
            String lower = stage.base().name().get();
            if (lower.equals("scratch") || lower.equals("context")) {
                add(Rule.RESERVED_STAGE_NAME, "Stage name should not use the same name as reserved stage \"" + lower
                        + "\"", stage.from(), "another name");
            }
            if (!names.add(lower)) {
                add(Rule.DUPLICATE_STAGE_NAME, "Duplicate stage name '" + name + "', stage names should be unique",
                        stage.from(), "another name");
            }
            description(stage.from(), lower, "build stage");
        }
        stage.base().platform().ifPresent(platform -> platform(stage, platform));
    }

    private void platform(Stage stage, String platform) {
        if (platform.equals("$TARGETPLATFORM") || platform.equals("${TARGETPLATFORM}")) {
            add(Rule.REDUNDANT_TARGET_PLATFORM, "Setting platform to predefined $TARGETPLATFORM in FROM is redundant "
                    + "as this is the default behavior", stage.from(), "FROM " + stage.base().image());
        } else if (platform.indexOf('$') < 0) {
            add(Rule.FROM_PLATFORM_FLAG_CONST_DISALLOWED, "FROM --platform flag should not use constant value \""
                    + platform + "\"", stage.from(), "build with --platform " + platform + ", or use $BUILDPLATFORM");
        }
    }

    /// A comment directly above that begins like a description must name what it stands above.
    private void description(Step step, String name, String kind) {
        if (step.comments().isEmpty()) {
            return;
        }
        String comment = step.comments().getLast();
        String first = comment.split("\\s+", 2)[0];
        if (!first.equalsIgnoreCase(name)) {
            add(Rule.INVALID_DEFINITION_DESCRIPTION, "Comment for " + kind + " should follow the format: `# " + name
                    + " <description>`", step, "# " + name + " " + comment);
        }
    }

    private void stage(Stage stage, List<Stage> stages) {
        boolean shell = hasShell(stage, stages, 0);
        boolean placed = hasWorkdir(stage, stages, 0);
        var seen = new HashSet<String>();
        for (var step : stage.steps()) {
            switch (step.instruction()) {
                case Instruction.Cmd(var command) -> command("CMD", command, step, seen, shell);
                case Instruction.Entrypoint(var command) -> command("ENTRYPOINT", command, step, seen, shell);
                case Instruction.Health _ -> once("HEALTHCHECK", step, seen);
                case Instruction.Shell _ -> shell = true;
                case Instruction.Maintainer(var name) -> add(Rule.MAINTAINER_DEPRECATED,
                        "Maintainer instruction is deprecated in favor of using label", step,
                        "LABEL org.opencontainers.image.authors=\"" + name + "\"");
                case Instruction.Workdir(var path) -> {
                    if (!placed && !path.startsWith("/") && !path.startsWith("$")) {
                        add(Rule.WORKDIR_RELATIVE_PATH, "Relative workdir '" + path
                                + "' can have unexpected results if the base image changes", step, "WORKDIR /" + path);
                    }
                    placed = true; // what makes the first right makes those behind it right
                }
                case Instruction.Env(var variables, var legacy) -> {
                    legacy("ENV", variables, legacy, step);
                    variables.forEach(variable -> secret("ENV", variable.key(), step));
                }
                case Instruction.Label(var labels, var legacy) -> legacy("LABEL", labels, legacy, step);
                case Instruction.Arg(var arguments) -> {
                    arguments.forEach(argument -> secret("ARG", argument.key(), step));
                    description(step, arguments.getFirst().key(), "ARG");
                }
                case Instruction.Expose(var ports) -> ports.forEach(port -> port(port, step));
                default -> { }
            }
        }
    }

    private static Optional<Stage> parent(Stage stage, List<Stage> stages) {
        return stages.subList(0, stage.index()).reversed().stream()
                .filter(other -> other.base().name().equals(Optional.of(stage.base().image().toLowerCase(Locale.ROOT))))
                .findFirst();
    }

    private static boolean hasShell(Stage stage, List<Stage> stages, int depth) {
        var parent = parent(stage, stages);
        return parent.isPresent() && depth < 1000
                && (parent.get().steps().stream().anyMatch(step -> step.instruction() instanceof Instruction.Shell)
                        || hasShell(parent.get(), stages, depth + 1));
    }

    private static boolean hasWorkdir(Stage stage, List<Stage> stages, int depth) {
        var parent = parent(stage, stages);
        return parent.isPresent() && depth < 1000
                && (parent.get().steps().stream().anyMatch(step -> step.instruction() instanceof Instruction.Workdir)
                        || hasWorkdir(parent.get(), stages, depth + 1));
    }

    private void once(String keyword, Step step, HashSet<String> seen) {
        if (!seen.add(keyword)) {
            add(Rule.MULTIPLE_INSTRUCTIONS_DISALLOWED, "Multiple " + keyword + " instructions should not be used in the "
                    + "same stage because only the last one will be used", step, "remove all but the last");
        }
    }

    private void command(String keyword, CommandLine command, Step step, HashSet<String> seen, boolean shell) {
        once(keyword, step, seen);
        if (!command.exec() && !command.words().isEmpty() && !shell) {
            String text = command.words().getFirst();
            boolean plain = text.matches("[A-Za-z0-9_./:=@%+, -]+");
            add(Rule.JSON_ARGS_RECOMMENDED, "JSON arguments recommended for " + keyword
                    + " to prevent unintended behavior related to OS signals", step, plain
                    ? keyword + " [\"" + String.join("\", \"", Words.fields(text)) + "\"]"
                    : keyword + " [\"/bin/sh\", \"-c\", ...] or a SHELL instruction that says the shell is wanted");
        }
    }

    private void legacy(String keyword, List<KeyValue> pairs, boolean legacy, Step step) {
        if (legacy) {
            String value = pairs.getFirst().value().orElse("");
            boolean quote = value.chars().anyMatch(c -> c == ' ' || c == '\t') && !value.startsWith("\"");
            add(Rule.LEGACY_KEY_VALUE_FORMAT, "\"" + keyword + " key=value\" should be used instead of legacy \""
                    + keyword + " key value\" format", step,
                    keyword + " " + pairs.getFirst().key() + "=" + (quote ? "\"" + value + "\"" : value));
        }
    }

    private void secret(String keyword, String name, Step step) {
        if (SECRET.matcher(name).matches() && !PUBLIC.matcher(name).matches()) {
            add(Rule.SECRETS_USED_IN_ARG_OR_ENV, "Do not use ARG or ENV instructions for sensitive data (" + keyword
                    + " \"" + name + "\")", step, "RUN --mount=type=secret,id=" + name.toLowerCase(Locale.ROOT)
                    + ",env=" + name + " ...");
        }
    }

    private void port(String port, Step step) {
        if (port.indexOf('$') >= 0) {
            return;
        }
        int slash = port.indexOf('/');
        if (slash >= 0 && !isLower(port.substring(slash))) {
            add(Rule.EXPOSE_PROTO_CASING, "Defined protocol '" + port + "' in EXPOSE instruction should be lowercase",
                    step, "EXPOSE " + port.toLowerCase(Locale.ROOT));
        }
        if (port.indexOf(':') >= 0) {
            add(Rule.EXPOSE_INVALID_FORMAT, "EXPOSE instruction should not define an IP address or host-port mapping, "
                    + "found '" + port + "'", step, "EXPOSE " + port.substring(port.lastIndexOf(':') + 1));
        }
    }
}
