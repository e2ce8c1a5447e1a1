package carafe.engine;

import carafe.spec.oci.IdMaps;
import java.util.List;

/// Which ids of the host containers may have: `remap` is what those get that ask for nothing ([IdMaps#NONE]: the host's
/// own), `automatic` what is divided among those that ask for ids of their own.
public record UserIds(IdMaps remap, Pool automatic) {

    /// From `firstUid` and `firstGid` on, `size` of each. Nothing of it that is in `taken` may be given out: it belongs
    /// to users of the host.
    public record Pool(long firstUid, long firstGid, long size, List<Taken> taken) {
        public Pool {
            taken = List.copyOf(taken);
        }
    }

    /// User and group ids of the host from `first` on.
    public record Taken(long first, long size) {}

    /// Where no user of the host is by the common understanding of its tools: behind the ids of systemd's containers.
    public static final long FIRST = 0x7000_0000L;

    /// Up to systemd's next range.
    public static final long SIZE = 0x0FFE_0000L;

    /// Of a daemon that was told nothing, on a host that divides no ids.
    public static final UserIds USUAL = new UserIds(IdMaps.NONE, new Pool(FIRST, FIRST, SIZE, List.of()));
}
