package carafe.network.dns;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.spec.network.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Servers that answer and servers that do not, one after the other, and such as never come to an end, which anybody may
/// name with `--dns`.
@Timeout(60)
class ForwarderTest {

    private static final IpAddress GOOD = IpAddress.four(0x08080808);
    private static final int NO_SUCH_NAME = 3;
    private static final int PORT = 5353;

    private static Optional<byte[]> ask(int port, boolean stream, Sockets from, String... addresses) throws Exception {
        byte[] message = QueryTest.message("example.org", Query.A, 0);
        var servers = new ArrayList<Forwarder.Server>();
        for (String address : addresses) {
            servers.add(new Forwarder.Server(IpAddress.parse(address), "", from));
        }
        var answer = new CompletableFuture<Optional<byte[]>>();
        var asking = Thread.ofPlatform().daemon().start(() -> answer.complete(
                new Forwarder(port).ask(QueryTest.query(message), message, stream, servers)));
        assertThat(asking.join(Duration.ofSeconds(30))).as("the query ended").isTrue();
        return answer.get();
    }

    private static byte[] good(byte[] message) {
        return Response.addresses(QueryTest.query(message), List.of(GOOD), false);
    }

    private static UnaryOperator<byte[]> error(int code) {
        return message -> Response.error(QueryTest.query(message), code, false);
    }

