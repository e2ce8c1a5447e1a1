package carafe.build;

import carafe.build.cache.CacheDocument;
import carafe.build.cache.CacheImage;
import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Source;
import carafe.build.plan.BaseImages;
import carafe.build.plan.BuildPlan;
import carafe.build.plan.BuildkitArguments;
import carafe.build.plan.PlanOptions;
import carafe.build.plan.Planner;
import carafe.build.solve.CacheExporter;
import carafe.build.solve.Flights;
import carafe.build.solve.HeldEvents;
import carafe.build.solve.ImportedCache;
import carafe.build.solve.Job;
import carafe.build.solve.KeptImages;
import carafe.build.solve.Solver;
import carafe.build.solve.StageResult;
import carafe.build.solve.StepCache;
import carafe.build.solve.Workshop;
import carafe.build.source.ContextMemory;
import carafe.build.source.Contexts;
import carafe.build.source.Remotes;
import carafe.build.step.CacheMounts;
import carafe.build.step.Emulators;
import carafe.build.step.RunStep;
import carafe.build.step.StepFailed;
import carafe.build.step.StepRunner;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.ContextWanted;
import carafe.build.tree.IndexMemory;
import carafe.build.tree.Scratch;
import carafe.image.Images;
import carafe.image.Intake;
import carafe.kernel.FileTree;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// The builder of one state root. At most one is open per root.
public final class Builder implements AutoCloseable {

    private static final String IGNORE_FILE = ".dockerignore";
    private static final int MAX_IGNORE_BYTES = 4 << 20;

    private final Workshop workshop;
    private final Contexts.Place sending;
    private final Remotes remotes;
    private final CacheKeeping keeping;

    private Builder(Workshop workshop, Contexts.Place sending, Remotes remotes) {
        this.workshop = workshop;
        this.sending = sending;
        this.remotes = remotes;
        this.keeping = new CacheKeeping(workshop.cache(), workshop.place().caches(), workshop.images(),
                workshop.place().scratch().directory());
    }

    /// Where a builder keeps its things: `state` outlives the host's reboot, `secrets` (on memory) does not. Where the
    /// kernel shows its handlers for other processors' programs: `handlers`.
    public record Places(Path state, Path secrets, Path handlers) {
        /// On a real kernel.
        public Places(Path state, Path secrets) {
            this(state, secrets, Emulators.KERNEL);
        }
    }

    /// What a builder stands on; it does not close them.
    public record Parts(Images images, StepRunner runner, Remotes remotes, Clock clock) {}

    /// Opens the builder, making directories that are missing; what a crash left half done is deleted.
    public static Builder open(Places places, Parts parts) throws EngineException {
        return open(places, parts, IndexMemory.ofHeap());
    }

