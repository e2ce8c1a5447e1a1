package carafe.build.plan;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Expansion;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Instruction;
import carafe.build.dockerfile.Nearest;
import carafe.build.dockerfile.PlatformArguments;
import carafe.build.dockerfile.Span;
import carafe.build.dockerfile.Stage;
import carafe.build.dockerfile.WordException;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Plans a build: the target's stage, and every stage it needs, each once.
public final class Planner {

    private static final int MAX_STAGES = 500;

    private final Dockerfile file;
    private final PlanOptions options;
    private final BaseImages images;
    private final IgnorePatterns ignored;
    private final Map<String, String> globals = new LinkedHashMap<>();
    private final Map<Integer, PlannedStage> planned = new TreeMap<>();
    private final Map<Integer, StagePlanner> planners = new HashMap<>();
    private final Map<String, BaseImages.BaseImage> found = new HashMap<>();
    private final List<Finding> findings = new ArrayList<>();
    private final Set<String> usedArguments = new LinkedHashSet<>();
    private final Map<String, Global> declared = new HashMap<>();

    /// An argument declared before the first stage, and the names that its value was made of.
    private record Global(DeclaredArgument argument, Set<String> uses) {}

    private Planner(Dockerfile file, PlanOptions options, BaseImages images, IgnorePatterns ignored) {
        this.file = file;
        this.options = options;
        this.images = images;
        this.ignored = ignored;
    }

    /// Plans the build of `file`.
    /// @throws DockerfileException the Dockerfile is at fault
    public static BuildPlan plan(Dockerfile file, PlanOptions options, BaseImages images, IgnorePatterns ignored)
            throws DockerfileException, EngineException {
        return new Planner(file, options, images, ignored).run();
    }

    private BuildPlan run() throws DockerfileException, EngineException {
        if (file.stages().size() > MAX_STAGES) {
            throw new DockerfileException(file.stages().getLast().from().span(), "more than " + MAX_STAGES + " stages");
        }
        globals.putAll(PlatformArguments.of(Platform.host(), options.platform(), options.target().orElse("")));
        options.arguments().forEach((name, value) -> {
            if (globals.containsKey(name)) {
                globals.put(name, value);
            }
        });
        for (var step : file.globals()) {
            if (step.instruction() instanceof Instruction.Arg(var arguments)) {
                for (var argument : arguments) {
                    String given = options.arguments().get(argument.key());
                    var uses = new LinkedHashSet<String>();
                    usedArguments.add(argument.key());
                    if (given != null) {
                        globals.put(argument.key(), given);
                    } else if (argument.value().isPresent()) {
                        globals.put(argument.key(), expand(argument.value().get(), step.span(), uses));
                    }
                    declared.put(argument.key(), new Global(new DeclaredArgument(argument.key(),
                            globals.getOrDefault(argument.key(), ""), step.description(argument.key()), step.span()), uses));
                }
            }
        }
        var target = target();
        plan(target.index());
        var result = planned.remove(target.index());
        if (result == null) {
            throw new AssertionError("the target was not planned");
        }
        var stages = new ArrayList<>(planned.values());
        stages.add(result);
        var all = new ArrayList<>(file.findings());
        findings.stream().filter(finding -> file.directives().wants(finding.rule())).forEach(all::add);
        all.sort((a, b) -> Integer.compare(a.span().first(), b.span().first()));
        var made = new BuildPlan.Target(target.index(), labelled(result.config()), options.platform());
        return new BuildPlan(stages, List.of(made), all, Map.of(), file.source(), unused(), arguments(stages));
    }

    /// The arguments that `stages` take, the target's first where several have one of a name.
    private List<DeclaredArgument> arguments(List<PlannedStage> stages) {
        var all = new LinkedHashMap<String, DeclaredArgument>();
        for (var stage : stages.reversed()) {
            var planner = planner(stage.index());
            planner.ownArguments().forEach(all::putIfAbsent);
            planner.usedGlobals().forEach(name -> addGlobal(name, all));
        }
        return all.values().stream().sorted(Comparator.comparingInt(argument -> argument.span().first())).toList();
    }

    private void addGlobal(String name, Map<String, DeclaredArgument> all) {
        var global = declared.get(name);
        if (global != null && all.putIfAbsent(name, global.argument) == null) {
            global.uses.forEach(used -> addGlobal(used, all));
        }
    }

