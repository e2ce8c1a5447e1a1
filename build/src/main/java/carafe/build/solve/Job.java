package carafe.build.solve;

import carafe.build.plan.BuildPlan;
import carafe.build.plan.Operation;
import carafe.build.plan.PlannedStage;
import carafe.build.source.Contexts;
import carafe.build.step.RunStep;
import carafe.build.tree.ContextWanted;
import carafe.image.EarlyBlobs;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.oci.Digest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/// One build while it is solved: what was asked, the plan, the context, who listens. Numbers the steps.
public final class Job {

    private final BuildRequest request;
    private final BuildPlan plan;
    private final Contexts contexts;
    private final BuildListener listener;
    private final Held held;
    private final Map<Integer, Integer> firsts = new HashMap<>();
    /// Guarded by itself.
    private final List<Learnt> learnt = new ArrayList<>();
    private ImportedCache imported = ImportedCache.NONE;
    private Optional<EarlyLayers> early = Optional.empty();
    /// Steps that may still want files of the context.
    private final AtomicInteger reading;
    /// Guards the order of events.
    private final ReentrantLock telling = new ReentrantLock();

    /// What is kept as long as a build goes on: the images that its plan names, with new layers, and results of steps.
    public record Held(KeptImages images, StepCache.Use results) {}

    /// A build of `plan` from `contexts`, which stay the caller's as `held` does; `listener` hears everything.
    public Job(BuildRequest request, BuildPlan plan, Contexts contexts, BuildListener listener, Held held) {
        this.held = held;
        this.request = request;
        this.plan = plan;
        this.contexts = contexts;
        this.listener = listener;
        this.reading = new AtomicInteger((int) plan.stages().stream().flatMap(stage -> stage.steps().stream())
                .filter(step -> step.operation().readsContext()).count());
    }

    BuildRequest request() {
        return request;
    }

    BuildPlan plan() {
        return plan;
    }

    Contexts contexts() {
        return contexts;
    }

    /// What keeps the layers as long as the build goes on.
    public Intake intake() {
        return held.images.intake();
    }

    /// The results of earlier builds and of this one.
    StepCache.Use results() {
        return held.results;
    }

    /// Uses the results of `cache` beside the engine's own; before the job is solved.
    public void with(ImportedCache cache) {
        imported = cache;
    }

    /// Has the layers that are sent to a registry compressed as they come, for `hold`; before the job is solved.
    public void with(EarlyBlobs.Hold hold) {
        early = Optional.of(EarlyLayers.of(request, plan, hold));
    }

    /// Comes when a stage has begun with these layers.
    void begun(PlannedStage stage, List<Digest> layers) throws EngineException {
        if (early.isPresent()) {
            early.get().begun(stage.index(), layers);
        }
    }

    /// Comes when a step of a stage has this layer.
    void layered(PlannedStage stage, Digest layer) throws EngineException {
        if (early.isPresent()) {
            early.get().layered(stage.index(), layer);
        }
    }

    /// Where the steps' results are to go beside this engine.
    public List<CacheExport> exports() {
        return request.cache().to();
    }

    ImportedCache imported() {
        return imported;
    }

    /// The images that the build works on.
    KeptImages kept() {
        return held.images;
    }

    /// Remembers a step's result, found or made.
    void learnt(PlannedStage stage, StepRecord record) {
        synchronized (learnt) {
            learnt.add(new Learnt(stage.index(), record));
        }
    }

    /// A step's result and its stage.
    record Learnt(int stage, StepRecord record) {}

    /// All results so far.
    List<Learnt> learnt() {
        synchronized (learnt) {
            return List.copyOf(learnt);
        }
    }

    RunStep.Gift gift() {
        var running = request.running();
        return new RunStep.Gift(running.secrets(), running.agents(), running.limits());
    }

    Optional<Long> epoch() {
        return request.result().epoch();
    }

    /// Comes before a step's work, which is only begun when the build can go on to its end: not while a context that was
    /// only listed may still have to come. What happens is told at once from now on.
    void working(String step) throws ContextWanted {
        if (listener instanceof HeldEvents held) {
            if (reading.get() > 0) {
                throw new ContextWanted(step);
            }
            held.release();
        }
    }

    /// Comes after a step.
    void passed(Operation operation) {
        if (operation.readsContext()) {
            reading.decrementAndGet();
        }
    }

    /// Tells people a sentence.
    public void note(String text) {
        tell(new BuildEvent.Note(text));
    }

    void tell(BuildEvent event) {
        telling.lock();
        try {
            listener.on(event);
        } finally {
            telling.unlock();
        }
    }

    /// Tells which steps there are, and remembers their numbers.
    void announce() {
        var vertices = new ArrayList<BuildEvent.Vertex>();
        boolean alone = plan.stages().stream().mapToInt(PlannedStage::inFile).distinct().count() == 1;
        for (var stage : plan.stages()) {
            firsts.put(stage.index(), vertices.size());
            boolean unnamed = stage.title().matches("\\d+");
            String name = !unnamed ? stage.title() : alone ? "" : "stage-" + stage.title();
            String title = (plan.labels().getOrDefault(stage.index(), "") + " " + name).strip();
            int total = stage.steps().size() + 1;
            vertices.add(new BuildEvent.Vertex(title, 1, total, "FROM " + stage.from()
                    + (unnamed ? "" : " AS " + stage.title()), stage.span().first(), true));
            int number = 2;
            for (var step : stage.steps()) {
                vertices.add(new BuildEvent.Vertex(title, number++, total, step.text(), step.span().first(), false));
            }
        }
        tell(new BuildEvent.Planned(List.copyOf(vertices)));
    }

    /// The number of a stage's FROM; its steps follow.
    int vertex(int stage) {
        return firsts.getOrDefault(stage, 0);
    }

    /// Whether results of earlier builds count for this stage.
    boolean usesCache(String title, int index) {
        var cache = request.cache();
        return !cache.ignore() && !cache.ignoreStages().contains(title)
                && !cache.ignoreStages().contains(Integer.toString(index));
    }
}
