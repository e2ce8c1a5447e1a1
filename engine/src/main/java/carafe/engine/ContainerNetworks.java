package carafe.engine;

import carafe.spec.docker.EndpointSettings;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Optional;

/// A container's networks as inspect tells of them. While it does not run it has places without addresses. `sandboxId`
/// and `sandboxKey` (the namespace's path) are empty then, and so are `ports`.
public record ContainerNetworks(String sandboxId, String sandboxKey, List<Place> places, List<Port> ports) {

    /// Its place in one network: what was asked for, and what it has.
    public record Place(String network, String networkId, EndpointSettings settings, Optional<Live> live,
            List<String> names) {}

    /// What an endpoint has while the container runs.
    public record Live(
            String endpointId,
            String mac,
            Optional<Cidr.Host> four,
            Optional<Cidr.Host> six,
            Optional<IpAddress> gatewayFour,
            Optional<IpAddress> gatewaySix) {}

    /// A port of the host.
    public record HostPort(IpAddress address, int number) {}

    /// A port of the container, `80/tcp`, and the ports of the host that lead to it; none if it is only exposed.
    public record Port(String name, List<HostPort> bindings) {
        public Port {
            bindings = List.copyOf(bindings);
        }

        /// Its number alone.
        public int number() {
            return Integer.parseInt(name.substring(0, name.indexOf('/')));
        }

        /// Its protocol alone.
        public String protocol() {
            return name.substring(name.indexOf('/') + 1);
        }
    }

    public ContainerNetworks {
        places = List.copyOf(places);
        ports = List.copyOf(ports);
    }
}
