package carafe.network.port;

import carafe.spec.network.IpAddress;
import java.util.Optional;

/// A port of a container that shall be reachable by one of the host's: by the first free one of `first` to `last`, both
/// 0 for any. Without an address, by all addresses of the host. The address is `chosen` by the client, or the one where
/// the container's network publishes.
public record PortRequest(
        Protocol protocol, int containerPort, Optional<IpAddress> address, boolean chosen, int first, int last) {

    /// Checks the numbers.
    public PortRequest {
        boolean any = first == 0 && last == 0;
        if (containerPort < 1 || containerPort > 65535 || !any && (first < 1 || last < first || last > 65535)) {
            throw new IllegalArgumentException(
                    "not ports: " + containerPort + " by " + first + " to " + last);
        }
    }

    /// Whether the binding is one of those that this request may give.
    boolean gives(PortBinding binding) {
        return isFor(binding) && address.map(binding.address()::equals).orElse(binding.address().isUnspecified());
    }

    /// The same of one that was taken while the container's network published at another address.
    boolean gave(PortBinding binding) {
        return !chosen && isFor(binding);
    }

    private boolean isFor(PortBinding binding) {
        return binding.protocol() == protocol
                && binding.containerPort() == containerPort
                && (anyPort() || binding.hostPort() >= first && binding.hostPort() <= last);
    }

    /// Whether any port of the host will do.
    public boolean anyPort() {
        return first == 0;
    }
}
