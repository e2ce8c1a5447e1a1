package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.Timestamps;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// The filters of a list of containers, understood once and then asked for each container.
final class ContainerFilter {
    private static final Set<String> KEYS = Set.of(
            "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network",
            "publish", "since", "status", "volume");
    private static final List<String> STATES =
            List.of("created", "dead", "exited", "paused", "removing", "restarting", "running");

    private final Filters filters;
    private final Predicate<String> named;
    private final Set<Integer> exitCodes = new HashSet<>();
    private final Set<String> ancestors = new HashSet<>();
    private final Optional<Instant> before;
    private final Optional<Instant> since;
    private final NetworkIds networks;

    /// `find` looks up the containers that `before` and `since` name; `imageId` the id an ancestor's name means, which
    /// may throw NotFound.
    ContainerFilter(Filters filters, Lookup<Container> find, Lookup<String> imageId, NetworkIds networks)
            throws EngineException {
        this.networks = networks;
        filters.allowOnly(KEYS);
        this.filters = filters;
        this.named = filters.finding("name");
        for (var code : filters.of("exited")) {
            try {
                exitCodes.add(Integer.parseInt(code));
            } catch (NumberFormatException e) {
                throw new EngineException.Invalid("invalid filter 'exited=" + code + "'");
            }
        }
        for (var status : filters.of("status")) {
            if (!STATES.contains(status)) {
                throw new EngineException.Invalid("invalid filter 'status=" + status + "'");
            }
        }
        for (var ancestor : filters.of("ancestor")) {
            try {
                ancestors.add(imageId.of(ancestor));
            } catch (EngineException.NotFound e) {
                ancestors.add(ancestor); // no such image: nothing descends from it
            }
        }
        before = moment(filters.of("before"), find);
        since = moment(filters.of("since"), find);
        filters.truth("is-task", false);
    }

    /// Whether `word` begins the id of the network called `name`.
    @FunctionalInterface
    interface NetworkIds {
        boolean isIdOf(String word, String name);
    }

    /// Looks something up by a name a user gave.
    @FunctionalInterface
    interface Lookup<T> {
        T of(String name) throws EngineException;
    }

    /// Whether filters ask for states that a plain list leaves out.
    boolean wantsStopped() {
        return !filters.of("status").isEmpty() || !exitCodes.isEmpty();
    }

    boolean matches(ContainerSnapshot container) throws EngineException {
        return id(container)
                && name(container)
                && filters.allows("status", container.state().word())
                && filters.allowsLabels("label", container.config().labels())
                && exited(container.state())
                && (ancestors.isEmpty() || ancestors.contains(container.image().id()))
                && (before.isEmpty() || container.created().isBefore(before.get()))
                && (since.isEmpty() || container.created().isAfter(since.get()))
                && network(container)
                && volume(container)
                && ports("publish", container.host().document().object("PortBindings").fields().keySet())
                && ports("expose", container.config().exposedPorts())
                && filters.allows("health", "none")
                && !filters.truth("is-task", false);
    }

    private boolean id(ContainerSnapshot container) {
        var wanted = filters.of("id");
        return wanted.isEmpty() || wanted.stream().anyMatch(prefix -> container.id().startsWith(prefix));
    }

    private boolean name(ContainerSnapshot container) {
        return named.test(container.name()) || named.test("/" + container.name());
    }

    private boolean exited(State state) {
        return exitCodes.isEmpty() || state instanceof State.Exited exited && exitCodes.contains(exited.exitCode());
    }

    private boolean network(ContainerSnapshot container) {
        var wanted = filters.of("network");
        return wanted.isEmpty()
                || container.networking().endpoints().keySet().stream().anyMatch(joined -> wanted.stream()
                        .anyMatch(word -> word.equals(joined) || networks.isIdOf(word, joined)));
    }

    private boolean volume(ContainerSnapshot container) {
        var wanted = filters.of("volume");
        return wanted.isEmpty()
                || container.host().files().mounts().stream().anyMatch(mount -> wanted.contains(mount.target())
                        || mount instanceof MountRequest.Volume volume && wanted.contains(volume.name())
                        || mount instanceof MountRequest.Bind bind && wanted.contains(bind.source()));
    }

    private boolean ports(String key, Set<String> ports) {
        var wanted = filters.of(key);
        Function<String, String> full = port -> port.contains("/") ? port : port + "/tcp";
        Predicate<String> has = port -> ports.stream().map(full).anyMatch(full.apply(port)::equals);
        return wanted.isEmpty() || wanted.stream().anyMatch(has);
    }

    private static Optional<Instant> moment(Set<String> names, Lookup<Container> find) throws EngineException {
        Optional<Instant> moment = Optional.empty();
        for (var name : names) {
            moment = Optional.of(find.of(name).snapshot().created());
        }
        return moment;
    }

    /// Reads the `until` of a prune. See [Timestamps#parse(String, Instant)].
    static Optional<Instant> until(Filters filters, Instant now) throws EngineException.Invalid {
        Optional<Instant> until = Optional.empty();
        for (var text : filters.of("until")) {
            until = Timestamps.parse(text, now);
        }
        return until;
    }
}