    /// The arguments given that neither an instruction of the file nor a trigger that was run declares, and that mean
    /// nothing without being declared.
    private List<String> unused() {
        for (var stage : file.stages()) {
            for (var step : stage.steps()) {
                if (step.instruction() instanceof Instruction.Arg(var arguments)) {
                    arguments.forEach(argument -> usedArguments.add(argument.key()));
                }
            }
        }
        return options.arguments().keySet().stream().sorted()
                .filter(name -> !usedArguments.contains(name) && !PlatformArguments.NAMES.contains(name)
                        && !PlatformArguments.PROXIES.contains(name) && !name.startsWith("BUILDKIT_")
                        && !name.equals("SOURCE_DATE_EPOCH"))
                .toList();
    }

    void uses(String argument) {
        usedArguments.add(argument);
    }

    private RunConfig labelled(RunConfig config) {
        if (options.labels().isEmpty()) {
            return config;
        }
        var draft = new ConfigDraft(config, "");
        draft.triggers.addAll(config.onBuild());
        draft.labels.putAll(new TreeMap<>(options.labels()));
        return draft.finish();
    }

    private Stage target() throws EngineException.Invalid {
        var stages = file.stages();
        if (options.target().isEmpty()) {
            return stages.getLast();
        }
        String wanted = options.target().get().toLowerCase(Locale.ROOT);
        for (var stage : stages.reversed()) {
            if (stage.base().name().equals(Optional.of(wanted))) {
                return stage;
            }
        }
        if (wanted.matches("\\d{1,4}") && Integer.parseInt(wanted) < stages.size()) {
            return stages.get(Integer.parseInt(wanted));
        }
        var names = stages.stream().flatMap(stage -> stage.base().name().stream()).toList();
        throw new EngineException.Invalid("target stage \"" + options.target().get() + "\" could not be found"
                + Nearest.of(wanted, names).map(near -> " (did you mean " + near + "?)").orElse(names.isEmpty()
                ? ": no stage has a name" : "; there are " + String.join(", ", names)));
    }

    /// `text` with what is declared before the first stage; the names that it uses are put into `used`.
    private String expand(String text, Span span, Set<String> used) throws DockerfileException {
        try {
            return new Expansion(file.directives().escape(), name -> {
                used.add(name);
                return Optional.ofNullable(globals.get(name));
            }).word(text);
        } catch (WordException e) {
            throw new DockerfileException(span, "failed to process \"" + text + "\": " + e.getMessage());
        }
    }

    /// Plans the stage `index` unless it is planned already.
    PlannedStage plan(int index) throws DockerfileException, EngineException {
        var known = planned.get(index);
        if (known != null) {
            return known;
        }
        var stage = file.stages().get(index);
        var used = new LinkedHashSet<String>();
        String image = expand(stage.base().image(), stage.from().span(), used);
        if (image.isEmpty()) {
            throw new DockerfileException(stage.from().span(), "base name (" + stage.base().image()
                    + ") should not be blank");
        }
        var platform = platform(stage, used);
        var base = origin(image, index, platform, stage.from().span());
        var below = base instanceof Origin.OfStage(int parent) ? Optional.of(plan(parent)) : Optional.<PlannedStage>empty();
        var planner = new StagePlanner(this, stage, below.map(PlannedStage::platform).orElse(platform));
        planner.usedGlobals().addAll(used);
        var made = switch (base) {
            case Origin.OfStage(int parent) -> {
                planner.declareAs(planner(parent));
                var under = below.orElseThrow();
                yield planner.run(base, image, under.config(), under.inherited());
            }
            case Origin.OfImage(var reference, var _) -> {
                var config = image(reference, platform, stage.from().span()).config();
                yield planner.run(base, image, config.run(), Optional.of(config));
            }
            case Origin.Scratch _, Origin.Context _, Origin.NamedContext _ ->
                    planner.run(base, image, StagePlanner.SCRATCH, Optional.empty());
        };
        planned.put(index, made);
        planners.put(index, planner);
        return made;
    }

    private StagePlanner planner(int index) {
        var planner = planners.get(index);
        if (planner == null) {
            throw new AssertionError("stage " + index + " was not planned");
        }
        return planner;
    }

