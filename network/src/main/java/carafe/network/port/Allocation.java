package carafe.network.port;

import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which container has which port of the host. The lock of its user guards all of it.
final class Allocation {

    /// Who asks, for messages, and in which families there is a way to it.
    record Client(String id, String name, boolean four, boolean six) {}

    /// A container's ports.
    record Share(String name, List<HostPort> ports) {
        Share {
            ports = List.copyOf(ports);
        }

        List<PortBinding> bindings() {
            return ports.stream().map(HostPort::binding).toList();
        }

        void close() {
            ports.forEach(HostPort::close);
        }
    }

    /// Whose a port is that no program holds and whose packets go elsewhere all the same: the end of a sentence.
    interface Elsewhere {
        Optional<String> holder(PortBinding binding) throws EngineException;
    }

    private final Map<String, Share> shares = new LinkedHashMap<>();
    private final int firstAny;
    private final int lastAny;
    private final Elsewhere elsewhere;
    private int nextAny;

    /// `firstAny` to `lastAny` are the ports to choose from where any will do.
    Allocation(int firstAny, int lastAny, Elsewhere elsewhere) {
        this.elsewhere = elsewhere;
        this.firstAny = firstAny;
        this.lastAny = lastAny;
        this.nextAny = firstAny;
    }

    /// The ports of a container.
    Optional<Share> of(String containerId) {
        return Optional.ofNullable(shares.get(containerId));
    }

    /// The containers that have some.
    List<String> ids() {
        return List.copyOf(shares.keySet());
    }

    /// Takes all that is asked for, or nothing.
    Share take(Client client, List<PortRequest> requests) throws EngineException {
        var taken = new ArrayList<HostPort>();
        try {
            for (var request : requests) {
                taken.addAll(take(client, request, taken));
            }
        } catch (EngineException | RuntimeException e) {
            taken.forEach(HostPort::close);
            throw e;
        }
        return put(client.id(), new Share(client.name(), taken));
    }

    /// Remembers a share that was found.
    Share put(String containerId, Share share) {
        shares.put(containerId, share);
        return share;
    }

    /// Gives back all ports of a container; idempotent.
    void release(String containerId) {
        var share = shares.remove(containerId);
        if (share != null) {
            share.close();
        }
    }

    private List<HostPort> take(Client client, PortRequest request, List<HostPort> own) throws EngineException {
        var addresses = addresses(client, request);
        EngineException last = null;
        int tries = request.anyPort() ? lastAny - firstAny + 1 : request.last() - request.first() + 1;
        for (int i = 0; i < tries; i++) {
            int port = request.anyPort() ? nextAny() : request.first() + i;
            var bindings = addresses.stream()
                    .map(address -> new PortBinding(request.protocol(), request.containerPort(), address, port))
                    .toList();
            try {
                return take(bindings, own, request.address().isEmpty());
            } catch (EngineException.Conflict e) {
                last = e; // the next one may be free
            }
        }
        String why = last == null ? "there are no ports to choose from" : String.valueOf(last.getMessage());
        throw new EngineException.Internal("driver failed programming external connectivity on endpoint "
                + client.name() + " (" + client.id() + "): " + why);
    }

    private int nextAny() {
        int port = nextAny;
        nextAny = port == lastAny ? firstAny : port + 1;
        return port;
    }

    /// The addresses to publish at. All of the host's means both families, as far as there is a way to the container.
    private static List<IpAddress> addresses(Client client, PortRequest request) throws EngineException {
        if (request.address().isEmpty()) {
            var all = new ArrayList<IpAddress>();
            if (client.four() || !client.six()) {
                all.add(IpAddress.parse("0.0.0.0"));
            }
            if (client.six()) {
                all.add(IpAddress.parse("::"));
            }
            return all;
        }
        var address = request.address().get();
        if (address.six() ? !client.six() && client.four() : !client.four() && client.six()) {
            String family = address.six() ? "IPv6" : "IPv4";
            throw new EngineException.Invalid("cannot publish port " + request.containerPort() + "/"
                    + request.protocol() + " at " + address + ": the networks of container " + client.name()
                    + " have no " + family + " addresses; join one that has (network create"
                    + (address.six() ? " --ipv6" : "") + ")");
        }
        return List.of(address);
    }

    private List<HostPort> take(List<PortBinding> bindings, List<HostPort> own, boolean everywhere)
            throws EngineException {
        var taken = new ArrayList<HostPort>();
        try {
            for (var binding : bindings) {
                checkFree(binding, own);
                try {
                    taken.add(HostPort.take(binding));
                    checkPackets(binding);
                } catch (EngineException.Unavailable e) {
                    if (!everywhere || !binding.address().six() || bindings.size() == 1) {
                        throw e;
                    } // a host without IPv6
                }
            }
            return taken;
        } catch (EngineException | RuntimeException e) {
            taken.forEach(HostPort::close);
            throw e;
        }
    }

    /// To hold a port is not enough where a table leads its packets away.
    private void checkPackets(PortBinding wanted) throws EngineException {
        var holder = elsewhere.holder(wanted);
        if (holder.isPresent()) {
            throw new EngineException.Conflict("failed to bind host port " + wanted.hostText() + "/" + wanted.protocol() + ": "
                    + holder.get());
        }
    }

    private void checkFree(PortBinding wanted, List<HostPort> own) throws EngineException.Conflict {
        String text = "Bind for " + wanted.hostText() + " failed: port is already allocated";
        for (var share : shares.values()) {
            if (share.bindings().stream().anyMatch(wanted::clashes)) {
                throw new EngineException.Conflict(text + " (by container " + share.name() + ")");
            }
        }
        if (own.stream().anyMatch(port -> wanted.clashes(port.binding()))) {
            throw new EngineException.Conflict(text + " (it is asked for twice)");
        }
    }
}
