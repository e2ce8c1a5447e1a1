package carafe.network.port;

import carafe.spec.network.IpAddress;

/// A port of the host that leads to one of a container. An unspecified address stands for all of its family.
public record PortBinding(Protocol protocol, int containerPort, IpAddress address, int hostPort) {

    /// `0.0.0.0:8080`, `[::]:8080`.
    public String hostText() {
        return (address.six() ? "[" + address + "]" : address.toString()) + ":" + hostPort;
    }

    /// `0.0.0.0:8080->80/tcp`.
    @Override
    public String toString() {
        return hostText() + "->" + containerPort + "/" + protocol;
    }

    /// Whether both cannot be had at the same time.
    boolean clashes(PortBinding other) {
        return protocol == other.protocol
                && hostPort == other.hostPort
                && address.six() == other.address.six()
                && (address.isUnspecified() || other.address.isUnspecified() || address.equals(other.address));
    }
}