    private Platform platform(Stage stage, Set<String> used) throws DockerfileException {
        if (stage.base().platform().isEmpty()) {
            return options.platform();
        }
        String text = expand(stage.base().platform().get(), stage.from().span(), used);
        try {
            return text.isEmpty() ? options.platform() : Platform.parse(text);
        } catch (EngineException.Invalid e) {
            throw new DockerfileException(stage.from().span(), "failed to parse platform " + text + ": " + e.getMessage());
        }
    }

    /// What `name` in FROM means for the stage `before`.
    private Origin origin(String name, int before, Platform platform, Span span)
            throws DockerfileException, EngineException {
        if (name.equals("scratch")) {
            return new Origin.Scratch();
        }
        return named(name, before, platform, span);
    }

    /// What `name` in COPY --from or a mount of the stage `before` means: a stage by number or name, a context, an
    /// image of the build's platform, whichever the stage has.
    Origin source(String name, int before, Span span) throws DockerfileException, EngineException {
        if (name.matches("\\d{1,4}") && !options.contexts().contains(name) && !options.images().containsKey(name)) {
            int index = Integer.parseInt(name);
            if (index >= before) {
                throw new DockerfileException(span, "invalid from flag value " + name
                        + ": stage " + name + " is not above this one");
            }
            return new Origin.OfStage(index);
        }
        return named(name, before, options.platform(), span);
    }

    private Origin named(String name, int before, Platform platform, Span span)
            throws DockerfileException, EngineException {
        String lower = name.toLowerCase(Locale.ROOT);
        for (String known : spellings(lower)) {
            String image = options.images().get(known);
            if (image != null) {
                return new Origin.OfImage(image, image(image, platform, span).id());
            }
            if (options.contexts().contains(known)) {
                return new Origin.NamedContext(known);
            }
        }
        for (var stage : file.stages().subList(0, before).reversed()) {
            if (stage.base().name().equals(Optional.of(lower))) {
                return new Origin.OfStage(stage.index());
            }
        }
        try {
            return new Origin.OfImage(name, image(name, platform, span).id());
        } catch (EngineException e) {
            for (var stage : file.stages().subList(before, file.stages().size())) {
                if (stage.base().name().equals(Optional.of(lower))) {
                    throw e.with("a stage " + lower + " begins at line " + stage.from().span().first()
                            + ", and only stages above can be named");
                }
            }
            throw e;
        }
    }

    /// The names under which a context that stands for the image `name` may have been given: `alpine`, `alpine:latest`,
    /// `docker.io/library/alpine:latest` are the same.
    private static Set<String> spellings(String name) {
        var all = new LinkedHashSet<String>();
        all.add(name);
        try {
            var reference = Reference.parse(name);
            if (reference.digest().isEmpty()) {
                var tagged = reference.withDefaultTag();
                all.add(tagged.familiar());
                all.add(tagged.toString());
                if (tagged.tag().equals(Optional.of("latest"))) {
                    all.add(reference.familiarRepository());
                    all.add(reference.repository());
                }
            }
        } catch (EngineException.Invalid e) {
            return all; // no image has such a name; a stage or a context may
        }
        return all;
    }

    private BaseImages.BaseImage image(String reference, Platform platform, Span span)
            throws EngineException, DockerfileException {
        String key = platform + " " + reference;
        var known = found.get(key);
        if (known == null) {
            try {
                known = images.find(reference, platform);
            } catch (EngineException.Invalid e) {
                if (options.images().containsValue(reference)) {
                    throw new DockerfileException(span, String.valueOf(e.getMessage())); // the name is none of the file's
                }
                var names = file.stages().stream().flatMap(stage -> stage.base().name().stream()).toList();
                throw new DockerfileException(span, "failed to parse stage name \"" + reference + "\": " + e.getMessage()
                        + Nearest.of(reference, names).map(near -> " (did you mean " + near + "?)").orElse(""));
            } catch (EngineException e) {
                throw e.with(file.source().excerpt(span));
            }
            found.put(key, known);
        }
        return known;
    }

    /// The id of the image that `reference` meant.
    Digest id(String reference, Platform platform, Span span) throws EngineException, DockerfileException {
        return image(reference, platform, span).id();
    }

    Map<String, String> globals() {
        return globals;
    }

    PlanOptions options() {
        return options;
    }

    char escape() {
        return file.directives().escape();
    }

    IgnorePatterns ignored() {
        return ignored;
    }

    void found(Finding finding) {
        findings.add(finding);
    }
}
