package carafe.network.dns;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.network.IpAddress;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Servers that never come to an end, which anybody may name with `--dns`.
@Timeout(60)
class ForwarderTest {

    private static Optional<byte[]> ask(int port, boolean stream, Sockets from) throws Exception {
        byte[] message = QueryTest.message("example.org", Query.A, 0);
        var server = new Forwarder.Server(IpAddress.parse("127.0.0.1"), from);
        var answer = new CompletableFuture<Optional<byte[]>>();
        var asking = Thread.ofPlatform().daemon().start(() -> answer.complete(
                new Forwarder(port).ask(QueryTest.query(message), message, stream, List.of(server))));
        assertThat(asking.join(Duration.ofSeconds(30))).as("the query ended").isTrue();
        return answer.get();
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
            assertThat(ask(server.getLocalPort(), false, babble)).isEmpty();
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
            assertThat(ask(server.getLocalPort(), true, Sockets.HOST)).isEmpty();
        }
    }
}
