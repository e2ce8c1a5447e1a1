package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The files of unix sockets: who may connect, what is in the way, what is left.
@Timeout(60)
class ServerSocketFileTest {

    @TempDir
    private Path directory;

    private static HttpServer start(Listener... listeners) throws IOException {
        return HttpServer.start(List.of(listeners), ServerLimits.DEFAULTS, exchange -> {
            String peer = exchange.peer().orElseThrow().toString();
            exchange.respond(200, Headers.NONE, TestServer.bytes(peer));
        }, cause -> new Answer(500, Headers.NONE, TestServer.bytes(cause.toString())));
    }

    @Test
    void aSocketHasTheModeAndGroupAskedForAndIsRemovedAtTheEnd() throws IOException {
        Path path = directory.resolve("s");
        try (var server = start(Listener.unix(path, 0660, Optional.of("1234")))) {
            assertThat(server.addresses()).containsExactly(new Address.Unix(path));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-rw----");
            assertThat(Files.getAttribute(path, "unix:gid")).isEqualTo(1234);
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void whatADeadServerLeftIsReplacedAndALivingOneIsNot() throws IOException {
        Path path = directory.resolve("s");
        try (var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        try (var server = start(Listener.unix(path, 0600, Optional.empty()))) {
            assertThatThrownBy(() -> start(Listener.unix(path, 0600, Optional.empty())))
                    .isInstanceOf(IOException.class)
                    .hasMessage("cannot listen at unix://" + path + ": another process is listening there");
            assertThat(server.addresses()).hasSize(1);
            try (var client = RawPeer.connect(path)) {
                assertThat(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").head()).startsWith("HTTP/1.1 200 OK");
            }
        }
    }

    @Test
    void aSocketThatSomebodyElsePutThereMeanwhileIsLeftAlone() throws IOException {
        Path path = directory.resolve("s");
        try (var other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            try (var server = start(Listener.unix(path, 0600, Optional.empty()))) {
                assertThat(server.connections()).isZero();
                Files.delete(path);
                other.bind(UnixDomainSocketAddress.of(path));
            }
            assertThat(path).exists();
        }
    }

    @Test
    void everyFailureNamesItsAddressAndLeavesNothing() throws IOException {
        Path first = directory.resolve("first");
        Path file = Files.writeString(directory.resolve("file"), "precious");
        long sockets = Sockets.open();
        var fine = Listener.unix(first, 0600, Optional.empty());
        assertThatThrownBy(() -> start(fine, Listener.unix(file, 0600, Optional.empty())))
                .hasMessage("cannot listen at unix://" + file + ": a file that is not a socket is in the way");
        Path nowhere = directory.resolve("none/s");
        assertThatThrownBy(() -> start(fine, Listener.unix(nowhere, 0600, Optional.empty())))
                .hasMessage("cannot listen at unix://" + nowhere + ": its directory does not exist");
        Path second = directory.resolve("second");
        assertThatThrownBy(() -> start(fine, Listener.unix(second, 0600, Optional.of("no such group"))))
                .hasMessage("cannot listen at unix://" + second + ": there is no group \"no such group\"");
        Path far = directory.resolve("x".repeat(120));
        assertThatThrownBy(() -> start(fine, Listener.unix(far, 0600, Optional.empty())))
                .hasMessageStartingWith("cannot listen at unix://" + far + ": ");
        try (var taken = new ServerSocket(0)) {
            var address = new Address.Tcp("127.0.0.1", taken.getLocalPort(), Optional.empty());
            assertThatThrownBy(() -> start(fine, Listener.at(address)))
                    .hasMessage("cannot listen at " + address + ": Address already in use");
        }
        var unknown = new Address.Tcp("no-such-host.invalid", 1, Optional.empty());
        assertThatThrownBy(() -> start(fine, Listener.at(unknown)))
                .hasMessage("cannot listen at " + unknown + ": there is no host \"no-such-host.invalid\"");
        Sockets.awaitOpen(sockets);
        try (var left = Files.list(directory)) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void anotherUsersNumbersAreTold() throws Exception {
        Path shared = Files.createTempDirectory("carafe-http-peer");
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path socket = shared.resolve("s");
        Path source = Files.writeString(shared.resolve("Ask.java"), """
                import java.net.UnixDomainSocketAddress;
                import java.nio.ByteBuffer;
                import java.nio.channels.SocketChannel;
                import java.nio.file.Path;

                class Ask {
                    public static void main(String[] args) throws Exception {
                        var channel = SocketChannel.open(UnixDomainSocketAddress.of(Path.of(args[0])));
                        String request = "GET / HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n";
                        channel.write(ByteBuffer.wrap(request.getBytes()));
                        var answer = ByteBuffer.allocate(4096);
                        while (channel.read(answer) >= 0) {}
                        System.out.print(new String(answer.array(), 0, answer.position()));
                    }
                }
                """);
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        try (var server = start(Listener.unix(socket, 0666, Optional.empty()))) {
            var ask = new ProcessBuilder("setpriv", "--reuid=54321", "--regid=54322", "--clear-groups",
                    java, source.toString(), socket.toString()).redirectErrorStream(true).start();
            String answer = new String(ask.getInputStream().readAllBytes());
            assertThat(ask.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(answer).endsWith("PeerCredentials[uid=54321, gid=54322, user=54321, group=54322]");
            assertThat(server.addresses()).hasSize(1);
        } finally {
            Files.deleteIfExists(source);
            Files.deleteIfExists(shared);
        }
    }
}
