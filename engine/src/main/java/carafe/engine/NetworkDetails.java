package carafe.engine;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A network as inspect tells of it.
public record NetworkDetails(
        String id,
        String name,
        Instant created,
        String driver,
        Families families,
        Ipam ipam,
        Flags flags,
        Map<String, String> options,
        Map<String, String> labels,
        List<Member> members) {

    /// Which addresses it has.
    public record Families(boolean four, boolean six) {}

    /// Where its addresses come from.
    public record Ipam(String driver, Map<String, String> options, List<Range> ranges) {}

    /// One range: how many addresses are given out, and how many can still be.
    public record Range(
            Cidr subnet,
            Optional<IpAddress> gateway,
            Optional<Cidr> allocation,
            Map<String, IpAddress> auxiliary,
            long inUse,
            long available) {}

    /// What kind of network it is; `configOnly`: one of which others are made, `configFrom`: the one it was made of, or `""`.
    public record Flags(boolean internal, boolean attachable, boolean ingress, boolean configOnly, String configFrom) {}

    /// A running container in it.
    public record Member(
            String containerId,
            String name,
            String endpointId,
            MacAddress mac,
            Optional<Cidr.Host> four,
            Optional<Cidr.Host> six) {}

    public NetworkDetails {
        members = List.copyOf(members);
    }
}
