package carafe.build.solve;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.step.CopyStep;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.FileSource;
import carafe.build.tree.MountedTree;
import carafe.build.tree.Node;
import carafe.build.tree.RootView;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Opens what the steps of one build read from.
final class Sources {

    private final Workshop workshop;
    private final Job job;
    private final StageSolver.Results results;

    Sources(Workshop workshop, Job job, StageSolver.Results results) {
        this.workshop = workshop;
        this.job = job;
        this.results = results;
    }

    /// The files of `origin`; waits for a stage that is not done yet.
    FileSource open(Origin origin) throws IOException, EngineException, InterruptedException {
        return switch (origin) {
            case Origin.Context() -> new Borrowed(job.contexts().main());
            case Origin.OfStage(int index) -> root(results.of(index));
            case Origin.OfImage image -> root(job.kept().state(image));
            case Origin.Scratch() -> root(StageResult.EMPTY);
            case Origin.NamedContext(var name) -> new Borrowed(named(name));
        };
    }

    private ContextArchive named(String name) throws EngineException.Invalid {
        var context = job.contexts().directories().get(name);
        if (context == null) {
            throw new EngineException.Invalid("the context " + name + " was not sent with the build");
        }
        return context;
    }

    /// The files of a state, read-only.
    MountedTree root(StageResult state) throws EngineException, IOException {
        return root(workshop, state);
    }

    /// The files of a state, read-only.
    static MountedTree root(Workshop workshop, StageResult state) throws EngineException, IOException {
        String id = "view-" + Names.fresh();
        var plan = workshop.place().snapshots().prepare(id, state.diffIds());
        try {
            return state.diffIds().isEmpty() ? RootView.readOnly(plan) // of a directory of the snapshot, which goes
                    : RootView.ofLayers(plan); // the mount holds the layers; the snapshot has done its work
        } finally {
            workshop.place().snapshots().remove(id);
        }
    }

    /// What a bind mount's content is, as far as the key of a step goes.
    String identity(Mount.Bind bind) throws IOException, EngineException, InterruptedException {
        return switch (bind.from()) {
            case Origin.OfStage(int index) -> results.of(index).chain().hex();
            case Origin.OfImage(var _, var id) -> id.hex();
            case Origin.Scratch() -> "";
            case Origin.Context(), Origin.NamedContext(var _) -> {
                try (var files = open(bind.from()); var step = mounted(bind, files)) {
                    yield step.digest().hex();
                }
            }
        };
    }

    /// The files of a bind mount of a context, by their paths in it, if they are no more than `most`.
    Map<String, String> fingerprints(Mount.Bind bind, int most) throws IOException, EngineException, InterruptedException {
        if (!(bind.from() instanceof Origin.Context || bind.from() instanceof Origin.NamedContext)) {
            return Map.of();
        }
        try (var files = open(bind.from()); var step = mounted(bind, files)) {
            return step.files() <= most ? step.fingerprints() : Map.of();
        }
    }

    private CopyStep mounted(Mount.Bind bind, FileSource files) throws IOException, EngineException {
        String source = IgnorePatterns.clean(bind.source());
        if (!source.isEmpty() && files.follow(source).isEmpty()) {
            throw new EngineException.Invalid("cannot mount " + bind.source() + " at " + bind.target()
                    + ": there is no such file in the build context, or .dockerignore excludes it");
        }
        var all = new Operation.Copy(false, bind.from(), List.of(bind.source()), List.of(), "/", Operation.Options.NONE);
        return CopyStep.select(all, files, false, workshop.place().scratch());
    }

    /// The context, which is closed by the build and not by a step.
    private record Borrowed(ContextArchive context) implements FileSource {

        @Override
        public Optional<Node> follow(String path) {
            return context.follow(path);
        }

        @Override
        public Optional<Node> find(String path) {
            return context.find(path);
        }

        @Override
        public List<Node> list(String directory) {
            return context.list(directory);
        }

        @Override
        public InputStream open(Node file) throws IOException {
            return context.open(file);
        }

        @Override
        public Digest content(Node file) throws IOException {
            return context.content(file);
        }

        @Override
        public void close() {
            // the build closes the context
        }
    }
}