    /// One whose contexts and steps share `memory`.
    static Builder open(Places places, Parts parts, IndexMemory memory) throws EngineException {
        try {
            var scratch = new Scratch(places.state.resolve("scratch"), memory);
            for (Path directory : List.of(scratch.directory(), places.secrets)) {
                Files.createDirectories(directory,
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                sweep(directory);
            }
            var place = new RunStep.Place(parts.images.snapshots(), parts.runner,
                    CacheMounts.open(places.state.resolve("mounts")), scratch, places.secrets,
                    new Emulators(places.handlers, Platform.host()));
            var cache = StepCache.open(places.state.resolve("steps"), parts.images, parts.clock);
            var sending = new Contexts.Place(scratch, ContextMemory.open(places.state.resolve("contexts")));
            return new Builder(new Workshop(parts.images, cache, place, new Flights(), parts.clock), sending,
                    parts.remotes);
        } catch (IOException e) {
            throw new EngineException.Internal("cannot open the builder in " + places.state + ": " + e.getMessage(), e);
        }
    }

    private static void sweep(Path directory) throws IOException {
        try (var tree = FileTree.open(directory)) {
            for (var entry : tree.list("/")) {
                tree.deleteTree(entry.name());
            }
        }
    }

    /// Builds from `context`, a tar (plain or compressed) that is read to its end, behind those of contexts by name (see
    /// [Contexts#read]); `given` finds the images that stages
    /// begin with. An interrupt ends the build and everything that it runs.
    /// @throws EngineException.Invalid the Dockerfile or the context is at fault, or a step's program failed; the events
    /// told which
    /// @return `CONTEXT_WANTED`, with no step done and nothing told of any (cache mounts of imported caches are there), where a
    /// context that was only listed does not do
    public BuildOutcome build(BuildRequest request, BaseImages given, InputStream context, BuildListener listener)
            throws EngineException, InterruptedException {
        names(request); // a wrong one is told before anything is done
        var platforms = platforms(request);
        MadeImages.check(request, platforms.size());
        var buildkit = BuildkitArguments.of(request.arguments());
        var heard = HeldEvents.of(request, listener);
        try (var contexts = Contexts.read(request, context, remotes, workshop.images(), sending);
                var intake = workshop.images().intake()) {
            var files = contexts.main();
            var bases = new KeptImages(contexts.bases(given), workshop.images(), intake);
            var source = source(request, contexts);
            try {
                var dockerfile = dockerfile(source, buildkit.checks());
                var ignored = ignored(request.dockerfile(), files);
                if (request.result().call() == BuildRequest.Call.TARGETS) {
                    return said(request, Answers.targets(dockerfile));
                }
                var plans = new ArrayList<BuildPlan>();
                for (var platform : platforms) {
                    plans.add(Planner.plan(dockerfile, options(request, contexts, platform),
                            request.result().pull() ? bases::refresh : bases, ignored));
                }
                var plan = BuildPlan.joined(plans);
                warn(dockerfile, plan.findings(), heard);
                return switch (request.result().call()) {
                    case CHECK -> said(request, Answers.check(dockerfile, plan.findings()));
                    case OUTLINE -> said(request, Answers.outline(dockerfile, plans.getFirst()));
                    case TARGETS, BUILD -> {
                        refuseFindings(dockerfile, plan);
                        files.remove(ignored);
                        files.remove(apart(request));
                        yield solve(request, bases, plan, contexts, heard);
                    }
                };
            } catch (DockerfileException e) {
                if (request.result().call() == BuildRequest.Call.CHECK && request.result().json()) {
                    return BuildOutcome.said(Answers.broken(source, e));
                }
                throw e.in(source);
            }
        } catch (ContextWanted e) {
            HeldEvents.drop(heard);
            return BuildOutcome.CONTEXT_WANTED;
        } catch (InterruptedIOException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedException("the build was stopped");
        } catch (IOException e) {
            throw new EngineException.Unavailable("the build failed: " + e.getMessage(), e);
        } finally {
            HeldEvents.release(heard);
        }
    }

    private static BuildOutcome said(BuildRequest request, Answers answers) {
        return BuildOutcome.said(request.result().json() ? answers.json() : answers.text());
    }

    /// The caches that the build names; one that is at fault is told and done without.
    private ImportedCache imported(BuildRequest request, BaseImages bases, Job job)
            throws EngineException, IOException, InterruptedException {
        var images = new ArrayList<CacheImage>();
        for (var asked : request.cache().from()) {
            var found = bases.cache(asked, platforms(request));
            if (found.isEmpty()) {
                job.note("the cache " + asked.reference() + " is not there; building without it");
                continue;
            }
            try {
                for (var each : found) {
                    CacheDocument.of(each.configBytes());
                    var image = each.sparing(e -> job.note("the cache " + asked.reference() + " is not used any more: "
                            + e.getMessage()));
                    images.add(image);
                    if (asked.mounts()) {
                        for (String id : ImportedCache.mounts(image, workshop, job.intake())) {
                            job.note("the cache mount " + id + " comes from " + asked.reference());
                        }
                    }
                }
            } catch (EngineException e) {
                if (Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                job.note("the cache " + asked.reference() + " cannot be used: " + e.getMessage());
            }
        }
        return ImportedCache.of(images);
    }

    private List<String> exported(Job job, List<StageResult> results, Intake intake)
            throws EngineException, IOException, InterruptedException {
        var ids = new ArrayList<String>();
        var exporter = new CacheExporter(intake, workshop.place().caches());
        for (var to : job.exports()) {
            if (to.kind() != CacheExport.Kind.INLINE) {
                Optional<Reference> name = to.reference().isEmpty() ? Optional.empty()
                        : Optional.of(Reference.parse(to.reference()).withDefaultTag());
                ids.add(exporter.write(job, results, to.all(), to.mounts(), name).toString());
            }
        }
        return ids;
    }

    /// Writes the cache mounts of these ids, all when there are none, as an image without a name.
    /// @return the image's id
    /// @throws EngineException.NotFound there is no mount of such an id
    public Digest exportMounts(List<String> ids) throws EngineException, InterruptedException {
        try (var intake = workshop.images().intake()) {
            var caches = workshop.place().caches();
            var wanted = new TreeSet<String>();
            caches.list().forEach(kept -> wanted.add(kept.id()));
            for (String id : ids) {
                if (!wanted.contains(id)) {
                    throw new EngineException.NotFound("No such cache mount: " + id);
                }
            }
            if (!ids.isEmpty()) {
                wanted.retainAll(ids);
            }
            return new CacheExporter(intake, caches).write(List.copyOf(wanted));
        } catch (IOException e) {
            throw new EngineException.Internal("cannot export cache mounts: " + e.getMessage(), e);
        }
    }

    /// Fills the cache mounts that `image` holds and that are not here yet.
    /// @return their ids
    public List<String> importMounts(CacheImage image) throws EngineException, InterruptedException {
        try (var intake = workshop.images().intake()) {
            return ImportedCache.mounts(image, workshop, intake);
        } catch (IOException e) {
            throw new EngineException.Internal("cannot import cache mounts: " + e.getMessage(), e);
        }
    }

    private BuildOutcome solve(BuildRequest request, KeptImages bases, BuildPlan plan, Contexts contexts,
            BuildListener listener) throws EngineException, IOException, InterruptedException {
        try (var used = workshop.cache().use(); var early = workshop.images().departures().early().hold()) {
            var job = new Job(request, plan, contexts, listener, new Job.Held(bases, used));
            job.with(early);
            plan.unused().forEach(name -> job.note("the build argument " + name + " was given, and no ARG declares it"));
            job.with(imported(request, bases, job));
            var results = Solver.solve(workshop, job);
            var made = MadeImages.of(request, job, plan, results).commit(job.intake(), names(request));
            var caches = exported(job, results, job.intake());
            early.stay();
            return new BuildOutcome(Optional.of(made.shown()), "", caches, made.images(), Optional.of(made.about()),
                    made.index().isEmpty() ? Optional.empty() : Optional.of(Json.parseObject(made.index().get())));
        } catch (StepFailed e) {
            throw new EngineException.Invalid(String.valueOf(e.getMessage()));
        }
    }

    private static List<Reference> names(BuildRequest request) throws EngineException.Invalid {
        var names = new ArrayList<Reference>();
        for (String tag : request.tags()) {
            var name = Reference.parse(tag);
            if (name.digest().isPresent()) {
                throw new EngineException.Invalid("build tag cannot contain a digest: " + tag);
            }
            names.add(name.withDefaultTag());
        }
        return names;
    }

    /// The platforms to build for, each once.
    private static List<Platform> platforms(BuildRequest request) throws EngineException.Invalid {
        var platforms = new LinkedHashSet<Platform>();
        for (String text : request.platforms()) {
            platforms.add(text.equals("local") ? Platform.host() : Platform.parse(text));
        }
        return platforms.isEmpty() ? List.of(Platform.host()) : List.copyOf(platforms);
    }

    private static PlanOptions options(BuildRequest request, Contexts contexts, Platform platform) {
        return new PlanOptions(request.arguments(), request.target(), platform, request.labels(),
                contexts.directories().keySet(), contexts.images(), request.running().network());
    }

    private static Source source(BuildRequest request, Contexts contexts)
            throws IOException, EngineException, InterruptedException {
        String path = request.dockerfile().isEmpty() ? "Dockerfile" : request.dockerfile();
        var files = contexts.main();
        var bytes = path.matches("(?i)https?://.*") ? Optional.of(contexts.dockerfile(path, Source.MAX_BYTES))
                : files.read(path, Source.MAX_BYTES);
        if (bytes.isEmpty() && path.equals("Dockerfile")) {
            bytes = files.read("dockerfile", Source.MAX_BYTES);
        }
        String called = request.contexts().dockerfile().isEmpty() ? path : request.contexts().dockerfile();
        if (bytes.isEmpty()) {
            throw new EngineException.Invalid("Cannot locate specified Dockerfile: " + called);
        }
        try {
            return Source.of(called, bytes.get());
        } catch (DockerfileException e) {
            throw new EngineException.Invalid(called + ": " + e.getMessage());
        }
    }

    private static Dockerfile dockerfile(Source source, Optional<String> checks) throws DockerfileException {
        return checks.isPresent() ? Dockerfile.parse(source, checks.get()) : Dockerfile.parse(source);
    }

    /// A file of the Dockerfile's own comes before the context's.
    private static IgnorePatterns ignored(String dockerfile, ContextArchive files) throws IOException, EngineException {
        var own = files.read((dockerfile.isEmpty() ? "Dockerfile" : dockerfile) + IGNORE_FILE, MAX_IGNORE_BYTES);
        var common = own.isPresent() ? own : files.read(IGNORE_FILE, MAX_IGNORE_BYTES);
        return common.isEmpty() ? IgnorePatterns.NONE : IgnorePatterns.read(common.get());
    }

    /// The Dockerfile that is none of the context's files, and its own file of what to ignore.
    private static IgnorePatterns apart(BuildRequest request) throws EngineException.Invalid {
        String name = request.dockerfile();
        return BuildRequest.APART.contains(name) ? IgnorePatterns.of(List.of(name, name + IGNORE_FILE)) : IgnorePatterns.NONE;
    }

    private static void warn(Dockerfile file, List<Finding> findings, BuildListener listener) {
        for (var finding : findings) {
            listener.on(new BuildEvent.Warning(finding.rule().word(), finding.rule().description(), finding.message(),
                    finding.span().first(), file.source().excerpt(finding.span()), finding.fix()));
        }
    }

    private static void refuseFindings(Dockerfile file, BuildPlan plan) throws EngineException.Invalid {
        if (file.directives().checkErrors() && !plan.findings().isEmpty()) {
            var first = plan.findings().getFirst();
            throw new EngineException.Invalid("lint violation found for rules: " + first.rule().word() + ": "
                    + first.message() + "\n" + file.source().excerpt(first.span()));
        }
    }

    /// What builds keep for later ones.
    public CacheKeeping keeping() {
        return keeping;
    }

    /// Writes down what the cache learnt. Builds must be over.
    @Override
    public void close() {
        workshop.cache().close();
    }
}
