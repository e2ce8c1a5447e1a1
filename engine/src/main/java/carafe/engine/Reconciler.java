package carafe.engine;

import carafe.engine.store.Database;
import carafe.engine.store.Row;
import carafe.engine.volume.VolumeBook;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.ExitInfo;
import carafe.runtime.RunningContainer;
import carafe.runtime.RunningProcess;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.RestartPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Compares what the database says with what the kernel and the disk have, when the engine opens: containers whose
/// monitor lives are taken over as they run; of those that ended meanwhile the exit record is read; what runs or lies
/// around without a row goes. Nothing that runs is restarted, but what a user was restarting. Nothing here stops the start
/// of the engine: a row that cannot be read is set aside with all its files and its name, and a container whose process
/// cannot be looked at now stays as its row says; the log tells of both.
final class Reconciler {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final int UNKNOWN_EXIT = 255;
    private static final int ID_LENGTH = 64;

    private final Book book;
    private final ContainerRuntime runtime;
    private final WritableLayers layers;
    private final VolumeBook volumes;
    private final Layout layout;
    private final Lifecycle lifecycle;
    private final Restarter restarter;
    private final LiveNetworks networks;
    private final Sharings sharings;

    /// Those who go on with what was found.
    record Resumers(VolumeBook volumes, Lifecycle lifecycle, Restarter restarter, LiveNetworks networks,
            Sharings sharings) {}

    Reconciler(Book book, ContainerRuntime runtime, WritableLayers layers, Layout layout, Resumers resumers) {
        this.book = book;
        this.runtime = runtime;
        this.layers = layers;
        this.volumes = resumers.volumes;
        this.layout = layout;
        this.lifecycle = resumers.lifecycle;
        this.restarter = resumers.restarter;
        this.networks = resumers.networks;
        this.sharings = resumers.sharings;
    }

    /// Brings the book to what is true. `sameBoot`: the rows were written since the host started.
    void run(List<Row> rows, boolean sameBoot, Instant now) throws EngineException {
        var runs = list(layout.runs());
        var ids = new HashSet<String>();
        var keys = new HashMap<String, Container>();
        var aside = new HashSet<String>();
        var unread = new HashMap<String, String>();
        var writings = new ArrayList<Database.Writing>();
        for (var row : rows) {
            ids.add(row.id());
            var container = read(row);
            if (container.isEmpty()) {
                aside.add(Layout.key(row.id()));
                unread.put(row.id(), row.document());
                continue;
            }
            String key = Layout.key(row.id());
            keys.put(key, container.get());
            if (runs.contains(key) || container.get().state().alive()) {
                try {
                    settle(container.get(), sameBoot, now).ifPresent(writings::add);
                } catch (EngineException e) {
                    LOG.error("container {} could not be looked at; it stays as it was last known", row.id(), e);
                }
            }
        }
        for (var writing : writings) {
            try {
                writing.await();
            } catch (EngineException e) {
                LOG.error("what became of a container could not be written down; the next start looks again", e);
            }
        }
        keys.values().forEach(this::settleLinks);
        volumes(keys.values(), unread);
        runs.removeAll(aside);
        sweepRuns(runs, keys);
        sweepExecs(keys, aside);
        sweepDirectories(ids, keys.values());
        networks.restore(running(rows, keys));
        var before = new HashSet<Container>();
        for (var container : donorsFirst(keys.values())) {
            resume(container, now, before);
            before.add(container);
        }
    }

    /// Older versions kept links by name, which broke when somebody was renamed.
    private void settleLinks(Container container) {
        var settled = sharings.links().settled(container.snapshot());
        if (settled.isPresent()) {
            try {
                book.save(settled.get());
                container.show(settled.get());
            } catch (EngineException e) {
                LOG.warn("the links of container {} stay by name until the next start", container.id(), e);
            }
        }
    }

    /// Who shares something of another or is linked to it comes after it: it can only start when the other runs.
    private List<Container> donorsFirst(Collection<Container> containers) {
        var ordered = new LinkedHashSet<Container>();
        containers.forEach(container -> place(container, new HashSet<>(), ordered));
        return List.copyOf(ordered);
    }

    private void place(Container container, Set<Container> asking, LinkedHashSet<Container> ordered) {
        if (asking.add(container)) { // else they wait for each other, and the first fails
            sharings.needed(container.snapshot()).forEach(donor -> place(donor, asking, ordered));
            ordered.add(container);
        }
    }

