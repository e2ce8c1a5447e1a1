package carafe.network.dns;

import carafe.kernel.Descriptors;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NftChain;
import carafe.kernel.NftSelector;
import carafe.kernel.NftStatement;
import carafe.kernel.NftTable;
import carafe.kernel.NftTransaction;
import carafe.kernel.Nftables;
import carafe.kernel.QueryLoop;
import carafe.network.Endpoint;
import carafe.network.EndpointListener;
import carafe.network.NetworkStep;
import carafe.network.Sandbox;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.IpAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/// The name server at 127.0.0.11 of every container in a network of its users. Its sockets are in the container's
/// namespace, at a port of ours; rules in there lead port 53 to it, so that the container may have a name server of its
/// own. When the engine dies the sockets close, queries are refused at once, and the next engine opens them again.
///
/// Names are answered from what the container's networks hold; the rest is asked of the servers the container was given,
/// else of the host's. Those it was given are asked from its own network, so they may be its neighbours or, on the loopback,
/// itself; the host's from the host's. A container whose networks all are internal gets no answer by way of the host
/// (CVE-2024-29018).
/// The lock guards `names`; clients are changed by the thread that changes their container.
public final class NameService implements EndpointListener, AutoCloseable {

    /// Where containers ask.
    public static final String ADDRESS = "127.0.0.11";

    private static final byte[] ADDRESS_BYTES = {127, 0, 0, 11};
    private static final int PORT = 30053;
    private static final int DNS_PORT = 53;
    private static final int DSTNAT = -100;
    private static final String TABLE = "carafe-dns";

    private final NamespaceThread thread;
    private final QueryLoop loop;
    private final HostResolvers host;
    private final Forwarding forwarding;
    private final Failpoints failpoints;
    private final Names names = new Names();
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final Map<String, Client> clients = new ConcurrentHashMap<>();
    private final Map<String, List<IpAddress>> chosen = new ConcurrentHashMap<>();
    private final Map<String, Map<String, String>> links = new ConcurrentHashMap<>();

    /// A container that asks.
    private static final class Client {
        final Forwarding.Share share = new Forwarding.Share();
        volatile Sandbox sandbox;
        QueryLoop.@Nullable Point point;
        volatile @Nullable Inside inside;

        Client(Sandbox sandbox) {
            this.sandbox = sandbox;
        }
    }

    /// Opens the service; it asks `host`'s servers what it does not know.
    public static NameService open(HostResolvers host, Failpoints failpoints) throws EngineException {
        try {
            return new NameService(NamespaceThread.start(), host, failpoints, DNS_PORT);
        } catch (KernelException e) {
            throw new EngineException.Unavailable("names of containers cannot be served: " + e.getMessage(), e);
        }
    }

    /// Opens sockets with `thread`, which is adopted; other servers are asked at `port`.
    NameService(NamespaceThread thread, HostResolvers host, Failpoints failpoints, int port) throws EngineException {
        this.thread = thread;
        this.host = host;
        this.failpoints = failpoints;
        this.forwarding = new Forwarding(new Forwarder(port));
        try {
            this.loop = new QueryLoop("container-dns");
        } catch (KernelException e) {
            throw new EngineException.Unavailable("names of containers cannot be served: " + e.getMessage(), e);
        }
    }

    /// The servers that this container's other names are asked of; none means the host's. To be told before it is
    /// attached, and again after a restart of the engine.
    public void choose(String containerId, List<IpAddress> servers) {
        chosen.put(containerId, List.copyOf(servers));
    }

    /// The names (in small letters) that only this container asks for, and whom it means. They come before those of its
    /// networks. To be told when [#choose] is.
    public void link(String containerId, Map<String, String> names) {
        if (names.isEmpty()) {
            links.remove(containerId);
        } else {
            links.put(containerId, Map.copyOf(names));
        }
    }

    @Override
    public void attached(Attached attached) throws EngineException {
        var sandbox = attached.sandbox();
        String id = sandbox.containerId();
        lock.writeLock().lock();
        try {
            names.add(attached.network().id(), attached.network().name(), id, attached.endpoint());
        } finally {
            lock.writeLock().unlock();
        }
        var client = clients.computeIfAbsent(id, _ -> new Client(sandbox));
        client.sandbox = sandbox;
        if (attached.network().userDefined() && client.point == null) {
            open(client, attached.running());
        }
    }

    @Override
    public Optional<NetworkStep> told(Attached attached) {
        return attached.network().userDefined()
                ? Optional.of(NetworkStep.planned(NetworkStep.Kind.NAMES, NetworkStep.NAMES))
                : Optional.empty();
    }

    private void open(Client client, boolean again) throws EngineException {
        String id = client.sandbox.containerId();
        try {
            failpoints.pass("dns.open");
            if (client.inside == null) {
                client.inside = Inside.open(thread, client.sandbox.path());
            }
            try (var namespace = Descriptors.open(Path.of(client.sandbox.path()), Linux.O_RDONLY, 0)) {
                client.point = thread.inside(namespace, () -> {
                    var point = loop.listen(
                            ADDRESS_BYTES, PORT, (query, stream, reply) -> answer(client, query, stream, reply));
                    try {
                        redirect(point, again);
                        return point;
                    } catch (KernelException e) {
                        point.close();
                        throw e;
                    }
                });
            }
        } catch (KernelException e) {
            throw new EngineException.Internal("names cannot be served to container " + id + ": " + e.getMessage(), e);
        } catch (Failpoints.Injected e) {
            throw new EngineException.Internal("dns.open: " + e.getMessage(), e);
        }
    }

