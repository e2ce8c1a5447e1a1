package carafe.engine;

import carafe.engine.UserIds.Taken;
import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.UserMode;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Chooses the ids of containers. What a container has is in its row and nowhere else, so that ids are free again with
/// the container; the lock of this object guards `promised`, those of containers that have no row yet.
final class UserChoice {

    static final String NO_HOST_NETWORK = "cannot share the host's network namespace when user namespaces are enabled";

    private final Book book;
    private final UserIds ids;
    private final Map<String, IdMaps> promised = new HashMap<>();

    UserChoice(Book book, UserIds ids) {
        this.book = book;
        this.ids = ids;
    }

    /// The ids of the container `id` to be. Refuses, in Docker's words, what goes with no user namespace.
    IdMaps choose(HostConfig host, String id) throws EngineException {
        var mode = UserMode.asked(host.namespaces().user());
        if (mode instanceof UserMode.Hosts) {
            return IdMaps.NONE;
        }
        String network = host.namespaces().network();
        var chosen = shared(mode, host.namespaces());
        if (chosen.isEmpty()) {
            chosen = Optional.of(own(mode, id));
        }
        return checked(host, network, chosen.get());
    }

    private static IdMaps checked(HostConfig host, String network, IdMaps chosen) throws EngineException.Invalid {
        if (chosen.none()) {
            return chosen;
        }
        if (host.rights().privileged()) {
            throw new EngineException.Invalid("privileged mode is incompatible with user namespaces.  You must run the"
                    + " container in the host namespace when running privileged mode");
        }
        if (network.equals("host")) {
            throw new EngineException.Invalid(NO_HOST_NETWORK);
        }
        if (host.namespaces().pid().equals("host")) {
            throw new EngineException.Invalid("cannot share the host PID namespace when user namespaces are enabled");
        }
        return chosen;
    }

    /// Who shares a namespace shares its users: they own it. Empty where none is shared, and where the other is not known:
    /// the start says so.
    private Optional<IdMaps> shared(UserMode mode, HostConfig.Namespaces modes) throws EngineException {
        Optional<IdMaps> users = Optional.empty();
        for (var kind : List.of(
                Map.entry("network", modes.network()), Map.entry("processes", modes.pid()), Map.entry("ipc", modes.ipc()))) {
            var other = Sharings.other(kind.getValue()).flatMap(this::known);
            if (other.isPresent()) {
                var theirs = other.get().host().namespaces().ids();
                boolean wantsOwn = !(mode instanceof UserMode.Usual) || !ids.remap().none();
                if (theirs.none() && wantsOwn) {
                    throw new EngineException.Invalid("cannot share the " + kind.getKey() + " of container "
                            + other.get().name() + ": it has the host's users, who own it; start this one with"
                            + " --userns=host");
                }
                if (users.isPresent() && !users.get().equals(theirs)) {
                    throw new EngineException.Invalid("cannot share the " + kind.getKey() + " of container "
                            + other.get().name() + ": what else is shared belongs to other users");
                }
                users = Optional.of(theirs);
            }
        }
        return users;
    }

    private Optional<ContainerSnapshot> known(String reference) {
        try {
            return Optional.of(book.find(reference).snapshot());
        } catch (EngineException unknown) {
            return Optional.empty();
        }
    }

    private IdMaps own(UserMode mode, String id) throws EngineException {
        return switch (mode) {
            case UserMode.Usual() -> ids.remap();
            case UserMode.Hosts() -> IdMaps.NONE;
            case UserMode.Auto(long size) -> take(id, size);
            case UserMode.KeepId(long uid, long gid, long size) -> {
                var range = take(id, size);
                var kept = new IdMaps(keep(range.uids().getFirst(), uid), keep(range.gids().getFirst(), gid));
                promise(id, kept);
                yield kept;
            }
        };
    }

    /// `range` with `id` standing for itself.
    private static List<IdMapping> keep(IdMapping range, long id) {
        var map = new ArrayList<IdMapping>();
        if (id >= range.size()) {
            map.add(range);
            map.add(new IdMapping(id, id, 1));
            return map;
        }
        map.add(new IdMapping(0, range.hostId(), id));
        map.add(new IdMapping(id, id, 1));
        if (id + 1 < range.size()) {
            map.add(new IdMapping(id + 1, range.hostId() + id + 1, range.size() - id - 1));
        }
        return map;
    }

    private synchronized void promise(String id, IdMaps maps) {
        promised.put(id, maps);
    }

    /// The container `id` has its row, or will never have one.
    synchronized void settled(String id) {
        promised.remove(id);
    }

    /// The lowest ids that nobody has.
    private synchronized IdMaps take(String id, long size) throws EngineException {
        var pool = ids.automatic();
        var taken = new ArrayList<Taken>();
        for (var range : pool.taken()) { // of either kind: one offset is for both
            taken.add(new Taken(range.first() - pool.firstUid(), range.size()));
            taken.add(new Taken(range.first() - pool.firstGid(), range.size()));
        }
        var others = new ArrayList<>(promised.values());
        book.all().forEach(container -> others.add(container.snapshot().host().namespaces().ids()));
        others.add(ids.remap());
        for (var maps : others) {
            maps.uids().forEach(range -> taken.add(new Taken(range.hostId() - pool.firstUid(), range.size())));
            maps.gids().forEach(range -> taken.add(new Taken(range.hostId() - pool.firstGid(), range.size())));
        }
        taken.sort(Comparator.comparingLong(Taken::first));
        long at = 0;
        for (var range : taken) {
            if (range.first() < at + size && at < range.first() + range.size()) {
                at = range.first() + range.size();
            }
        }
        if (at + size > pool.size()) {
            throw new EngineException.Unavailable("no " + size + " ids of the host are free for a container with users of"
                    + " its own (of " + pool.size() + " from " + pool.firstUid() + " on): remove containers that have some,"
                    + " ask for fewer with --userns=auto:size=N, or give the user \"containers\" more in /etc/subuid and"
                    + " /etc/subgid");
        }
        var maps = IdMaps.range(pool.firstUid() + at, pool.firstGid() + at, size);
        promised.put(id, maps);
        return maps;
    }
}
