package carafe.network.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Fd;
import carafe.kernel.LinkEnd;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.network.Driver;
import carafe.network.Endpoint;
import carafe.network.EndpointListener.Attached;
import carafe.network.Network;
import carafe.network.Sandbox;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NameServiceTest {

    private static final int SERVFAIL = 2;

    @TempDir
    Path directory;

    private final Map<String, NetNamespace> namespaces = new LinkedHashMap<>();
    private final Map<String, List<Endpoint>> endpoints = new LinkedHashMap<>();
    private NamespaceThread thread;
    private UpstreamServer upstream;
    private NameService service;

    @BeforeEach
    void open() throws Exception {
        thread = NamespaceThread.start();
        upstream = new UpstreamServer(message -> Response.addresses(QueryTest.query(message),
                List.of(IpAddress.four(0x08080808)), false));
        Files.writeString(directory.resolve("resolv.conf"), "# a host\nnameserver 127.0.0.1\nsearch example.org\n");
        service = service(Failpoints.none());
    }

    private NameService service(Failpoints failpoints) throws Exception {
        return new NameService(NamespaceThread.start(), new HostResolvers(directory.resolve("resolv.conf")), failpoints, upstream.port());
    }

    @AfterEach
    void close() throws Exception {
        service.close();
        upstream.close();
        namespaces.values().forEach(NetNamespace::close);
        thread.close();
    }

    private static Network network(String name) {
        return new Network("id-of-" + name, name, Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", Map.of(), Map.of());
    }

    /// Container `id` comes to the network; without a gateway the network is an internal one.
    private Attached join(String id, String network, String address, boolean gateway, String... names) throws Exception {
        boolean again = namespaces.containsKey(id);
        var namespace = namespaces.get(id);
        if (namespace == null) {
            namespace = thread.create(new NetNamespace.Settings(Map.of()));
            namespaces.put(id, namespace);
        }
        var way = gateway
                ? new Endpoint.Gateways(Optional.of(IpAddress.parse("172.18.0.1")), Optional.empty(), 0, network)
                : Endpoint.Gateways.NONE;
        var endpoint = new Endpoint("e".repeat(64), "id-of-" + network, "eth0", "veth", MacAddress.parse("02:42:ac:1e:00:02"),
                Optional.of(Cidr.parseHost(address + "/16")), Optional.empty(), way, List.of(), List.of(names));
        endpoints.computeIfAbsent(id, _ -> new ArrayList<>()).add(endpoint);
        var attached = new Attached(
                new Sandbox(id, namespace.path(), endpoints.getOrDefault(id, List.of())), network(network), endpoint, again);
        service.attached(attached);
        return attached;
    }

    private Fd namespace(String id) {
        return Objects.requireNonNull(namespaces.get(id), id).handle();
    }

    private byte[] exchange(String id, byte[] message, boolean stream) throws Exception {
        return thread.inside(namespace(id), () -> {
            try {
                return stream ? byStream(message) : byDatagram(message);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static byte[] byDatagram(byte[] message) throws IOException {
        try (var socket = new DatagramSocket()) {
            socket.setSoTimeout(20_000);
            socket.connect(new InetSocketAddress("127.0.0.11", 53)); // so an answer from elsewhere is none
            socket.send(new DatagramPacket(message, message.length));
            var packet = new DatagramPacket(new byte[65536], 65536);
            socket.receive(packet);
            return Arrays.copyOf(packet.getData(), packet.getLength());
        }
    }

    private static byte[] byStream(byte[] message) throws IOException {
        try (var socket = new Socket("127.0.0.11", 53)) {
            socket.setSoTimeout(20_000);
            // In two pieces, as a network may deliver it.
            socket.getOutputStream().write(new byte[] {(byte) (message.length >> 8)});
            socket.getOutputStream().write((byte) message.length);
            socket.getOutputStream().write(message);
            var in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readUnsignedShort()];
            in.readFully(answer);
            return answer;
        }
    }

    /// The addresses of the answer, or its error's number.
    private String resolve(String id, String name) throws Exception {
        return read(exchange(id, QueryTest.message(name, Query.A, 1232), false));
    }

    private static String read(byte[] answer) {
        int code = answer[3] & 0xF;
        if (code != 0) {
            return "error " + code;
        }
        var found = new ArrayList<String>();
        int count = Query.number(answer, 6);
        int at = 12;
        while (answer[at] != 0) {
            at += 1 + answer[at];
        }
        at += 5;
        for (int i = 0; i < count; i++) {
            int length = Query.number(answer, at + 10);
            found.add(IpAddress.of(Arrays.copyOfRange(answer, at + 12, at + 12 + length)).toString());
            at += 12 + length;
        }
        return String.join(" ", found);
    }

    /// The host moves to another network: whoever runs its network writes resolv.conf anew.
    @Test
    void theHostsNameServersAreTheOnesItHasNow() throws Exception {
        join("asker", "front", "172.18.0.2", true);
        assertThat(resolve("asker", "example.org")).isEqualTo("8.8.8.8");
        try (var other = UpstreamServer.at("127.0.0.2", upstream.port(), message ->
                Response.addresses(QueryTest.query(message), List.of(IpAddress.four(0x09090909)), false))) {
            Path next = Files.writeString(directory.resolve("next"), "nameserver 127.0.0.2\n");
            Files.move(next, directory.resolve("resolv.conf"), StandardCopyOption.ATOMIC_MOVE);
            awaitAnswer("9.9.9.9");
            assertThat(other.asked()).containsOnly("example.org");
            Files.delete(directory.resolve("resolv.conf"));
            awaitAnswer("error " + SERVFAIL);
            Files.writeString(directory.resolve("resolv.conf"), "nameserver 127.0.0.1\n");
            awaitAnswer("8.8.8.8");
        }
    }

    private void awaitAnswer(String wanted) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        for (String told = ""; !told.equals(wanted); told = resolve("asker", "example.org")) {
            assertThat(System.nanoTime()).as("last: %s", told).isLessThan(deadline);
        }
    }

    @Test
    void containersFindEachOtherByAllTheirNames() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        join("web", "front", "172.18.0.3", true, "web", "0123456789ab", "Www");
        for (String name : List.of("web", "WEB", "0123456789ab", "www", "web.front")) {
            assertThat(resolve("asker", name)).as(name).isEqualTo("172.18.0.3");
        }
        assertThat(read(exchange("asker", QueryTest.message("web", Query.A, 0), true))).as("by a stream")
                .isEqualTo("172.18.0.3");
        byte[] six = exchange("asker", QueryTest.message("web", Query.AAAA, 0), false);
        assertThat(read(six)).as("known, without such an address").isEmpty();
        byte[] mail = exchange("asker", QueryTest.message("web", 15, 0), false);
        assertThat(read(mail)).as("known, without mail").isEmpty();
        assertThat(upstream.asked()).as("names of ours are nobody else's business").isEmpty();
        byte[] pointer = exchange("asker", QueryTest.message("3.0.18.172.in-addr.arpa", Query.PTR, 0), false);
        assertThat(new String(pointer, java.nio.charset.StandardCharsets.ISO_8859_1)).contains("\3web\5front\0");
    }

    @Test
    void aNameOfSeveralIsAllOfThemInTurn() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        join("web1", "front", "172.18.0.3", true, "web1", "web");
        var second = join("web2", "front", "172.18.0.4", true, "web2", "web");
        Set<String> orders = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            orders.add(resolve("asker", "web"));
        }
        assertThat(orders).containsExactlyInAnyOrder("172.18.0.3 172.18.0.4", "172.18.0.4 172.18.0.3");
        service.detached("web2", second.endpoint());
        assertThat(resolve("asker", "web")).isEqualTo("172.18.0.3");
    }

    @Test
    void whoIsRenamedAnswersToTheNewNameOnly() throws Exception {
        upstream.answers(message -> Response.error(QueryTest.query(message), 3, false));
        join("asker", "front", "172.18.0.2", true, "asker");
        var web = join("web", "front", "172.18.0.3", true, "web", "w3").endpoint();
        service.renamed("web", new Endpoint(web.id(), web.networkId(), web.interfaceName(), web.hostLink(), web.mac(),
                web.four(), web.six(), web.gateways(), web.linkLocal(), List.of("shop", "w3")));
        assertThat(resolve("asker", "shop")).isEqualTo("172.18.0.3");
        assertThat(resolve("asker", "w3")).isEqualTo("172.18.0.3");
        assertThat(resolve("asker", "web")).as("free for another").isEqualTo("error 3");
        join("other", "front", "172.18.0.4", true, "web");
        assertThat(resolve("asker", "web")).isEqualTo("172.18.0.4");
        service.renamed("nobody", web);
        assertThat(resolve("asker", "web")).as("who is not there stays away").isEqualTo("172.18.0.4");
    }

    @Test
    void namesOfOtherNetworksAreNotSeen() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        join("db", "back", "172.19.0.2", true, "db");
        upstream.answers(message -> Response.error(QueryTest.query(message), 3, false));
        assertThat(resolve("asker", "db")).as("the outer world does not know it").isEqualTo("error 3");
        var both = join("asker", "back", "172.19.0.3", true, "asker");
        assertThat(resolve("asker", "db")).as("connected").isEqualTo("172.19.0.2");
        service.detached("asker", both.endpoint());
        assertThat(resolve("asker", "db")).as("disconnected").isEqualTo("error 3");
    }

    @Test
    void theRestIsAskedOfTheHostsServers() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        assertThat(resolve("asker", "example.org")).isEqualTo("8.8.8.8");
        assertThat(read(exchange("asker", QueryTest.message("example.org", Query.A, 0), true))).isEqualTo("8.8.8.8");
        assertThat(upstream.asked()).containsExactly("example.org", "example.org");
    }

    @Test
    void aLargeAnswerIsCutAndComesWholeByAStream() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        upstream.answers(message -> Response.addresses(QueryTest.query(message),
                java.util.Collections.nCopies(200, IpAddress.four(0x08080808)), true));
        byte[] cut = exchange("asker", QueryTest.message("example.org", Query.A, 1232), false);
        assertThat(cut.length).isLessThanOrEqualTo(1232);
        assertThat(cut[2] & 2).isEqualTo(2);
        assertThat(read(exchange("asker", QueryTest.message("example.org", Query.A, 1232), true)).split(" ")).hasSize(200);
    }

    /// CVE-2024-29018: a name asked for in an internal network carries data out of it.
    @Test
    void internalNetworksAskNobody() throws Exception {
        join("asker", "inside", "172.20.0.2", false, "asker");
        join("db", "inside", "172.20.0.3", false, "db");
        assertThat(resolve("asker", "db")).isEqualTo("172.20.0.3");
        assertThat(resolve("asker", "secret.example.org")).isEqualTo("error " + SERVFAIL);
        service.choose("asker", List.of(IpAddress.parse("127.0.0.1")));
        assertThat(resolve("asker", "secret.example.org")).isEqualTo("error " + SERVFAIL);
        assertThat(upstream.asked()).isEmpty();
    }

    /// A name server that is a container of the same internal network, which the host's network does not reach.
    @Test
    void aServerOfTheContainersOwnMayBeItsNeighbour() throws Exception {
        join("asker", "inside", "172.20.0.2", false, "asker");
        join("resolver", "inside", "172.20.0.3", false, "resolver");
        var here = Objects.requireNonNull(namespaces.get("asker"));
        var there = Objects.requireNonNull(namespaces.get("resolver"));
        here.netlink().perform(NetRequest.addVeth(LinkEnd.named("eth0"), LinkEnd.named("eth0").in(there.handle())));
        address(here, 2);
        address(there, 3);
        service.choose("asker", List.of(IpAddress.parse("172.20.0.3")));
        try (var neighbour = serving("resolver", "172.20.0.3")) {
            assertThat(resolve("asker", "example.org")).isEqualTo("9.9.9.9");
            assertThat(read(exchange("asker", QueryTest.message("example.org", Query.A, 0), true))).isEqualTo("9.9.9.9");
            assertThat(neighbour.asked()).hasSize(2);
        }
        assertThat(upstream.asked()).as("the host's").isEmpty();
    }

    private static void address(NetNamespace namespace, int last) throws Exception {
        int index = namespace.netlink().link("eth0").orElseThrow().index();
        namespace.netlink().perform(
                NetRequest.addAddress(index, new byte[] {(byte) 172, 20, 0, (byte) last}, 16), NetRequest.raise(index, true));
    }

    /// `--dns 127.0.0.1` is a server in the container, as Docker has it, not one of the host's, which hears nothing.
    @Test
    void aServerOfTheContainersOwnMayBeOnItsLoopback() throws Exception {
        service.choose("asker", List.of(IpAddress.parse("127.0.0.11"), IpAddress.parse("127.0.0.1")));
        join("asker", "front", "172.18.0.2", true, "asker");
        assertThat(resolve("asker", "example.org")).as("nobody serves there").isEqualTo("error " + SERVFAIL);
        try (var own = serving("asker", "127.0.0.1"); var ourselves = serving("asker", "127.0.0.11")) {
            assertThat(resolve("asker", "example.org")).isEqualTo("9.9.9.9");
            assertThat(own.asked()).hasSize(1);
            assertThat(ourselves.asked()).as("an endless question").isEmpty();
        }
        assertThat(upstream.asked()).as("the host's").isEmpty();
    }

    /// A server in the container's namespace, at the port where servers are asked.
    private UpstreamServer serving(String id, String address) throws Exception {
        var sockets = thread.inside(namespace(id), () -> {
            try {
                var at = new InetSocketAddress(address, upstream.port());
                var streams = new java.net.ServerSocket();
                streams.bind(at);
                return Map.entry(streams, new DatagramSocket(at));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return new UpstreamServer(sockets.getKey(), sockets.getValue(), message -> Response.addresses(
                QueryTest.query(message), List.of(IpAddress.four(0x09090909)), false));
    }

    @Test
    void aResolverThatIsDownIsSaidToBe() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        upstream.close();
        assertThat(resolve("asker", "example.org")).isEqualTo("error " + SERVFAIL);
        Files.delete(directory.resolve("resolv.conf"));
        service.choose("asker", List.of());
        assertThat(resolve("asker", "example.org")).isEqualTo("error " + SERVFAIL);
    }

    @Test
    void aForgedAnswerIsNotTaken() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        upstream.answers(message -> {
            byte[] forged = Response.addresses(QueryTest.query(message), List.of(IpAddress.four(0x01010101)), false);
            forged[0] ^= 1; // somebody who did not see the number
            return forged;
        });
        assertThat(resolve("asker", "example.org")).isEqualTo("error " + SERVFAIL);
    }

    @Test
    void aContainerMayHaveANameServerOfItsOwn() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        thread.inside(namespace("asker"), () -> {
            try {
                new DatagramSocket(new InetSocketAddress("0.0.0.0", 53)).close();
                new java.net.ServerSocket(53).close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return true;
        });
    }

    /// Without a pause: names of ours, names that nobody answers, and connections that say half a question.
    @Test
    void aFloodHarmsTheFlooderOnly() throws Exception {
        join("flooder", "front", "172.18.0.2", true, "flooder");
        join("asker", "front", "172.18.0.3", true, "asker");
        upstream.answers(message -> QueryTest.query(message).name().startsWith("slow")
                ? new byte[0]
                : Response.addresses(QueryTest.query(message), List.of(IpAddress.four(0x08080808)), false));
        for (int i = 0; i < 20; i++) {
            ask(); // what the JDK makes once for all is there
        }
        var idle = Held.now();
        try (var own = new Flood("flooder", _ -> "asker"); var foreign = new Flood("flooder", i -> "slow" + i)) {
            var connections = halfQuestions("flooder", 64);
            var most = idle;
            own.await(5_000);
            foreign.await(5_000);
            for (int i = 0; i < 50; i++) {
                ask();
                most = most.orMore(Held.now());
            }
            own.await(own.sent() + 1_000);
            foreign.await(foreign.sent() + 1_000);
            assertThat(most.descriptors - idle.descriptors).as("descriptors: what one may ask of others, its connections, ours")
                    .isLessThanOrEqualTo(Forwarding.MOST_OF_ONE + 16 + connections.size() + 16);
            assertThat(most.threads - idle.threads).as("threads").isLessThanOrEqualTo(16);
            assertThat(most.heapBytes - idle.heapBytes).as("bytes that are held").isLessThan(32L << 20);
            for (var connection : connections) {
                connection.close();
            }
        }
        assertThat(upstream.asked()).as("some went on").anyMatch(name -> name.startsWith("slow"));
    }

    /// A question of ours and one for others.
    private void ask() throws Exception {
        assertThat(resolve("asker", "flooder")).isEqualTo("172.18.0.2");
        assertThat(resolve("asker", "example.org")).isEqualTo("8.8.8.8");
    }

    private List<Socket> halfQuestions(String id, int count) throws Exception {
        var made = thread.inside(namespace(id), () -> {
            var channels = new ArrayList<SocketChannel>();
            try {
                for (int i = 0; i < count; i++) {
                    channels.add(SocketChannel.open());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return channels;
        });
        var sockets = new ArrayList<Socket>();
        for (var channel : made) {
            channel.connect(new InetSocketAddress("127.0.0.11", 53));
            channel.socket().getOutputStream().write(new byte[] {(byte) 0xFF, (byte) 0xFF, 1, 2, 3});
            sockets.add(channel.socket());
        }
        return sockets;
    }

    /// What this process holds.
    private record Held(long descriptors, long threads, long heapBytes) {

        static Held now() throws IOException {
            System.gc();
            try (var open = Files.list(Path.of("/proc/self/fd")); var running = Files.list(Path.of("/proc/self/task"))) {
                return new Held(open.count(), running.count(),
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
            }
        }

        Held orMore(Held other) {
            return new Held(Math.max(descriptors, other.descriptors), Math.max(threads, other.threads),
                    Math.max(heapBytes, other.heapBytes));
        }
    }

    /// Asks, as quickly as one thread can, until it is closed.
    private final class Flood implements AutoCloseable {
        private final DatagramSocket socket;
        private final Thread sender;
        private final AtomicInteger sent = new AtomicInteger();

        Flood(String id, IntFunction<String> name) throws Exception {
            socket = thread.inside(namespace(id), () -> {
                try {
                    return new DatagramSocket();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            socket.connect(new InetSocketAddress("127.0.0.11", 53));
            sender = Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        byte[] message = QueryTest.message(name.apply(sent.getAndIncrement()), Query.A, 0);
                        socket.send(new DatagramPacket(message, message.length));
                    }
                } catch (IOException closed) {
                    // the end
                }
            });
        }

        int sent() {
            return sent.get();
        }

        void await(int count) {
            while (sent.get() < count) {
                assertThat(sender.isAlive()).as("it floods").isTrue();
                Thread.onSpinWait();
            }
        }

        @Override
        public void close() {
            socket.close();
            try {
                sender.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void connectionsThatSayNothingAreBounded() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        var idle = new ArrayList<Socket>();
        thread.inside(namespace("asker"), () -> {
            try {
                for (int i = 0; i < 15; i++) {
                    idle.add(new Socket("127.0.0.11", 53));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return true;
        });
        assertThat(read(exchange("asker", QueryTest.message("asker", Query.A, 0), true))).isEqualTo("172.18.0.2");
        for (var socket : idle) {
            socket.close();
        }
    }

    @Test
    void theNextEngineAnswersAgain() throws Exception {
        join("asker", "front", "172.18.0.2", true, "asker");
        assertThat(resolve("asker", "asker")).isEqualTo("172.18.0.2");
        service.close(); // as kill -9 closes its sockets
        assertThatThrownBy(() -> resolve("asker", "asker")).as("at once, not after a timeout")
                .hasRootCauseInstanceOf(PortUnreachableException.class);
        service = service(Failpoints.none());
        endpoints.clear();
        join("asker", "front", "172.18.0.2", true, "asker");
        assertThat(resolve("asker", "asker")).isEqualTo("172.18.0.2");
    }

    @Test
    void whoLeavesIsForgotten() throws Exception {
        service.close();
        service = service(Failpoints.parse("dns.open=1*EIO->off"));
        assertThatThrownBy(() -> join("asker", "front", "172.18.0.2", true, "asker"))
                .isInstanceOf(EngineException.Internal.class).hasMessageContaining("dns.open");
        service.detached("asker", endpoints.getOrDefault("asker", List.of()).getFirst());
        endpoints.clear();
        var again = join("asker", "front", "172.18.0.2", true, "asker");
        assertThat(resolve("asker", "asker")).isEqualTo("172.18.0.2");
        service.detached("asker", again.endpoint());
        assertThatThrownBy(() -> {
            while (true) { // the sockets close in the loop's next turn; who asks before is told nothing
                assertThat(resolve("asker", "asker")).startsWith("error");
            }
        }).satisfiesAnyOf(
                e -> assertThat(e).hasRootCauseInstanceOf(PortUnreachableException.class),
                e -> assertThat(e).hasRootCauseInstanceOf(SocketTimeoutException.class));
    }
}
