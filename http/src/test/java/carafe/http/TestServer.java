package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// A server on a unix socket and on a loopback port, whose close asserts that it left nothing behind.
final class TestServer implements AutoCloseable {

    static final Headers TEXT = Headers.of("Content-Type", "text/plain");

    final Path socket;
    final Address.Tcp tcp;
    final HttpServer server;
    final BlockingQueue<Throwable> tooLate = new LinkedBlockingQueue<>();
    private final Path directory;
    private final long descriptorsBefore;

    TestServer(Handler handler) throws IOException {
        this(ServerLimits.DEFAULTS, Optional.empty(), handler);
    }

    TestServer(ServerLimits limits, Optional<TlsFiles> tls, Handler handler) throws IOException {
        descriptorsBefore = Sockets.open();
        directory = Files.createTempDirectory("carafe-http");
        socket = directory.resolve("s");
        var errors = new ErrorMapper() {
            @Override
            public Answer answer(Throwable cause) {
                int status = cause instanceof HttpException refused ? refused.status() : 500;
                return new Answer(status, TEXT, bytes(String.valueOf(cause.getMessage())));
            }

            @Override
            public void tooLate(Throwable cause) {
                tooLate.add(cause);
            }
        };
        var listeners = List.of(
                Listener.unix(socket, 0600, Optional.empty()), Listener.at(new Address.Tcp("127.0.0.1", 0, tls)));
        server = HttpServer.start(listeners, limits, handler, errors);
        tcp = (Address.Tcp) server.addresses().get(1);
    }

    RawPeer connect() throws IOException {
        return RawPeer.connect(socket);
    }

    RawPeer connectTcp() throws IOException {
        return RawPeer.connect(tcp.port());
    }

    HttpClient client() {
        return new HttpClient(new Address.Unix(socket), Duration.ofSeconds(5));
    }

    @Override
    public void close() throws IOException {
        server.close(Duration.ofSeconds(5));
        assertThat(server.connections()).isZero();
        assertThat(socket).doesNotExist();
        Files.delete(directory);
        Sockets.awaitOpen(descriptorsBefore);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
