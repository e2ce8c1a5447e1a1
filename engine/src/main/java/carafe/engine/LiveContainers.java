package carafe.engine;

import carafe.runtime.ContainerRuntime;
import carafe.runtime.RunningContainer;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import carafe.spec.docker.PathStat;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The door to containers: finds the one meant, and hands the work to whoever does it, on the container's queue where
/// it changes something.
final class LiveContainers implements Containers {
    private final Book book;
    private final ContainerRuntime runtime;
    private final BundleMaker bundles;
    private final Clock clock;
    private final Hands hands;

    /// Those who do the work.
    record Hands(Creator creator, ContainerPlanner planner, Lifecycle lifecycle, Stopper stopper, Restarter restarter,
            Remover remover, Streams streams, ContainerCopies copies, Viewer viewer, LiveExecs execs, Updater updater,
            RecentStarts recent, Memberships memberships, Layout layout) {}

    LiveContainers(Book book, ContainerRuntime runtime, BundleMaker bundles, Clock clock, Hands hands) {
        this.book = book;
        this.runtime = runtime;
        this.bundles = bundles;
        this.clock = clock;
        this.hands = hands;
    }

    @Override
    public CreateResult create(CreateRequest request) throws EngineException {
        return hands.creator.create(request);
    }

    @Override
    public void start(String reference) throws EngineException, InterruptedException {
        var container = book.find(reference);
        var asked = new AskedStart(hands.stopper, container);
        try {
            change(container, () -> asked.run(() -> hands.lifecycle.start(container)));
        } catch (InterruptedException e) {
            asked.leave();
            throw e;
        }
    }

    @Override
    public void stop(String reference, StopRequest request) throws EngineException, InterruptedException {
        var container = book.find(reference);
        alone("stop", () -> hands.stopper.stop(container, request, false));
    }

    @Override
    public void restart(String reference, StopRequest request) throws EngineException, InterruptedException {
        var container = book.find(reference);
        alone("restart", () -> {
            hands.restarter.restart(container, request);
            book.tell(container.snapshot(), "restart");
        });
    }

    @Override
    public void kill(String reference, String signal) throws EngineException, InterruptedException {
        var container = book.find(reference);
        alone("kill", () -> hands.stopper.kill(container, signal));
    }

    @Override
    public void pause(String reference) throws EngineException, InterruptedException {
        var container = book.find(reference);
        change(container, () -> {
            if (container.state() instanceof State.Paused) {
                throw new EngineException.Conflict("container " + container.id() + " is already paused");
            }
            var process = container.process();
            if (container.state() instanceof State.Running running) {
                process.pause();
                container.show(container.snapshot().with(new State.Paused(running)));
                book.tell(container.snapshot(), "pause");
            }
        });
    }

    @Override
    public void unpause(String reference) throws EngineException, InterruptedException {
        var container = book.find(reference);
        change(container, () -> {
            if (!(container.state() instanceof State.Paused(var running))) {
                throw new EngineException.Conflict("container " + container.id() + " is not paused");
            }
            container.process().resume();
            container.show(container.snapshot().with(running));
            book.tell(container.snapshot(), "unpause");
        });
    }

    @Override
    public Waiting await(String reference, WaitCondition condition) throws EngineException {
        var container = book.find(reference);
        return container.waits().register(condition, () -> {
            boolean runs = container.state().alive() || container.state() instanceof State.Restarting;
            boolean over = container.removed() || condition == WaitCondition.NOT_RUNNING && !runs;
            return over ? Optional.of(new Waiting.Result(container.lastExitCode(), "")) : Optional.empty();
        });
    }

    @Override
    public void remove(String reference, RemoveRequest request) throws EngineException, InterruptedException {
        var container = book.find(reference);
        if (container.state() instanceof State.Removing) {
            throw new EngineException.Conflict("removal of container " + container.id() + " is already in progress");
        }
        if (!request.force()) {
            removeEnded(container, request.volumes());
            return;
        }
        alone("remove", () -> {
            try (var _ = hands.stopper.giveUpStart(container)) {
                hands.stopper.killForRemoval(container);
                removeEnded(container, request.volumes());
            }
        });
    }

    private void removeEnded(Container container, boolean volumes) throws EngineException, InterruptedException {
        change(container, () -> {
            refuseRunning(container);
            hands.remover.removeEnded(container, volumes);
        });
    }

