package carafe.network;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.util.List;
import java.util.Optional;

/// A container's place in one network, as it is: `id` has 64 characters and is new each time; `interfaceName` is what the
/// container sees, `hostLink` the other end on the host (empty where there is none); gateways are empty where the network
/// offers none. `names` are what other containers of the network may call it.
public record Endpoint(
        String id,
        String networkId,
        String interfaceName,
        String hostLink,
        MacAddress mac,
        Optional<Cidr.Host> four,
        Optional<Cidr.Host> six,
        Gateways gateways,
        List<IpAddress> linkLocal,
        List<String> names) {

    /// Where packets for elsewhere go, by family; `priority` decides between the endpoints of a container, and where that
    /// is the same the network's name.
    public record Gateways(Optional<IpAddress> four, Optional<IpAddress> six, long priority, String network) {
        /// The network leads nowhere.
        public static final Gateways NONE = new Gateways(Optional.empty(), Optional.empty(), 0, "");
    }

    public Endpoint {
        linkLocal = List.copyOf(linkLocal);
        names = List.copyOf(names);
    }

    /// The same under other names.
    Endpoint called(List<String> others) {
        return new Endpoint(id, networkId, interfaceName, hostLink, mac, four, six, gateways, linkLocal, others);
    }
}
