package carafe.build.plan;

import carafe.build.dockerfile.CommandLine;
import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Expansion;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Instruction;
import carafe.build.dockerfile.KeyValue;
import carafe.build.dockerfile.Nearest;
import carafe.build.dockerfile.PlatformArguments;
import carafe.build.dockerfile.Rule;
import carafe.build.dockerfile.Span;
import carafe.build.dockerfile.Stage;
import carafe.build.dockerfile.Step;
import carafe.build.dockerfile.WordException;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.docker.Signals;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Plans one stage: goes through its instructions with the variables and the configuration as they are at each.
final class StagePlanner {

    private static final String PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private static final int MAX_PORTS = 65_536;

    /// What a stage on `scratch` begins with.
    static final RunConfig SCRATCH = new RunConfig("", "/", List.of(PATH), List.of(), List.of(), Set.of(), Set.of(),
            Map.of(), "", Optional.empty(), List.of(), List.of(), false);

    private final Planner planner;
    private final Stage stage;
    private final Platform platform;
    private final Map<String, String> arguments = new LinkedHashMap<>();
    private final Set<String> declared = new LinkedHashSet<>();
    private final Map<String, DeclaredArgument> ownArguments = new LinkedHashMap<>();
    private final Set<String> usedGlobals = new LinkedHashSet<>();
    private final List<PlannedStep> steps = new ArrayList<>();
    private ConfigDraft config = new ConfigDraft(RunConfig.EMPTY, "");
    private boolean commandSet;

    StagePlanner(Planner planner, Stage stage, Platform platform) {
        this.planner = planner;
        this.stage = stage;
        this.platform = platform;
    }

    /// Begins with the arguments that `parent`, the stage this one stands on, has at its end.
    void declareAs(StagePlanner parent) {
        arguments.putAll(parent.arguments);
        declared.addAll(parent.declared);
    }

    PlannedStage run(Origin base, String image, RunConfig start, Optional<ImageConfig> inherited)
            throws DockerfileException, EngineException {
        config = new ConfigDraft(start, inherited.map(ImageConfig::author).orElse(""));
        if (base instanceof Origin.OfImage && !config.environment.containsKey("PATH")) {
            config.environment.put("PATH", PATH.substring(PATH.indexOf('=') + 1));
        }
        var begin = config.finish();
        for (String trigger : start.onBuild()) {
            step(Dockerfile.trigger(trigger, stage.from().span()));
        }
        for (var step : stage.steps()) {
            step(step);
        }
        return new PlannedStage(stage.index(), stage.index(), stage.title(), image, stage.from().span(), base, platform,
                inherited, begin, steps);
    }

    private void step(Step step) throws DockerfileException, EngineException {
        Operation operation = new Operation.Nothing();
        String history = step.text();
        switch (step.instruction()) {
            case Instruction.From _ -> throw new AssertionError("FROM begins stages");
            case Instruction.Arg(var list) -> arguments(list, step);
            case Instruction.Env(var list, _) -> history = "ENV " + put(list, config.environment, step);
            case Instruction.Label(var list, _) -> history = "LABEL " + put(list, config.labels, step);
            case Instruction.Run run -> {
                var planned = new RunPlanner(this, step.span()).plan(run);
                operation = planned.run();
                history = planned.history();
            }
            case Instruction.Copy(var transfer) -> {
                var planner = new CopyPlanner(this, step);
                var copy = planner.plan(transfer, false);
                operation = copy;
                history = planner.history(copy);
            }
            case Instruction.Add(var transfer) -> {
                var planner = new CopyPlanner(this, step);
                var copy = planner.plan(transfer, true);
                operation = copy;
                history = planner.history(copy);
            }
            case Instruction.Workdir(var path) -> {
                config.directory = directory(expand(path, step));
                operation = new Operation.MakeDirectory(config.directory, config.user);
                history = "WORKDIR " + config.directory;
            }
            default -> history = configuration(step);
        }
        steps.add(new PlannedStep(step.text(), step.span(), operation, history, config.finish(), config.author));
    }

    /// Instructions that change nothing but the configuration.
    private String configuration(Step step) throws DockerfileException {
        return switch (step.instruction()) {
            case Instruction.Cmd(var command) -> {
                config.command = words(command);
                config.argsEscaped = !command.exec();
                commandSet = true;
                yield "CMD " + json(config.command);
            }
            case Instruction.Entrypoint(var command) -> {
                config.entrypoint = words(command);
                if (!commandSet) {
                    config.command = List.of();
                }
                yield "ENTRYPOINT " + json(config.entrypoint);
            }
            case Instruction.Shell(var words) -> {
                config.shell = words;
                yield "SHELL " + json(words);
            }
            case Instruction.User(var user) -> {
                config.user = expand(user, step);
                yield "USER " + config.user;
            }
            case Instruction.StopSignal(var signal) -> {
                config.stopSignal = signal(expand(signal, step), step);
                yield "STOPSIGNAL " + config.stopSignal;
            }
            case Instruction.Maintainer(var name) -> {
                config.author = name;
                yield "MAINTAINER " + name;
            }
            case Instruction.Expose(var ports) -> expose(ports, step);
            case Instruction.Volume(var paths) -> {
                for (String path : paths) {
                    config.volumes.add(expand(path, step));
                }
                yield step.text();
            }
            case Instruction.OnBuild(var trigger) -> {
                config.triggers.add(trigger);
                yield "ONBUILD " + trigger;
            }
            case Instruction.Health(var check, var command) -> {
                config.healthcheck = Optional.of(check);
                yield step.text();
            }
            default -> throw new AssertionError(step.text());
        };
    }

    private static String signal(String signal, Step step) throws DockerfileException {
        try {
            Signals.number(signal);
            return signal;
        } catch (EngineException.Invalid e) {
            throw new DockerfileException(step.span(), e.getMessage());
        }
    }

