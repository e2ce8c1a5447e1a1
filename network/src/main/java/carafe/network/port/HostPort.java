package carafe.network.port;

import carafe.kernel.Errno;
import carafe.kernel.HeldPort;
import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/// A port of the host in our hands: while it is held, other programs see it as taken. SCTP is not held, since most
/// kernels have no SCTP sockets to hold it with; containers still cannot clash over it.
record HostPort(PortBinding binding, Optional<HeldPort> held) implements AutoCloseable {

    /// Takes the port.
    /// @throws EngineException.Conflict another program has it
    /// @throws EngineException.Unavailable the host has no such address, or no such family
    static HostPort take(PortBinding binding) throws EngineException {
        try {
            var address = new InetSocketAddress(
                    InetAddress.getByAddress(binding.address().bytes()), binding.hostPort());
            return new HostPort(binding, switch (binding.protocol()) {
                case TCP -> Optional.of(HeldPort.tcp(address));
                case UDP -> Optional.of(HeldPort.udp(address));
                case SCTP -> Optional.empty();
            });
        } catch (KernelException e) {
            String text = "failed to bind host port " + binding.hostText() + "/" + binding.protocol() + ": ";
            if (e.is(Errno.EADDRINUSE)) {
                throw new EngineException.Conflict(text + "address already in use");
            }
            if (e.is(Errno.EADDRNOTAVAIL)) {
                throw new EngineException.Unavailable(text + "cannot assign requested address: no link of this host"
                        + " has it");
            }
            throw new EngineException.Unavailable(text + e.reason(), e);
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // an address has four or sixteen bytes
        }
    }

    /// The port as if it were held: of a container that runs, after somebody else took the port while no engine was
    /// there to hold it. Packets still go to the container.
    static HostPort unheld(PortBinding binding) {
        return new HostPort(binding, Optional.empty());
    }

    @Override
    public void close() {
        held.ifPresent(HeldPort::close);
    }
}
