package carafe.network.port;

import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Which container has which port of the host. The lock of its user guards all of it.
final class Allocation {

    private static final IpAddress EVERY_FOUR = IpAddress.find("0.0.0.0").orElseThrow();
    private static final IpAddress EVERY_SIX = IpAddress.find("::").orElseThrow();

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

    /// How a container's ports changed: `gone` are held until whoever asked closes them.
    record Change(Share before, List<HostPort> came, List<HostPort> gone) {
        Change {
            came = List.copyOf(came);
            gone = List.copyOf(gone);
        }

        boolean isNone() {
            return came.isEmpty() && gone.isEmpty();
        }
    }

    /// Makes the ports of a container that runs what is possible in the families it has now. What it has and is possible
    /// stays, also at an address where its networks publish no longer; what comes new is taken at the same port of the host,
    /// if the request does not allow others, all or nothing; what was asked for at an address that is not possible now is
    /// passed over.
    Change adapt(Client client, List<PortRequest> requests) throws EngineException {
        var before = of(client.id()).orElse(new Share(client.name(), List.of()));
        var gone = new ArrayList<>(before.ports());
        var stay = new ArrayList<HostPort>();
        var came = new ArrayList<HostPort>();
        var owns = owns(requests, before.ports());
        try {
            for (int i = 0; i < requests.size(); i++) {
                var request = requests.get(i);
                var missing = new ArrayList<>(possible(client, request));
                for (var port : owns.get(i)) {
                    if (missing.removeIf(address -> address.six() == port.binding().address().six())) {
                        stay.add(port);
                        gone.remove(port);
                    }
                }
                if (!missing.isEmpty()) {
                    came.addAll(beside(client, request, owns.get(i), missing, came));
                }
            }
        } catch (EngineException | RuntimeException e) {
            came.forEach(HostPort::close);
            throw e;
        }
        stay.addAll(came);
        hold(client.id(), new Share(client.name(), stay));
        return new Change(before, came, gone);
    }

    /// Which of `ports` each request gave. Who can have any number chooses last; those at the very address that a request
    /// is for now come first.
    private static List<List<HostPort>> owns(List<PortRequest> requests, List<HostPort> ports) {
        var rest = new ArrayList<>(ports);
        var owns = requests.stream().<List<HostPort>>map(_ -> new ArrayList<>()).toList();
        for (boolean any : new boolean[] {false, true}) {
            for (boolean there : new boolean[] {true, false}) {
                for (int i = 0; i < requests.size(); i++) {
                    var request = requests.get(i);
                    if (request.anyPort() == any) {
                        add(owns.get(i), rest, there ? request::gives : request::gave);
                    }
                }
            }
        }
        return owns;
    }

    /// The container has what it had before the change, which lets go of what came.
    void undo(String containerId, Change change) {
        change.came.forEach(HostPort::close);
        hold(containerId, change.before);
    }

    private void hold(String containerId, Share share) {
        if (share.ports.isEmpty()) {
            shares.remove(containerId);
        } else {
            shares.put(containerId, share);
        }
    }

    /// Moves from `rest` to `own` what is fitting: one of each family that has none, with the same number if there is such.
    private static void add(List<HostPort> own, List<HostPort> rest, Predicate<PortBinding> fitting) {
        for (boolean six : new boolean[] {false, true}) {
            if (own.stream().anyMatch(port -> port.binding().address().six() == six)) {
                continue;
            }
            var found = rest.stream().filter(port -> fitting.test(port.binding())).toList();
            var number = Stream.concat(own.stream(), found.stream()).map(port -> port.binding().hostPort()).findFirst();
            var ofFamily = found.stream().filter(port -> port.binding().address().six() == six).toList();
            ofFamily.stream().filter(port -> number.equals(Optional.of(port.binding().hostPort()))).findFirst()
                    .or(() -> ofFamily.stream().findFirst())
                    .ifPresent(port -> {
                        own.add(port);
                        rest.remove(port);
                    });
        }
    }

    private List<HostPort> beside(
            Client client, PortRequest request, List<HostPort> own, List<IpAddress> missing, List<HostPort> taken)
            throws EngineException {
        boolean everywhere = request.address().isEmpty() && own.size() + missing.size() > 1;
        if (own.isEmpty()) {
            return take(client, request, missing, taken);
        }
        try {
            return take(bindings(request, missing, own.getFirst().binding().hostPort()), taken, everywhere);
        } catch (EngineException.Conflict e) {
            if (!request.anyPort() && request.first() == request.last()) {
                throw failure(client, String.valueOf(e.getMessage()));
            }
            return take(client, request, missing, taken);
        }
    }

    private List<HostPort> take(Client client, PortRequest request, List<HostPort> own) throws EngineException {
        return take(client, request, addresses(client, request), own);
    }

    private List<HostPort> take(Client client, PortRequest request, List<IpAddress> addresses, List<HostPort> own)
            throws EngineException {
        EngineException last = null;
        int tries = request.anyPort() ? lastAny - firstAny + 1 : request.last() - request.first() + 1;
        for (int i = 0; i < tries; i++) {
            int port = request.anyPort() ? nextAny() : request.first() + i;
            try {
                return take(bindings(request, addresses, port), own, request.address().isEmpty() && addresses.size() > 1);
            } catch (EngineException.Conflict e) {
                last = e; // the next one may be free
            }
        }
        throw failure(client, last == null ? "there are no ports to choose from" : String.valueOf(last.getMessage()));
    }

    private static List<PortBinding> bindings(PortRequest request, List<IpAddress> addresses, int port) {
        return addresses.stream()
                .map(address -> new PortBinding(request.protocol(), request.containerPort(), address, port))
                .toList();
    }

    private static EngineException.Internal failure(Client client, String why) {
        return new EngineException.Internal("driver failed programming external connectivity on endpoint "
                + client.name() + " (" + client.id() + "): " + why);
    }

    private int nextAny() {
        int port = nextAny;
        nextAny = port == lastAny ? firstAny : port + 1;
        return port;
    }

    private static List<IpAddress> addresses(Client client, PortRequest request) throws EngineException {
        var addresses = possible(client, request);
        if (addresses.isEmpty()) {
            var address = request.address().orElseThrow();
            String family = address.six() ? "IPv6" : "IPv4";
            throw new EngineException.Invalid("cannot publish port " + request.containerPort() + "/"
                    + request.protocol() + " at " + address + ": the networks of container " + client.name()
                    + " have no " + family + " addresses; join one that has (network create"
                    + (address.six() ? " --ipv6" : "") + ")");
        }
        return addresses;
    }

    /// The addresses to publish at. All of the host's means both families, as far as there is a way to the container.
    private static List<IpAddress> possible(Client client, PortRequest request) {
        if (request.address().isEmpty()) {
            var all = new ArrayList<IpAddress>();
            if (client.four() || !client.six()) {
                all.add(EVERY_FOUR);
            }
            if (client.six()) {
                all.add(EVERY_SIX);
            }
            return all;
        }
        var address = request.address().get();
        boolean impossible = address.six() ? !client.six() && client.four() : !client.four() && client.six();
        return impossible ? List.of() : List.of(address);
    }

    /// With `everywhere` a host without IPv6 is none that lacks something.
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
                    if (!everywhere || !binding.address().six()) {
                        throw e;
                    }
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
