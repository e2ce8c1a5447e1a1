package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Addresses, and servers that are not there.
@Timeout(30)
class ConnectTest {

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "unix:///run/carafe/carafe.sock, unix:///run/carafe/carafe.sock",
        "tcp://10.0.0.1:1234, tcp://10.0.0.1:1234",
        "tcp://10.0.0.1, tcp://10.0.0.1:2375",
        "tcp://:99, tcp://127.0.0.1:99",
        "tcp://, tcp://127.0.0.1:2375",
        "http://build.example:80/, tcp://build.example:80",
        "https://build.example, tcp://build.example:2375",
        "localhost:4243, tcp://localhost:4243",
        "tcp://[::1]:2375, tcp://[::1]:2375",
        "tcp://[::1], tcp://[::1]:2375",
    })
    void addressesAreReadAsDockerDoes(String text, String address) {
        assertThat(Address.parse(text, Optional.empty())).hasToString(address);
    }

    @Test
    void withTlsThePortIs2376() {
        var tls = Optional.of(new TlsFiles(Optional.empty(), Optional.empty(), Optional.empty(), true));
        assertThat(Address.parse("tcp://h", tls)).isEqualTo(new Address.Tcp("h", 2376, tls));
    }

    @ParameterizedTest
    @CsvSource({"ssh://host", "npipe:////./pipe/x", "unix://", "tcp://h:x", "tcp://h:70000", "tcp://h:1/path", "h:"})
    void otherAddressesAreRefusedByName(String text) {
        assertThatThrownBy(() -> Address.parse(text, Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("invalid host \"" + text + "\": ");
    }

    @Test
    void aServerThatIsNotThereIsNamedWithTheReason() throws IOException {
        Path none = directory.resolve("none");
        assertThatThrownBy(() -> get(new Address.Unix(none)))
                .isInstanceOf(ConnectFailed.class)
                .hasMessage("cannot connect to unix://" + none + ": no such file");
        Path dead = directory.resolve("dead");
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(dead));
        }
        assertThatThrownBy(() -> get(new Address.Unix(dead)))
                .hasMessage("cannot connect to unix://" + dead + ": Connection refused");
        Files.delete(dead);
        int port;
        try (var server = new ServerSocket(0)) {
            port = server.getLocalPort();
        }
        var closed = new Address.Tcp("127.0.0.1", port, Optional.empty());
        assertThatThrownBy(() -> get(closed)).hasMessage("cannot connect to " + closed + ": Connection refused");
        var unknown = new Address.Tcp("no-such-host.invalid", 1, Optional.empty());
        assertThatThrownBy(() -> get(unknown))
                .hasMessage("cannot connect to " + unknown + ": there is no host \"no-such-host.invalid\"");
    }

    @Test
    void aServerThatDoesNotAcceptIsGivenUp() throws IOException {
        Path stuck = directory.resolve("stuck");
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(stuck), 1);
            try (var first = RawPeer.connect(stuck);
                    var second = RawPeer.connect(stuck)) {
                assertThat(first.channel.isConnected() && second.channel.isConnected()).isTrue();
                assertThatThrownBy(() -> get(new Address.Unix(stuck)))
                        .isInstanceOf(ConnectFailed.class)
                        .hasMessage("cannot connect to unix://" + stuck + ": no answer within 1 seconds");
            }
        }
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var stuckTcp = new Address.Tcp("127.0.0.1", server.getLocalPort(), Optional.empty());
            try (var first = RawPeer.connect(server.getLocalPort());
                    var second = RawPeer.connect(server.getLocalPort())) {
                assertThat(first.channel.isConnected() && second.channel.isConnected()).isTrue();
                assertThatThrownBy(() -> get(stuckTcp))
                        .hasMessage("cannot connect to " + stuckTcp + ": no answer within 1 seconds");
            }
        }
    }

    private static void get(Address address) throws IOException {
        try (var client = new HttpClient(address, Duration.ofSeconds(1));
                var response = client.send(ClientRequest.get("/"))) {
            assertThat(response.status()).isZero();
        }
    }
}
