package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.util.List;
import java.util.stream.Collectors;

/// Which ids of the host stand for those of a container with a user namespace of its own; [#NONE] for one without: its
/// ids are the host's.
public record IdMaps(List<IdMapping> uids, List<IdMapping> gids) {

    /// No user namespace.
    public static final IdMaps NONE = new IdMaps(List.of(), List.of());

    /// What the kernel takes in one map; user_namespaces(7).
    private static final int MAX_LINES = 340;
    private static final long ID_END = 0xFFFF_FFFFL; // the last one is "no id"

    public IdMaps {
        uids = List.copyOf(uids);
        gids = List.copyOf(gids);
    }

    /// The ids from 0 on inside are those from `firstUid` and `firstGid` on outside.
    public static IdMaps range(long firstUid, long firstGid, long size) {
        return new IdMaps(
                List.of(new IdMapping(0, firstUid, size)), List.of(new IdMapping(0, firstGid, size)));
    }

    /// Whether there is no user namespace.
    public boolean none() {
        return uids.isEmpty() && gids.isEmpty();
    }

    /// Refuses maps that the kernel would refuse, or without a root.
    public void check() throws EngineException.Invalid {
        check("user", uids);
        check("group", gids);
    }

    private static void check(String what, List<IdMapping> map) throws EngineException.Invalid {
        if (map.isEmpty() || map.size() > MAX_LINES || outside(map, 0) < 0) {
            throw new EngineException.Invalid("a map of " + what + " ids needs 1 to " + MAX_LINES
                    + " ranges, one of them with the id 0 of the container");
        }
        for (int i = 0; i < map.size(); i++) {
            var one = map.get(i);
            if (one.containerId() < 0 || one.hostId() < 0 || one.size() < 1 || one.size() > ID_END
                    || one.containerId() > ID_END - one.size() || one.hostId() > ID_END - one.size()) {
                throw new EngineException.Invalid("not a range of " + what + " ids: " + text(one));
            }
            for (var other : map.subList(0, i)) {
                if (overlap(one.containerId(), other.containerId(), one.size(), other.size())
                        || overlap(one.hostId(), other.hostId(), one.size(), other.size())) {
                    throw new EngineException.Invalid(
                            "ranges of " + what + " ids overlap: " + text(one) + " and " + text(other));
                }
            }
        }
    }

    private static boolean overlap(long first, long other, long size, long otherSize) {
        return first < other + otherSize && other < first + size;
    }

    /// The host's id of the container's user `uid`; -1 if it has none there. Without maps it is the same.
    public long hostUid(long uid) {
        return uids.isEmpty() ? uid : outside(uids, uid);
    }

    /// The same of a group.
    public long hostGid(long gid) {
        return gids.isEmpty() ? gid : outside(gids, gid);
    }

    /// A user and a group of the host.
    public record Owner(long uid, long gid) {}

    /// The host's ids of the container's user and group.
    public Owner at(long uid, long gid) {
        return new Owner(hostUid(uid), hostGid(gid));
    }

    /// The container's id of the host's user `uid`; -1 if it has none inside.
    public long containerUid(long uid) {
        return uids.isEmpty() ? uid : inside(uids, uid);
    }

    /// The same of a group.
    public long containerGid(long gid) {
        return gids.isEmpty() ? gid : inside(gids, gid);
    }

    private static long outside(List<IdMapping> map, long id) {
        for (var range : map) {
            if (id >= range.containerId() && id - range.containerId() < range.size()) {
                return range.hostId() + (id - range.containerId());
            }
        }
        return -1;
    }

    private static long inside(List<IdMapping> map, long id) {
        for (var range : map) {
            if (id >= range.hostId() && id - range.hostId() < range.size()) {
                return range.containerId() + (id - range.hostId());
            }
        }
        return -1;
    }

    /// The user map as the kernel reads it, a line for each range. Source: user_namespaces(7).
    public String uidLines() {
        return lines(uids);
    }

    /// The group map.
    public String gidLines() {
        return lines(gids);
    }

    private static String lines(List<IdMapping> map) {
        return map.stream()
                .map(range -> range.containerId() + " " + range.hostId() + " " + range.size() + "\n")
                .collect(Collectors.joining());
    }

    /// `0:100000:65536`: first inside, first outside, how many.
    public static String text(IdMapping range) {
        return range.containerId() + ":" + range.hostId() + ":" + range.size();
    }

    /// Reads what [#text] wrote.
    public static IdMapping parse(String text) throws EngineException.Invalid {
        String[] parts = text.split(":", -1);
        try {
            if (parts.length == 3) {
                return new IdMapping(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new EngineException.Invalid(
                "\"" + text + "\" is no range of ids: first id inside, first id outside and number, 0:100000:65536");
    }
}