    private void arguments(List<KeyValue> list, Step step) throws DockerfileException {
        for (var argument : list) {
            String name = argument.key();
            declared.add(name);
            planner.uses(name);
            String given = planner.options().arguments().get(name);
            if (given != null) {
                arguments.put(name, given);
            } else if (argument.value().isPresent()) {
                arguments.put(name, expand(argument.value().get(), step));
            } else if (planner.globals().containsKey(name)) {
                arguments.put(name, planner.globals().getOrDefault(name, ""));
                usedGlobals.add(name);
                continue;
            }
            ownArguments.put(name, new DeclaredArgument(name, arguments.getOrDefault(name, ""), step.description(name),
                    step.span()));
        }
    }

    private String put(List<KeyValue> list, Map<String, String> into, Step step) throws DockerfileException {
        var values = new LinkedHashMap<String, String>();
        var text = new StringBuilder();
        for (var pair : list) {
            String key = expand(pair.key(), step);
            if (key.isEmpty() || key.indexOf('=') >= 0 || key.indexOf('\0') >= 0) {
                throw new DockerfileException(step.span(), "names can not be blank or hold =: " + pair.key());
            }
            String value = expand(pair.value().orElse(""), step);
            values.put(key, value);
            text.append(text.isEmpty() ? "" : " ").append(key).append('=').append(value);
        }
        into.putAll(values);
        return text.toString();
    }

    private String expose(List<String> ports, Step step) throws DockerfileException {
        var all = new ArrayList<String>();
        for (String port : ports) {
            for (String word : expandWords(port, step)) {
                all.addAll(ExposedPorts.of(word, step.span()));
            }
        }
        if (config.ports.size() + all.size() > MAX_PORTS) {
            throw new DockerfileException(step.span(), "too many ports");
        }
        config.ports.addAll(all);
        return step.text();
    }

    private List<String> words(CommandLine command) {
        return command.exec() || command.words().isEmpty() ? command.words() : shell(command.words().getFirst());
    }

    /// `text` for the stage's shell.
    List<String> shell(String text) {
        var words = new ArrayList<>(config.shell.isEmpty() ? List.of("/bin/sh", "-c") : config.shell);
        words.add(text);
        return words;
    }

    static String json(List<String> words) {
        return Json.ofTexts(words).print();
    }

    /// `path` seen from the working directory, cleaned, absolute.
    String directory(String path) {
        String whole = path.startsWith("/") ? path : config.directory + "/" + path;
        return "/" + IgnorePatterns.clean(whole);
    }

    /// `text` as one word with this moment's variables.
    String expand(String text, Step step) throws DockerfileException {
        return expand(text, step.span());
    }

    /// The same, where there is no step at hand.
    String expand(String text, Span span) throws DockerfileException {
        if (text.indexOf('$') < 0 && text.indexOf('\'') < 0 && text.indexOf('"') < 0
                && text.indexOf(planner.escape()) < 0) {
            return text;
        }
        var expansion = expansion();
        try {
            String value = expansion.word(text);
            undefined(expansion, span);
            return value;
        } catch (WordException e) {
            throw new DockerfileException(span, "failed to process \"" + text + "\": " + e.getMessage());
        }
    }

    /// `content` of a here-document with its variables; quotes in it are text.
    String expandContent(String content, Step step) throws DockerfileException {
        var expansion = expansion();
        try {
            String value = expansion.content(content);
            undefined(expansion, step.span());
            return value;
        } catch (WordException e) {
            throw new DockerfileException(step.span(), "failed to process the here-document: " + e.getMessage());
        }
    }

    private List<String> expandWords(String text, Step step) throws DockerfileException {
        var expansion = expansion();
        try {
            var words = expansion.words(text);
            undefined(expansion, step.span());
            return words;
        } catch (WordException e) {
            throw new DockerfileException(step.span(), "failed to process \"" + text + "\": " + e.getMessage());
        }
    }

    private Expansion expansion() {
        return new Expansion(planner.escape(), this::value);
    }

    private Optional<String> value(String name) {
        String set = config.environment.get(name);
        return Optional.ofNullable(set != null ? set : arguments.get(name));
    }

    private void undefined(Expansion expansion, Span span) {
        for (String name : expansion.undefined()) {
            if (!declared.contains(name) && !PlatformArguments.PROXIES.contains(name)) {
                var known = new ArrayList<>(config.environment.keySet());
                known.addAll(declared);
                var near = Nearest.of(name, known);
                planner.found(new Finding(Rule.UNDEFINED_VAR, "Usage of undefined variable '$" + name + "'"
                        + near.map(word -> " (did you mean $" + word + "?)").orElse(""), span,
                        near.map(word -> "$" + word).orElse("ARG " + name + " above, or a default: ${" + name + ":-...}")));
            }
        }
    }

    Planner planner() {
        return planner;
    }

    /// The arguments that this stage gives a value, or that have none.
    Map<String, DeclaredArgument> ownArguments() {
        return ownArguments;
    }

    /// The names of those before the first stage that this one uses; to be added to.
    Set<String> usedGlobals() {
        return usedGlobals;
    }

    int index() {
        return stage.index();
    }

    String user() {
        return config.user;
    }

    String currentDirectory() {
        return config.directory.isEmpty() ? "/" : config.directory;
    }

    List<String> environment() {
        return config.entries();
    }

    boolean isDeclared(String argument) {
        return declared.contains(argument);
    }

    /// Declared arguments that have a value and that no variable of the environment hides.
    Map<String, String> visibleArguments() {
        var visible = new LinkedHashMap<>(arguments);
        visible.keySet().removeAll(config.environment.keySet());
        return visible;
    }
}