    private static void refuseRunning(Container container) throws EngineException.Conflict {
        var state = container.state();
        String name = "cannot remove container \"/" + container.snapshot().name() + "\": container is ";
        if (state instanceof State.Paused) {
            throw new EngineException.Conflict(name + "paused and must be unpaused first");
        }
        if (state.alive() || state instanceof State.Restarting) {
            throw new EngineException.Conflict(
                    name + state.word() + ": stop the container before removing or force remove");
        }
    }

    @Override
    public void rename(String reference, String name) throws EngineException, InterruptedException {
        var container = book.find(reference);
        if (name.isEmpty()) {
            throw new EngineException.Invalid("Neither old nor new names may be empty");
        }
        String plain = ContainerPlanner.checkName(name);
        change(container, () -> {
            String old = container.snapshot().name();
            if (old.equals(plain)) {
                throw new EngineException.Invalid("Renaming a container with the same name as its current name");
            }
            book.reserve(plain, container.id());
            var renamed = container.snapshot().named(plain);
            try {
                book.save(renamed);
            } catch (EngineException e) {
                book.release(plain, container.id());
                throw e;
            }
            container.show(renamed);
            book.release(old, container.id());
            hands.lifecycle.tellRenamed(container);
            book.tell(renamed, "rename", List.of(Map.entry("oldName", "/" + old)));
        });
    }

