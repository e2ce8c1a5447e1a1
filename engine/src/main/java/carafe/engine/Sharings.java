package carafe.engine;

import carafe.runtime.HeldMount;
import carafe.runtime.RunningContainer;
import carafe.runtime.SharedNamespaces;
import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What containers share of others: processes (`--pid container:NAME`), ipc and shared memory (`--ipc container:NAME`).
/// Whose they are is looked up at every start, because a namespace lives as long as its container runs.
final class Sharings {
    private static final String CONTAINER = "container:";
    private static final String HOST = "host";
    private static final String SHARED_MEMORY = "/dev/shm";

    /// What a start takes at most where nothing is wrong.
    private static final Duration START = Duration.ofMillis(50);

    private final Book book;
    private final Links links;

    Sharings(Book book, Links links) {
        this.book = book;
        this.links = links;
    }

    /// Where what is shared is found by this process; `""` for what is not.
    record Joined(String processes, String ipc, String memory) {
        static final Joined NONE = new Joined("", "", "");
    }

    Links links() {
        return links;
    }

    /// What one start holds of others until it is closed.
    record Shared(Optional<SharedNamespaces> processes, Optional<SharedNamespaces> ipc, Optional<HeldMount> memory)
            implements AutoCloseable {

        static final Shared NONE = new Shared(Optional.empty(), Optional.empty(), Optional.empty());

        Joined joined() {
            return new Joined(
                    processes.map(SharedNamespaces::processes).orElse(""),
                    ipc.map(SharedNamespaces::ipc).orElse(""),
                    memory.map(HeldMount::path).orElse(""));
        }

        /// Whose users own it.
        Optional<SharedNamespaces> owner() {
            return processes.or(() -> ipc);
        }

        @Override
        public void close() {
            processes.ifPresent(SharedNamespaces::close);
            ipc.ifPresent(SharedNamespaces::close);
            memory.ifPresent(HeldMount::close);
        }
    }

    /// `mode` with the id of the container that it names in place of its name. One that is not there stays as it is named:
    /// the start says so.
    String named(String mode) {
        return other(mode).flatMap(this::known).map(container -> CONTAINER + container.id()).orElse(mode);
    }

    private Optional<Container> known(String reference) {
        try {
            return Optional.of(book.find(reference));
        } catch (EngineException unknown) {
            return Optional.empty();
        }
    }

    /// What the mode names: `container:X` is X.
    static Optional<String> other(String mode) {
        return mode.startsWith(CONTAINER) ? Optional.of(mode.substring(CONTAINER.length())) : Optional.empty();
    }

    /// The containers that have to run before this one can be started, as far as they are known: those it shares
    /// something of and those it is linked to.
    Set<Container> needed(ContainerSnapshot container) {
        var needed = new LinkedHashSet<Container>();
        var modes = container.host().namespaces();
        for (String mode : List.of(modes.network(), modes.pid(), modes.ipc())) {
            other(mode).flatMap(this::known).ifPresent(needed::add);
        }
        needed.addAll(links.targets(container));
        return needed;
    }

    /// How long to wait for containers that have to run before it and are about to be restarted, by their policy or by a
    /// user, or that wait for such ones themselves. It does not wait for one that waits for it: names can be given so that
    /// two share of each other, and then their start has to fail and say why.
    Optional<Duration> untilTheyStart(Container container, Instant now) {
        var longest = Optional.<Duration>empty();
        var seen = new HashSet<Container>(Set.of(container));
        var row = List.of(container);
        for (long far = 1; !row.isEmpty(); far++) {
            var next = new ArrayList<Container>();
            for (var one : row) {
                for (var other : needed(one.snapshot())) {
                    boolean runs = other.state().alive() && !other.isComingBack();
                    if (runs || !seen.add(other) || needs(other, container)) {
                        continue;
                    }
                    next.add(other);
                    var left = untilItStarts(other, now);
                    if (left.isPresent()) {
                        var wait = left.get().plus(START.multipliedBy(far));
                        longest = longest.filter(known -> known.compareTo(wait) >= 0).or(() -> Optional.of(wait));
                    }
                }
            }
            row = next;
        }
        return longest;
    }

    private static Optional<Duration> untilItStarts(Container other, Instant now) {
        if (other.isComingBack()) {
            return Optional.of(Duration.ZERO);
        }
        return other.state() instanceof State.Restarting(var _, var at)
                ? Optional.of(at.isAfter(now) ? Duration.between(now, at) : Duration.ZERO)
                : Optional.empty();
    }

    /// Whether `other` has to run before `container`, itself or for another.
    private boolean needs(Container container, Container other) {
        var seen = new HashSet<Container>(Set.of(container));
        var open = new ArrayDeque<Container>(seen);
        while (!open.isEmpty()) {
            for (var next : needed(open.pop().snapshot())) {
                if (next.equals(other)) {
                    return true;
                }
                if (seen.add(next)) {
                    open.push(next);
                }
            }
        }
        return false;
    }

    /// What a plan that is only shown has in the place of what is shared.
    static Joined shown(HostConfig host) {
        var modes = host.namespaces();
        return new Joined(
                other(modes.pid()).map(name -> "/proc/self/fd/PROCESSES").orElse(""),
                other(modes.ipc()).map(name -> "/proc/self/fd/IPC").orElse(""),
                other(modes.ipc()).map(name -> "/proc/self/fd/MEMORY").orElse(""));
    }