    /// The answer's code, and how many addresses it has.
    private static String told(Optional<byte[]> answer) {
        return answer.map(bytes -> "code " + (bytes[3] & 0xF) + ", " + Query.number(bytes, 6)).orElse("nothing");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNextServerIsAskedWhereTheFirstRefusesOrIsNotThere(boolean stream) throws Exception {
        try (var second = UpstreamServer.at("127.0.0.2", 0, ForwarderTest::good)) {
            assertThat(told(ask(second.port(), stream, Sockets.HOST, "127.0.0.1", "127.0.0.2")))
                    .as("nobody is at the first address").isEqualTo("code 0, 1");
            try (var first = UpstreamServer.at("127.0.0.1", second.port(), error(Response.SERVER_FAILURE))) {
                assertThat(told(ask(second.port(), stream, Sockets.HOST, "127.0.0.1", "127.0.0.2"))).isEqualTo("code 0, 1");
                first.answers(error(Response.REFUSED));
                assertThat(told(ask(second.port(), stream, Sockets.HOST, "127.0.0.1", "127.0.0.2"))).isEqualTo("code 0, 1");
                assertThat(first.asked()).containsExactly("example.org", "example.org");
            }
            assertThat(second.asked()).hasSize(3);
        }
    }

    @Test
    void thatANameIsNotThereIsAnAnswer() throws Exception {
        try (var first = UpstreamServer.at("127.0.0.1", 0, error(NO_SUCH_NAME));
                var second = UpstreamServer.at("127.0.0.2", first.port(), ForwarderTest::good)) {
            assertThat(told(ask(first.port(), false, Sockets.HOST, "127.0.0.1", "127.0.0.2"))).isEqualTo("code 3, 0");
            assertThat(second.asked()).isEmpty();
        }
    }

    @Test
    void whereAllRefuseTheLastRefusalIsTheAnswerAndNobodyIsAskedTwice() throws Exception {
        try (var first = UpstreamServer.at("127.0.0.1", 0, error(Response.SERVER_FAILURE));
                var second = UpstreamServer.at("127.0.0.2", first.port(), error(Response.REFUSED))) {
            assertThat(told(ask(first.port(), false, Sockets.HOST, "127.0.0.1", "127.0.0.2"))).isEqualTo("code 5, 0");
            assertThat(first.asked()).hasSize(1);
            assertThat(second.asked()).hasSize(1);
        }
    }

    @Test
    void aSilentServerIsWaitedForAndThenTheNextAsked() throws Exception {
        try (var first = UpstreamServer.at("127.0.0.1", 0, _ -> new byte[0]);
                var second = UpstreamServer.at("127.0.0.2", first.port(), ForwarderTest::good)) {
            assertThat(told(ask(first.port(), false, Sockets.HOST, "127.0.0.1", "127.0.0.2"))).isEqualTo("code 0, 1");
            assertThat(first.asked()).hasSize(1);
            assertThat(second.asked()).hasSize(1);
        }
    }

    /// A datagram may be lost on its way.
    @Test
    void allAreAskedOnceMoreWhereNobodyAnswered() throws Exception {
        var times = new AtomicInteger();
        try (var only = UpstreamServer.at("127.0.0.1", 0,
                message -> times.incrementAndGet() == 1 ? new byte[0] : good(message))) {
            assertThat(told(ask(only.port(), false, Sockets.HOST, "127.0.0.1"))).isEqualTo("code 0, 1");
            assertThat(only.asked()).hasSize(2);
        }
    }

    /// Answers that are none, faster than any wait. No real server is as quick on a busy host.
    @Test
    void aBabblingServerIsGivenUp() throws Exception {
        var babble = new Sockets() {
            @Override
            public DatagramSocket datagrams() throws IOException {
                return new DatagramSocket() {
                    @Override
                    public void receive(DatagramPacket packet) {
                        packet.setLength(12);
                        LockSupport.parkNanos(100_000);
                    }
                };
            }

            @Override
            public Socket stream() {
                throw new AssertionError("nobody asked for a stream");
            }
        };
        try (var server = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            assertThat(ask(server.getLocalPort(), false, babble, "127.0.0.1")).isEmpty();
        }
    }

    /// An answer of 64 KiB, a byte at a time.
    @Test
    void aDrippingServerIsGivenUp() throws Exception {
        try (var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread.ofPlatform().daemon().start(() -> {
                while (!server.isClosed()) {
                    try (var client = server.accept()) {
                        var out = client.getOutputStream();
                        out.write(new byte[] {(byte) 0xFF, (byte) 0xFF});
                        while (true) {
                            out.write(0);
                            Thread.sleep(200);
                        }
                    } catch (IOException | InterruptedException goneOrClosed) {
                        // the next one, or the end
                    }
                }
            });
            assertThat(ask(server.getLocalPort(), true, Sockets.HOST, "127.0.0.1")).isEmpty();
        }
    }

    /// As a router tells it that advertises itself: `nameserver fe80::53%eth0`. Each link has such addresses of its own.
    @Test
    void aServerOfOneLinkIsAskedThere(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("resolv.conf"), "nameserver fe80::53%lo\nnameserver fe80::53%1\n"
                + "nameserver 10.0.0.1%lo\nnameserver fe80::53%none\n");
        var servers = new HostResolvers(directory.resolve("resolv.conf")).servers();
        assertThat(servers).extracting(HostResolvers.Resolver::zone).containsExactly("lo", "1", "", "none");
        try (var thread = NamespaceThread.start(); var namespace = thread.create(new NetNamespace.Settings(Map.of()))) {
            namespace.netlink().perform(NetRequest.raise(1, true),
                    NetRequest.addAddress(1, IpAddress.parse("fe80::53").bytes(), 64));
            try (var there = Inside.open(thread, namespace.path()); var upstream = serving(thread, namespace)) {
                for (var resolver : servers) {
                    boolean good = resolver.zone().equals("lo") || resolver.zone().equals("1");
                    var server = new Forwarder.Server(resolver.address(), resolver.zone(), there);
                    for (boolean stream : new boolean[] {false, true}) {
                        byte[] message = QueryTest.message("example.org", Query.A, 0);
                        assertThat(new Forwarder(PORT).ask(QueryTest.query(message), message, stream, List.of(server)))
                                .as("%s", resolver).matches(answer -> answer.isPresent() == good);
                    }
                }
                assertThat(upstream.asked()).hasSize(4);
            }
        }
    }

    private static UpstreamServer serving(NamespaceThread thread, NetNamespace namespace) throws Exception {
        byte[] address = IpAddress.parse("fe80::53").bytes();
        var sockets = thread.inside(namespace.handle(), () -> {
            try {
                var at = new InetSocketAddress(Inet6Address.getByAddress(null, address, 1), PORT);
                var streams = new ServerSocket();
                streams.bind(at);
                return Map.entry(streams, new DatagramSocket(at));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return new UpstreamServer(sockets.getKey(), sockets.getValue(), message -> Response.addresses(
                QueryTest.query(message), List.of(IpAddress.four(0x09090909)), false));
    }
}