    private void volumes(Collection<Container> containers, Map<String, String> unread) throws EngineException {
        var mounts = new HashMap<String, List<MountRequest>>();
        var running = new HashSet<String>();
        for (var container : containers) {
            mounts.put(container.id(), container.snapshot().host().files().mounts());
            if (container.state().alive()) {
                running.add(container.id());
            }
        }
        volumes.settle(mounts, running);
        unread.forEach(volumes::keepFor);
    }

    /// The first process of every container that runs, also of one that was set aside: it keeps its network.
    private Map<String, Integer> running(List<Row> rows, Map<String, Container> keys) {
        var running = new HashMap<String, Integer>();
        for (var row : rows) {
            var container = keys.get(Layout.key(row.id()));
            try {
                var pid = container == null
                        ? runtime.adopt(layout.run(row.id())).map(RunningContainer::pid)
                        : pid(container);
                pid.ifPresent(alive -> running.put(row.id(), alive));
            } catch (EngineException e) {
                LOG.warn("the network of container {} is not known", row.id(), e);
            }
        }
        return running;
    }

    /// Also of one that could not be looked at now: as far as anybody knows it runs.
    private static Optional<Integer> pid(Container container) {
        return switch (container.state()) {
            case State.Running(int pid, var _) -> Optional.of(pid);
            case State.Paused(var running) -> Optional.of(running.pid());
            case State.Created _, State.Exited _, State.Restarting _, State.Removing _ -> Optional.empty();
        };
    }

    /// The container of a row; empty if nobody can read it. Names in the database are unique, so its name is free.
    private Optional<Container> read(Row row) {
        try {
            book.reserve(row.name(), row.id());
            return Optional.of(book.add(RecordCodec.read(row)));
        } catch (EngineException e) {
            LOG.error("container {} ({}) is set aside: {}. Its files stay in {}; a version of this program that can read"
                    + " the record finds it again", row.name(), row.id(), e.getMessage(), layout.container(row.id()));
            return Optional.empty();
        }
    }

    /// What became of a container that was running, or that has a run directory.
    private Optional<Database.Writing> settle(Container container, boolean sameBoot, Instant now)
            throws EngineException {
        var run = layout.run(container.id());
        var process = runtime.adopt(run);
        if (process.isPresent()) {
            return lifecycle.adopt(container, process.get(), process.get().paused());
        }
        var before = container.snapshot();
        Optional<Instant> started = switch (before.state()) {
            case State.Running running -> Optional.of(running.startedAt());
            case State.Paused(var running) -> Optional.of(running.startedAt());
            case State.Created _, State.Exited _, State.Restarting _, State.Removing _ -> Optional.empty();
        };
        var record = runtime.exitRecord(run);
        Optional<Database.Writing> writing = Optional.empty();
        if (started.isPresent() || record.isPresent() && isNews(before.state(), record.get())) {
            var exit = record.orElseGet(() -> new ExitInfo(UNKNOWN_EXIT, 0, now, false));
            if (record.isEmpty()) {
                LOG.warn("container {} is gone without a word{}", container.id(),
                        sameBoot ? "; its monitor was killed" : ": the host was restarted");
            }
            var exited = new State.Exited(
                    exit.code(), exit.oomKilled(), started.orElse(exit.at()), exit.at(), Optional.empty());
            var after = before.with(exited);
            container.show(after);
            book.tell(after, "die", List.of(
                    Map.entry("exitCode", Integer.toString(exit.code())),
                    Map.entry("execDuration", Long.toString(Math.max(0,
                            Duration.between(exited.startedAt(), exited.finishedAt()).toSeconds())))));
            writing = Optional.of(book.saveState(after));
            writing.get().await(); // before the record goes
        }
        discard(run, Optional.of(SpecComposer.cgroup(container.snapshot())));
        return writing;
    }

    /// Whether a record tells of an end that the row does not know: the crash came between the start and the row.
    private static boolean isNews(State state, ExitInfo record) {
        return switch (state) {
            case State.Created _ -> true;
            case State.Exited exited -> record.at().isAfter(exited.finishedAt());
            case State.Restarting(var last, var next) -> record.at().isAfter(last.finishedAt());
            case State.Running _, State.Paused _ -> true;
            case State.Removing _ -> false;
        };
    }

    /// What no container owns: a build's step, or a container that was being made. If it died before its record was
    /// written, its directory still tells the id that its control group is named by.
    private void sweepRuns(Set<String> runs, Map<String, Container> keys) throws EngineException {
        var ids = new HashMap<String, String>();
        list(layout.containers()).stream().filter(id -> id.length() == ID_LENGTH).forEach(id -> ids.put(Layout.key(id), id));
        for (var run : runs) {
            if (!keys.containsKey(run)) {
                LOG.info("sweeping the run directory {} that no container owns", run);
                discard(layout.runs().resolve(run), Optional.ofNullable(ids.get(run)));
            }
        }
    }