    /// Confined to the container's queue: takes hold of what it shares.
    Shared open(ContainerSnapshot container) throws EngineException {
        var modes = container.host().namespaces();
        var held = new ArrayList<AutoCloseable>();
        boolean complete = false;
        try {
            Optional<SharedNamespaces> processes = Optional.empty();
            var donor = other(modes.pid());
            if (donor.isPresent()) {
                processes = Optional.of(namespaces(container, donor.get(), "PID"));
                held.add(processes.get());
            }
            var shared = new Shared(processes, Optional.empty(), Optional.empty());
            var sharer = other(modes.ipc());
            if (sharer.isPresent()) {
                var ipc = namespaces(container, sharer.get(), "IPC");
                held.add(ipc);
                if (processes.isPresent() && !container.host().namespaces().ids().none() && !processes.get().hasUsersOf(ipc)) {
                    throw otherUsers(container, "the processes and the ipc");
                }
                Optional<HeldMount> memory = mountsOwnMemory(container)
                        ? Optional.empty()
                        : Optional.of(running(sharer.get(), "IPC").sharedMemory());
                shared = new Shared(processes, Optional.of(ipc), memory);
            }
            complete = true;
            return shared;
        } finally {
            if (!complete) {
                held.forEach(Sharings::release);
            }
        }
    }

    private static void release(AutoCloseable held) {
        try {
            held.close();
        } catch (Exception e) {
            throw new AssertionError("closing a descriptor does not fail", e);
        }
    }

    private static boolean mountsOwnMemory(ContainerSnapshot container) {
        return container.host().files().mounts().stream().anyMatch(mount -> mount.target().equals(SHARED_MEMORY));
    }

    /// That `what` belongs to different containers, each of which has users of its own.
    static EngineException otherUsers(ContainerSnapshot container, String what) {
        return new EngineException.Conflict("cannot share " + what + " of different containers with container "
                + container.name() + ": each has users of its own, to whom they belong; share all of one container");
    }

    private SharedNamespaces namespaces(ContainerSnapshot container, String reference, String kind)
            throws EngineException {
        var process = running(reference, kind);
        var other = book.find(reference).snapshot();
        if (kind.equals("IPC") && !isShareable(other.host().namespaces().ipc())) {
            throw new EngineException.Invalid(failed(kind) + "container " + other.id()
                    + ": non-shareable IPC (hint: use IpcMode:shareable for the donor container)");
        }
        if (!other.host().namespaces().ids().equals(container.host().namespaces().ids())) {
            throw new EngineException.Conflict(failed(kind) + "it belongs to the users of container " + other.name()
                    + ", and they are others than those of this container; make the container anew");
        }
        if (kind.equals("PID")) {
            refuseTracers(container, other);
        }
        return process.namespaces();
    }

    /// What is started among processes of another has the spawner's rights until its program runs; who may trace there
    /// with the host's users would have them too. A privileged container has them anyway, and so has one that may trace
    /// the host's processes.
    private void refuseTracers(ContainerSnapshot container, ContainerSnapshot donor) throws EngineException {
        String space = processesOf(donor);
        if (space.equals(HOST)) {
            return;
        }
        for (var each : book.all()) {
            var member = each.snapshot();
            boolean runs = each.state().alive() && !member.id().equals(container.id());
            if (runs && processesOf(member).equals(space) && mayTraceAsHostsRoot(member.host())) {
                throw new EngineException.Conflict(failed("PID") + "container " + member.name()
                        + " may trace processes there (SYS_PTRACE) with the host's users, and would be root on the host"
                        + " by tracing container " + container.name() + " while it is started; make container "
                        + member.name() + " anew without SYS_PTRACE (--cap-drop SYS_PTRACE), or with users of its own"
                        + " (--userns=auto for it or for the one whose processes it shares)");
            }
        }
    }

    private static boolean mayTraceAsHostsRoot(HostConfig host) {
        return host.namespaces().ids().none()
                && !host.rights().privileged()
                && SpecComposer.capabilities(host.rights()).contains("CAP_SYS_PTRACE");
    }

    /// The id of the container whose processes this one is among, through all that share them of each other; `host` where
    /// they are the host's.
    private String processesOf(ContainerSnapshot container) {
        var at = container;
        var seen = new LinkedHashSet<String>();
        while (seen.add(at.id())) {
            var next = other(at.host().namespaces().pid()).flatMap(this::known);
            if (next.isEmpty()) {
                return at.host().namespaces().pid().equals(HOST) ? HOST : at.id();
            }
            at = next.get().snapshot();
        }
        return at.id();
    }

    private static boolean isShareable(String ipc) {
        return ipc.equals("shareable") || ipc.equals("host") || other(ipc).isPresent();
    }

    private static String failed(String kind) {
        return "failed to join " + kind + " namespace: ";
    }

    private RunningContainer running(String reference, String kind) throws EngineException {
        Container other;
        try {
            other = book.find(reference);
        } catch (EngineException.NotFound e) {
            throw new EngineException.Invalid(failed(kind) + e.getMessage());
        }
        if (other.state() instanceof State.Restarting) {
            throw new EngineException.Conflict(failed(kind) + "Container " + other.id()
                    + " is restarting, wait until the container is running");
        }
        return other.running().orElseThrow(() ->
                new EngineException.Conflict(failed(kind) + "container " + other.id() + " is not running"));
    }
}
