package carafe.network;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// A container's network namespace and its endpoints at one moment. `path` opens the namespace as long as the sandbox is
/// open, in this process only.
public record Sandbox(String containerId, String path, List<Endpoint> endpoints) {

    public Sandbox {
        endpoints = List.copyOf(endpoints);
    }

    /// The endpoint in that network.
    public Optional<Endpoint> in(String networkId) {
        return endpoints.stream().filter(endpoint -> endpoint.networkId().equals(networkId)).findFirst();
    }

    /// The endpoint whose gateway is the default route of this family: the highest priority, then the network whose name
    /// comes first, as in Docker.
    public Optional<Endpoint> gateway(boolean six) {
        return endpoints.stream()
                .filter(e -> (six ? e.gateways().six() : e.gateways().four()).isPresent())
                .min(Comparator.<Endpoint>comparingLong(e -> -e.gateways().priority())
                        .thenComparing(e -> e.gateways().network()));
    }
}
