package carafe.engine;

import carafe.spec.docker.EndpointSettings;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Optional;

/// A container's networks as inspect tells of them. While it does not run it has places without addresses. `sandboxId`
/// and `sandboxKey` (the namespace's path) are empty then.
public record ContainerNetworks(String sandboxId, String sandboxKey, List<Place> places) {

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

    public ContainerNetworks {
        places = List.copyOf(places);
    }
}