    /// `again` in a namespace that may have our rules from an earlier engine. Elsewhere nothing is deleted first: with a
    /// deletion on its mind the kernel lets the socket's close wait for all processors, 16 ms.
    private static void redirect(QueryLoop.Point point, boolean again) throws KernelException {
        var rules = List.of(rule("udp", point.datagramPort()), rule("tcp", point.streamPort()));
        var table = new NftTable(TABLE, "", List.of(), List.of(new NftChain(
                "ask", NftChain.Kind.NAT, NftChain.Hook.OUTPUT, DSTNAT, rules)));
        try (var filter = Nftables.open()) {
            var transaction = new NftTransaction(TABLE);
            filter.apply((again ? transaction.delete() : transaction).create(table));
        }
    }

    private static List<NftStatement> rule(String protocol, int port) {
        return List.of(
                new NftStatement.Family(false),
                new NftStatement.Is(NftSelector.DESTINATION4, false, ADDRESS),
                new NftStatement.Is(NftSelector.PROTOCOL, false, protocol),
                new NftStatement.Is(NftSelector.DESTINATION_PORT, false, Integer.toString(DNS_PORT)),
                new NftStatement.TranslateTo(ADDRESS, port));
    }

    @Override
    public void renamed(String containerId, Endpoint endpoint) {
        lock.writeLock().lock();
        try {
            names.rename(containerId, endpoint);
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void detached(String containerId, Endpoint endpoint) {
        lock.writeLock().lock();
        try {
            names.remove(endpoint.networkId(), containerId);
        } finally {
            lock.writeLock().unlock();
        }
        var client = clients.get(containerId);
        if (client == null) {
            return;
        }
        var rest = client.sandbox.endpoints().stream()
                .filter(other -> !other.networkId().equals(endpoint.networkId()))
                .toList();
        client.sandbox = new Sandbox(containerId, client.sandbox.path(), rest);
        if (rest.isEmpty()) {
            // A running container that left its last network and joins another has its server back then.
            clients.remove(containerId);
            if (client.point != null) {
                client.point.close();
            }
            var inside = client.inside;
            if (inside != null) {
                inside.close();
            }
        }
    }

    /// The container is no more: what was chosen for it is forgotten.
    public void forget(String containerId) {
        chosen.remove(containerId);
        links.remove(containerId);
    }

    private void answer(Client client, byte[] message, boolean stream, QueryLoop.Reply reply) {
        switch (Query.parse(message)) {
            case Query.Parsed.Noise _ -> { }
            case Query.Parsed.Bad(int id, int code) -> reply.send(Response.error(id, code));
            case Query.Parsed.Good(var query) -> {
                var known = own(client, query, stream);
                if (known.isPresent()) {
                    reply.send(known.get());
                } else {
                    forward(client, new Forwarding.Job(query, message, stream, reply));
                }
            }
        }
    }

    /// The answer if it is ours to give.
    private Optional<byte[]> own(Client client, Query query, boolean stream) {
        if (query.kind() != Query.INTERNET) {
            return Optional.empty();
        }
        String id = client.sandbox.containerId();
        var networks = client.sandbox.endpoints().stream().map(Endpoint::networkId).toList();
        lock.readLock().lock();
        try {
            if (query.type() == Query.PTR) {
                return ReverseName.address(query.name())
                        .flatMap(address -> names.name(id, networks, address))
                        .map(name -> Response.names(query, List.of(name), stream));
            }
            boolean six = query.type() == Query.AAAA;
            String meant = links.getOrDefault(id, Map.of()).getOrDefault(query.name().toLowerCase(Locale.ROOT), query.name());
            return names.addresses(id, networks, meant, six).map(addresses -> Response.addresses(
                    query, six || query.type() == Query.A ? addresses : List.of(), stream));
        } finally {
            lock.readLock().unlock();
        }
    }

    private void forward(Client client, Forwarding.Job job) {
        var sandbox = client.sandbox;
        boolean internal = sandbox.gateway(false).isEmpty() && sandbox.gateway(true).isEmpty();
        var own = chosen.getOrDefault(sandbox.containerId(), List.of());
        var inside = client.inside;
        var servers = new ArrayList<Forwarder.Server>();
        for (var resolver : own.isEmpty() && !internal ? host.servers() : List.<HostResolvers.Resolver>of()) {
            servers.add(new Forwarder.Server(resolver.address(), resolver.zone(), Sockets.HOST));
        }
        for (var address : own) {
            if (inside != null && !address.toString().equals(ADDRESS)) { // or we would ask ourselves, for ever
                servers.add(new Forwarder.Server(address, "", inside));
            }
        }
        if (servers.isEmpty()) {
            job.fail();
        } else {
            forwarding.start(client.share, job, servers);
        }
    }

    /// Closes all sockets and ends what is asked of others.
    @Override
    public void close() {
        loop.close();
        forwarding.close();
        for (var client : clients.values()) {
            var inside = client.inside;
            if (inside != null) {
                inside.close();
            }
        }
        thread.close();
    }
}