    /// Execs of a life before: those that run go on unseen until they end, the others go.
    private void sweepExecs(Map<String, Container> keys, Set<String> aside) throws EngineException {
        for (var name : list(layout.execRuns())) {
            Path run = layout.execRuns().resolve(name);
            int dash = name.indexOf('-');
            String key = dash < 0 ? name : name.substring(0, dash);
            if (aside.contains(key)) {
                continue;
            }
            Optional<RunningProcess> exec;
            try {
                exec = adoptExec(Optional.ofNullable(keys.get(key)), run);
            } catch (EngineException e) {
                LOG.warn("the old exec {} could not be looked at", name, e);
                continue;
            }
            if (exec.isEmpty()) {
                discard(run, Optional.empty());
                continue;
            }
            Thread.ofVirtual().name("exit of an old exec").start(() -> {
                try {
                    exec.get().awaitExit();
                    exec.get().delete();
                } catch (EngineException e) {
                    LOG.warn("the old exec {} was not cleaned up", name, e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
    }

    private static Optional<RunningProcess> adoptExec(Optional<Container> owner, Path run) throws EngineException {
        var process = owner.flatMap(Container::running);
        return process.isEmpty() ? Optional.empty() : process.get().adoptExec(run);
    }

    private void sweepDirectories(Set<String> ids, Collection<Container> known) throws EngineException {
        for (var id : layers.list()) {
            if (!ids.contains(ImageMounts.owner(id))) {
                LOG.info("sweeping the writable layer {} that no container owns", id);
                try {
                    layers.remove(id);
                } catch (EngineException e) {
                    LOG.warn("the writable layer {} was not swept", id, e);
                }
            }
        }
        layers.settle(ids, known.stream().map(Container::snapshot).toList());
        var keys = new HashSet<String>();
        ids.forEach(id -> keys.add(Layout.key(id)));
        sweep(layout.containers(), ids);
        sweep(layout.etcs(), keys);
    }

    private static void sweep(Path directories, Set<String> kept) throws EngineException {
        for (var name : list(directories)) {
            if (!kept.contains(name)) {
                try {
                    Remover.deleteTree(directories.resolve(name));
                } catch (IOException e) {
                    LOG.warn("the directory {} of no container was not swept", directories.resolve(name), e);
                }
            }
        }
    }

    /// What goes on after the engine opened: restarts that users had asked for, removal of ended `--rm` containers, restarts
    /// by policy.
    private void resume(Container container, Instant now, Set<Container> before) {
        var snapshot = container.snapshot();
        switch (snapshot.state()) {
            case State.Restarting pending -> {
                var left = Duration.between(now, pending.nextStart());
                lifecycle.restartAfter(container, pending, left.isNegative() ? Duration.ZERO : left,
                        needed(snapshot, before));
            }
            case State.Exited exited -> {
                boolean comingBack = snapshot.restarts().comingBack();
                if (snapshot.host().autoRemove() && !comingBack) {
                    lifecycle.removeLater(container);
                } else if (comingBack || wantsRestart(snapshot, exited)) {
                    lifecycle.startByPolicy(container, needed(snapshot, before));
                }
            }
            case State.Running _, State.Paused _ -> {
                if (snapshot.restarts().comingBack()) {
                    restarter.finish(container);
                }
            }
            case State.Created _, State.Removing _ -> { }
        }
    }

    private List<Container> needed(ContainerSnapshot container, Set<Container> before) {
        return sharings.needed(container).stream().filter(before::contains).toList();
    }

    /// As after an exit; what a user stopped stays stopped unless its policy is `always`.
    private static boolean wantsRestart(ContainerSnapshot container, State.Exited exited) {
        var policy = container.host().restart();
        boolean stopped = container.restarts().stoppedByUser();
        return RestartDelay.applies(policy, exited.exitCode(), container.restarts().count(), stopped)
                && !(stopped && policy.kind() == RestartPolicy.Kind.ON_FAILURE);
    }

    private void discard(Path run, Optional<String> cgroupsPath) {
        try {
            runtime.discard(run, cgroupsPath);
        } catch (EngineException e) {
            LOG.warn("the run directory {} was not swept", run, e);
        }
    }

    private static Set<String> list(Path directory) throws EngineException {
        var names = new HashSet<String>();
        try (var entries = Files.newDirectoryStream(directory)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (IOException e) {
            throw Failures.io("cannot read the directory " + directory, e);
        }
        return names;
    }
}
