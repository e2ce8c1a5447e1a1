package carafe.build.solve;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.plan.PlannedStage;
import carafe.build.plan.PlannedStep;
import carafe.build.step.CopyStep;
import carafe.build.step.DirectoryStep;
import carafe.build.step.RunStep;
import carafe.build.step.StepFailed;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RunConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Solves one stage, step by step.
final class StageSolver {

    private static final int MAX_FINGERPRINTS = 10_000;

    /// Answers another stage's result when it is there.
    @FunctionalInterface
    interface Results {
        StageResult of(int stage) throws InterruptedException;
    }

    private final Workshop workshop;
    private final Job job;
    private final PlannedStage stage;
    private final Results results;
    private final Sources sources;
    private final boolean usesCache;
    private StageResult state = StageResult.EMPTY;

    StageSolver(Workshop workshop, Job job, PlannedStage stage, Results results) {
        this.workshop = workshop;
        this.job = job;
        this.stage = stage;
        this.results = results;
        this.sources = new Sources(workshop, job, results);
        this.usesCache = job.usesCache(stage.title(), stage.inFile());
    }

    StageResult solve() throws EngineException, IOException, InterruptedException, StepFailed {
        int vertex = job.vertex(stage.index());
        job.tell(new BuildEvent.Started(vertex));
        state = switch (stage.base()) {
            case Origin.OfStage(int index) -> results.of(index);
            case Origin.OfImage image -> job.kept().state(image);
            case Origin.NamedContext context -> context(context, vertex);
            case Origin.Scratch _, Origin.Context _ -> StageResult.EMPTY;
        };
        job.tell(new BuildEvent.Done(vertex, false, digest(stage.start())));
        job.begun(stage, state.diffIds());
        for (var step : stage.steps()) {
            vertex++;
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            job.tell(new BuildEvent.Started(vertex));
            try {
                step(step, vertex);
            } catch (StepFailed e) {
                throw e.with(job.plan().source().excerpt(step.span()));
            } catch (EngineException e) {
                job.tell(new BuildEvent.Failed(vertex, String.valueOf(e.getMessage()), 0, ""));
                throw e.with(job.plan().source().excerpt(step.span()));
            } catch (IOException e) {
                job.tell(new BuildEvent.Failed(vertex, String.valueOf(e.getMessage()), 0, ""));
                throw e;
            }
        }
        return state;
    }

    private void step(PlannedStep step, int vertex)
            throws EngineException, IOException, InterruptedException, StepFailed {
        boolean cached = switch (step.operation()) {
            case Operation.Nothing() -> {
                state = state.with(Optional.empty(), step.history(), step.author(), Optional.empty());
                yield false;
            }
            case Operation.Run run -> run(step, run, vertex);
            case Operation.Copy copy -> copy(step, copy, vertex);
            case Operation.MakeDirectory make -> {
                var key = new StepKey("directory", job.epoch()).below(state).with("path", make.path())
                        .with("user", make.user());
                yield solved(step, vertex, key, Inputs.NONE, _ -> {
                    try (var root = sources.root(state)) {
                        return take(DirectoryStep.members(make, root, now()));
                    }
                });
            }
        };
        job.passed(step.operation());
        job.tell(new BuildEvent.Done(vertex, cached, digest(step.config())));
    }

    private String digest(RunConfig config) {
        return Digest.sha256((state.chain() + config.toJson().print()).getBytes(StandardCharsets.UTF_8)).toString();
    }

    /// Makes the layer of a step that the cache does not have; `told` hears what its program does.
    @FunctionalInterface
    private interface Making {
        Optional<Layer> make(Hearers told) throws EngineException, IOException, InterruptedException, StepFailed;
    }

    /// What else went into a step's result, read only where the step is done or explained.
    @FunctionalInterface
    private interface Inputs {
        Map<String, String> read() throws EngineException, IOException, InterruptedException;

        /// Nothing else.
        Inputs NONE = Map::of;
    }

    /// Anything a step may end with.
    private static final class Broken extends Exception {
        private final Exception reason;

        Broken(Exception reason) {
            super(reason);
            this.reason = reason;
        }
    }