    @Override
    public ContainerDetails inspect(String reference, boolean size) throws EngineException {
        var container = book.find(reference);
        if (container.root().isEmpty()) {
            try {
                change(container, () -> bundles.root(container));
            } catch (EngineException.NotFound e) {
                // its image was removed by force: there is nothing to say about its layers
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return hands.viewer.details(container, size, hands.execs.of(container.id()));
    }

    @Override
    public List<ContainerSummary> list(ListQuery query) throws EngineException {
        return hands.viewer.list(query);
    }

    @Override
    public Attachment attach(String reference, AttachRequest request) throws EngineException, InterruptedException {
        return hands.streams.attach(book.find(reference), request);
    }

    @Override
    public void resize(String reference, TerminalSize size) throws EngineException {
        var container = book.find(reference);
        container.process().resize(consoleSize(size));
        book.tell(container.snapshot(), "resize", List.of(
                Map.entry("height", Integer.toString(size.rows())),
                Map.entry("width", Integer.toString(size.columns()))));
    }

    static ProcessSpec.ConsoleSize consoleSize(TerminalSize size) throws EngineException.Invalid {
        if (size.rows() < 0 || size.columns() < 0 || size.rows() > 65535 || size.columns() > 65535) {
            throw new EngineException.Invalid(
                    "invalid terminal size: " + size.rows() + " rows, " + size.columns() + " columns");
        }
        return new ProcessSpec.ConsoleSize(size.rows(), size.columns());
    }

    @Override
    public ByteSource logs(String reference, LogQuery query) throws EngineException {
        return hands.streams.logs(book.find(reference), query);
    }

    @Override
    public ProcessTable top(String reference, String psArguments) throws EngineException, InterruptedException {
        var container = book.find(reference);
        if (container.state() instanceof State.Restarting) {
            throw new EngineException.Conflict("container " + container.id()
                    + " is restarting, wait until the container is running");
        }
        var table = ProcessLister.list(container.process().processes(), psArguments);
        book.tell(container.snapshot(), "top");
        return table;
    }

    @Override
    public UsageSample usage(String reference) throws EngineException {
        var container = book.find(reference);
        var process = container.process();
        return Usage.sample(process.stats(), Runtime.getRuntime().availableProcessors(),
                hands.memberships.traffic(container.id()));
    }

    @Override
    public List<PathChange> changes(String reference) throws EngineException {
        inspect(reference, false);
        var root = book.find(reference).root();
        return root.isEmpty() ? List.of() : RootChanges.of(root.get());
    }

    @Override
    public PathStat pathStat(String reference, String path) throws EngineException, InterruptedException {
        try {
            return hands.copies.stat(book.find(reference), path);
        } catch (IOException e) {
            throw Failures.io("cannot look at " + path + " in container " + reference, e);
        }
    }

    @Override
    public void readArchive(String reference, String path, ArchiveReceiver receiver)
            throws EngineException, InterruptedException, IOException {
        hands.copies.read(book.find(reference), path, receiver);
    }

    @Override
    public void writeArchive(String reference, ArchiveTarget target, SentTar archive)
            throws EngineException, InterruptedException, IOException {
        hands.copies.write(book.find(reference), target, archive);
    }

    @Override
    public Download export(String reference) throws EngineException {
        var container = book.find(reference);
        if (container.state() instanceof State.Removing) {
            throw new EngineException.Conflict("You cannot export container " + container.id()
                    + " which is being removed");
        }
        book.tell(container.snapshot(), "export");
        return out -> hands.viewer.export(container.id(), out);
    }

    @Override
    public List<String> update(String reference, Json.Obj changes) throws EngineException, InterruptedException {
        var container = book.find(reference);
        change(container, () -> hands.updater.update(container, changes));
        return List.of();
    }

    @Override
    public PruneReport prune(Filters filters) throws EngineException, InterruptedException {
        filters.allowOnly(Set.of("until", "label", "label!"));
        var until = ContainerFilter.until(filters, clock.instant());
        var removed = new ArrayList<String>();
        long bytes = 0;
        for (var container : book.all()) {
            var snapshot = container.snapshot();
            boolean goes = (snapshot.state() instanceof State.Created || snapshot.state() instanceof State.Exited)
                    && (until.isEmpty() || snapshot.created().isBefore(until.get()))
                    && filters.allowsLabels("label", snapshot.config().labels())
                    && (filters.of("label!").isEmpty()
                            || !filters.allowsLabels("label!", snapshot.config().labels()));
            if (goes) {
                try {
                    long size = hands.viewer.writableBytes(container.id());
                    remove(container.id(), new RemoveRequest(false, false));
                    bytes += size;
                    removed.add(container.id());
                } catch (EngineException.Conflict | EngineException.NotFound e) {
                    // somebody started or removed it meanwhile
                }
            }
        }
        return new PruneReport(removed, bytes);
    }

    @Override
    public Json.Obj explain(String reference) throws EngineException {
        try {
            return explained(reference);
        } catch (EngineException.NotFound e) { // it may have been removed between two looks, and be remembered now
            return hands.recent.find(reference).orElseThrow(() -> e).toJson();
        }
    }

    private Json.Obj explained(String reference) throws EngineException {
        String id = hands.recent.find(reference).isPresent() ? reference : book.find(reference).id();
        var process = hands.recent.find(id).isPresent() ? Optional.<RunningContainer>empty() : book.find(id).running();
        if (process.isPresent()) {
            return hands.memberships.explained(id, process.get().explanation()).get().toJson();
        }
        return hands.recent.find(id) // also of one that has ended since the first look
                .orElseThrow(() -> new EngineException.NotFound("the start of container " + id
                        + " is not remembered: it was never started, or too long ago"))
                .toJson();
    }

    @Override
    public List<PortReach> reach(String reference) throws EngineException {
        return hands.memberships.reach(book.find(reference).snapshot());
    }

    @Override
    public Json.Obj dryRun(CreateRequest request) throws EngineException {
        String id = "0".repeat(64);
        var plan = hands.planner.plan(request, id, request.name().isEmpty() ? "dry_run" : request.name());
        Path directory = hands.layout.container(id);
        var root = new RootfsPlan.Overlay(
                List.of(directory.resolve("layers")), directory.resolve("upper"), directory.resolve("work"));
        var bundle = bundles.bundle(plan.container(), root, new SpecComposer.Places(
                hands.layout.files(id, hands.memberships.filesOf(plan.container())),
                hands.memberships.shownPath(plan.container()),
                plan.container().host().namespaces().ids().none() ? "" : "/proc/self/fd/USERS",
                Sharings.shown(plan.container().host()),
                hands.memberships.links().environment(plan.container())));
        return hands.memberships.planned(plan.container(), runtime.plan(bundle).explanation()).toJson();
    }

    /// Runs `action` in the container's turn, unless it is gone by then.
    private static void change(Container container, Mailbox.Action action)
            throws EngineException, InterruptedException {
        container.mailbox().perform(() -> {
            if (container.removed()) {
                throw Book.unknown(container.id());
            }
            action.run();
        });
    }

    /// Runs `action` to its end even if the client leaves meanwhile.
    private static void alone(String what, Mailbox.Action action) throws EngineException, InterruptedException {
        new Mailbox(what).perform(action);
    }
}