    /// Finds the step's result or makes it, and goes on to the state after it.
    /// @return whether it was found
    private boolean solved(PlannedStep step, int vertex, StepKey key, Inputs more, Making making)
            throws EngineException, IOException, InterruptedException, StepFailed {
        String description = description(step);
        var digest = key.digest();
        var found = known(digest);
        if (found.isEmpty() && usesCache) {
            found = elsewhere(step, digest, key.parts().getOrDefault("kind", ""), making);
        }
        explain(vertex, key, description, found.isPresent(), more);
        boolean cached = found.isPresent();
        StepRecord record;
        if (cached) {
            record = found.get();
        } else {
            record = make(key, vertex, description, more, making);
        }
        state = state.with(record.layer(), step.history(), step.author(), Optional.of(record.created()));
        job.learnt(stage, record);
        if (record.layer().isPresent()) {
            job.layered(stage, record.layer().get().diffId());
        }
        return cached;
    }

    /// The result that an imported cache has.
    private Optional<StepRecord> elsewhere(PlannedStep step, Digest key, String kind, Making making)
            throws EngineException, IOException, InterruptedException, StepFailed {
        var found = job.imported().find(key, job.intake());
        if (found.isPresent()) {
            return found;
        }
        boolean copied = step.operation() instanceof Operation.Copy;
        var limits = job.request().running().limits();
        if (step.operation() instanceof Operation.Run run
                && !(run.mounts().isEmpty() && limits.extraHosts().isEmpty() && limits.ulimits().isEmpty())) {
            return Optional.empty(); // histories do not tell mounts, nor names of hosts and limits
        }
        for (var candidate : job.imported().after(state, step.history())) {
            if (!copied && candidate.image().config().platform().runsOn(stage.platform())) {
                found = candidate.take(key, kind, job.intake());
            } else if (copied && candidate.position() >= 0) {
                found = copied(candidate, key, kind, making);
            }
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /// A copied layer counts when it has exactly the files, times apart, of the layer that the copy makes.
    private Optional<StepRecord> copied(ImportedCache.Candidate candidate, Digest key, String kind, Making making)
            throws EngineException, IOException, InterruptedException, StepFailed {
        var taken = candidate.take(key, kind, job.intake());
        if (taken.isEmpty() || taken.get().layer().isEmpty()) {
            return Optional.empty();
        }
        var made = making.make(new Hearers(job::tell, _ -> { }));
        if (made.isEmpty()) {
            return Optional.empty();
        }
        var theirs = taken.get().layer().get().diffId();
        try (var one = job.intake().tar(theirs); var other = job.intake().tar(made.get().diffId())) {
            return LayerFacts.same(one, other) ? taken : Optional.empty();
        }
    }

    /// The result that the cache has, its layer kept for this build.
    private Optional<StepRecord> known(Digest key) throws EngineException {
        var found = usesCache ? job.results().find(key) : Optional.<StepRecord>empty();
        boolean whole = found.isPresent()
                && (found.get().layer().isEmpty() || job.intake().has(found.get().layer().get().diffId()));
        return whole ? found : Optional.empty();
    }

    private StepRecord make(StepKey key, int vertex, String description, Inputs more, Making making)
            throws EngineException, IOException, InterruptedException, StepFailed {
        job.working(description);
        while (true) {
            var record = join(key, vertex, description, more, making);
            job.results().share(record.key());
            if (record.layer().isEmpty() || job.intake().has(record.layer().get().diffId())) {
                return record;
            } // another build made it, and it was pruned before this one could keep it
        }
    }

    /// Does the step, or waits for the build that is doing it.
    private StepRecord join(StepKey key, int vertex, String description, Inputs more, Making making)
            throws EngineException, IOException, InterruptedException, StepFailed {
        var digest = key.digest();
        try {
            return workshop.flights().join(digest, vertex, job::tell, told -> {
                try {
                    var later = known(digest);
                    if (later.isPresent()) {
                        return later.get(); // done between the look and the flight
                    }
                    var layer = making.make(told);
                    var inputs = new TreeMap<>(key.parts());
                    inputs.putAll(more.read());
                    var now = workshop.clock().instant();
                    var made = new StepRecord(digest, key.parts().getOrDefault("kind", ""), description, layer,
                            job.epoch().map(Instant::ofEpochSecond).orElse(now), now, 0, inputs);
                    job.results().put(made);
                    return made;
                } catch (EngineException | IOException | StepFailed e) {
                    throw new Broken(e);
                }
            });
        } catch (Broken e) {
            switch (e.reason) {
                case EngineException reason -> throw reason;
                case IOException reason -> throw reason;
                case StepFailed reason -> throw reason;
                default -> throw new AssertionError(e.reason);
            }
        }
    }

    private String description(PlannedStep step) {
        String label = job.plan().labels().getOrDefault(stage.index(), "");
        String text = step.text().length() > 2000 ? step.text().substring(0, 2000) : step.text();
        return (label.isEmpty() ? "" : label + " ") + stage.title() + ": " + text;
    }

    private void explain(int vertex, StepKey key, String description, boolean found, Inputs more)
            throws EngineException, IOException, InterruptedException {
        if (!job.request().result().explain()) {
            return;
        }
        String reason;
        if (found) {
            reason = "cached: same instruction, same files, same state below";
        } else if (!usesCache) {
            reason = "not cached: --no-cache";
        } else {
            var last = workshop.cache().last(description);
            reason = last.isEmpty() ? "not cached: no earlier build had this step"
                    : "not cached: " + String.join("; ", differences(key, last.get(), more.read()));
        }
        job.tell(new BuildEvent.Explained(vertex, reason));
    }

    private static List<String> differences(StepKey key, StepRecord last, Map<String, String> more) {
        var differences = key.differences(last.inputs());
        var before = files(last.inputs());
        if (!before.isEmpty() || key.parts().containsKey("files")) { // those of mounts were not noted by every version
            CopyStep.changes(before, files(more)).entrySet().stream().limit(10)
                    .forEach(change -> differences.add(change.getKey() + " was " + change.getValue()));
        }
        if (differences.isEmpty()) {
            differences.add("its result was pruned");
        }
        return differences;
    }

    private static Map<String, String> files(Map<String, String> inputs) {
        var files = new HashMap<String, String>();
        inputs.forEach((name, value) -> {
            if (name.startsWith("file ")) {
                files.put(name.substring(5), value);
            }
        });
        return files;
    }

    private Node.Time now() {
        var now = workshop.clock().instant();
        return job.epoch().map(seconds -> new Node.Time(seconds, 0))
                .orElse(new Node.Time(now.getEpochSecond(), 0));
    }

    private Optional<Node.Time> latest() {
        return job.epoch().map(seconds -> new Node.Time(seconds, 0));
    }

    private Optional<Layer> take(Collection<LayerMember> members) throws EngineException {
        if (members.isEmpty()) {
            return Optional.empty();
        }
        var taken = job.intake().layer(new LayerTar(members.iterator()));
        return Optional.of(Layer.plain(taken.diffId(), taken.blob().size()));
    }

    private boolean copy(PlannedStep step, Operation.Copy copy, int vertex)
            throws EngineException, IOException, InterruptedException, StepFailed {
        var key = new StepKey(copy.add() ? "add" : "copy", job.epoch()).copy(copy);
        if (!copy.options().link()) {
            key.below(state);
        }
        if (copy.add() && copy.sources().stream().anyMatch(BuildContexts::isRemote)) {
            return fetch(step, copy, vertex, key);
        }
        boolean keepOwners = !(copy.from() instanceof Origin.Context || copy.from() instanceof Origin.NamedContext);
        try (var source = sources.open(copy.from());
                var selected = CopyStep.select(copy, source, keepOwners, workshop.place().scratch())) {
            key.with("files", selected.digest().hex());
            return solved(step, vertex, key, () -> fingerprints(selected), _ -> layer(copy, selected));
        }
    }

    private Optional<Layer> layer(Operation.Copy copy, CopyStep selected) throws EngineException, IOException {
        if (copy.options().link()) {
            return take(selected.members(Optional.empty(), now(), latest()));
        }
        try (var root = sources.root(state)) {
            return take(selected.members(Optional.of(root), now(), latest()));
        }
    }

    /// ADD of what has to be fetched, beside what is in the context.
    private boolean fetch(PlannedStep step, Operation.Copy copy, int vertex, StepKey key)
            throws EngineException, IOException, InterruptedException, StepFailed {
        try (var fetched = new Fetched(workshop, job, copy, usesCache);
                var local = CopyStep.of(copy, workshop.place().scratch())) {
            for (String source : copy.sources()) {
                if (!BuildContexts.isRemote(source)) {
                    local.take(source, job.contexts().main());
                }
            }
            key.with("files", local.digest().hex());
            fetched.locate(key);
            return solved(step, vertex, key, () -> fingerprints(local), _ -> {
                try (var selected = CopyStep.of(copy, workshop.place().scratch())) {
                    fetched.into(selected);
                    return layer(copy, selected);
                }
            });
        }
    }

    /// The state of a stage that begins with a context: its files, in one layer.
    private StageResult context(Origin.NamedContext origin, int vertex)
            throws EngineException, IOException, InterruptedException, StepFailed {
        var all = new Operation.Copy(false, origin, List.of(""), List.of(), "/", Operation.Options.NONE);
        try (var source = sources.open(origin);
                var selected = CopyStep.select(all, source, true, workshop.place().scratch())) {
            var key = new StepKey("context", job.epoch()).with("files", selected.digest().hex());
            var known = known(key.digest());
            String words = "context " + origin.name();
            var record = known.isPresent() ? known.get() : make(key, vertex, words, Inputs.NONE,
                    _ -> take(selected.members(Optional.empty(), now(), latest())));
            return StageResult.EMPTY.with(record.layer(), words, "", Optional.of(record.created()));
        }
    }

    private static Map<String, String> fingerprints(CopyStep selected) throws IOException {
        var prefixed = new TreeMap<String, String>();
        if (selected.files() <= MAX_FINGERPRINTS) {
            selected.fingerprints().forEach((path, digest) -> prefixed.put("file " + path, digest));
        }
        return prefixed;
    }

    /// The files of the contexts that the step mounts.
    private Map<String, String> fingerprints(Operation.Run run) throws EngineException, IOException, InterruptedException {
        var prefixed = new TreeMap<String, String>();
        for (var mount : run.mounts()) {
            if (mount instanceof Mount.Bind bind) {
                sources.fingerprints(bind, MAX_FINGERPRINTS).forEach((path, digest) -> prefixed.put("file " + path, digest));
            }
        }
        return prefixed;
    }

    private boolean run(PlannedStep step, Operation.Run run, int vertex)
            throws EngineException, IOException, InterruptedException, StepFailed {
        if (run.insecure() && !job.request().running().insecure()) {
            throw new EngineException.Forbidden("RUN --security=insecure is not allowed; allow it with --allow "
                    + "security.insecure");
        }
        if (run.network().equals("host") && !job.request().running().hostNetwork()) {
            throw new EngineException.Forbidden("RUN --network=host is not allowed; allow it with --allow network.host, or give"
                    + " the whole build the host's network with --network host");
        }
        var origins = new HashMap<Integer, String>();
        for (int i = 0; i < run.mounts().size(); i++) {
            if (run.mounts().get(i) instanceof Mount.Bind bind) {
                origins.put(i, sources.identity(bind));
            }
        }
        var key = new StepKey("run", job.epoch()).below(state).with("platform", stage.platform().toString())
                .run(run, origins, job.request().running().limits());
        return solved(step, vertex, key, () -> fingerprints(run), told -> run(run, vertex, step.config(), told));
    }

    /// The image with what a failed program left; empty if it cannot be kept, which is told beside the failure.
    private String kept(RunStep program, Operation.Run run, RunConfig config, BuildListener told) {
        try {
            return new FailedState(workshop, job, stage, told).keep(program, run, state, config);
        } catch (EngineException | IOException e) {
            told.on(new BuildEvent.Note("the failed step's state cannot be kept: " + e.getMessage()));
            return "";
        }
    }

    private Optional<Layer> run(Operation.Run run, int vertex, RunConfig config, Hearers told)
            throws EngineException, IOException, InterruptedException, StepFailed {
        String id = Names.fresh();
        try (var program = RunStep.prepare(workshop.place(), run, stage.platform(), id, state.diffIds())) {
            told.all(new BuildEvent.Running(vertex, id));
            if (run.maySaySecrets()) {
                told.waiting().on(Flight.note(vertex, "[its output is not shown here: it may hold secrets of the build that"
                        + " runs it]\n"));
            }
            BuildListener printed = run.maySaySecrets() ? told.own() : told::all;
            try {
                program.run(sources::open, job.gift(), (stream, bytes) ->
                        printed.on(new BuildEvent.Log(vertex, stream, bytes)));
            } catch (StepFailed e) {
                String image = job.request().running().keepFailed() ? kept(program, run, config, told.own()) : "";
                told.own().on(new BuildEvent.Failed(vertex, String.valueOf(e.getMessage()), e.exitCode(), image));
                throw e;
            }
            return take(program.members(latest()));
        }
    }
}
