package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a client leaves when it goes away without a word.
class CarafeReapsTest {

    private final Client client = Client.docker28();

    private static long sockets(long pid) throws IOException {
        try (var descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return descriptors.filter(CarafeReapsTest::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException _) {
            return false; // closed while we looked
        }
    }

    private static long parent(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .filter(line -> line.startsWith("PPid:"))
                .mapToLong(line -> Long.parseLong(line.substring(5).strip()))
                .findFirst().orElseThrow();
    }

    /// Starts the engine and a container that says nothing.
    private long monitorOfSilence(CarafeDaemon engine) throws Exception {
        engine.start();
        client.to(engine).and("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).run().good();
        String id = client.to(engine).and("run", "-di", "--name", "silent", "busybox", "cat").run().good().text();
        engine.remember(List.of(id));
        return parent(Long.parseLong(
                client.to(engine).and("inspect", "--format", "{{.State.Pid}}", "silent").run().good().text()));
    }

    @Test
    void clientsThatVanishBesideASilentContainerAreForgotten() throws Exception {
        try (var engine = new CarafeDaemon()) {
            long monitor = monitorOfSilence(engine);
            long before = sockets(monitor);
            try (var attached = client.to(engine).and("attach", "silent").start();
                    var watching = client.to(engine).and("attach", "--no-stdin", "silent").start();
                    var exec = client.to(engine).and("exec", "-i", "silent", "cat").start()) {
                Deadline.await("both are there", () -> sockets(monitor) == before + 2);
                long daemon = sockets(engine.pid());
                for (var session : List.of(attached, watching, exec)) {
                    session.signal("KILL");
                    assertThat(session.await().code()).isNotZero();
                }
                Deadline.await("the monitor forgets them", () -> sockets(monitor) == before);
                Deadline.await("so does the daemon", () -> sockets(engine.pid()) < daemon);
            }
            client.to(engine).and("rm", "-f", "silent").run().good();
        }
    }

    /// Its socket is reset then, for there are bytes that it never read.
    @Test
    void aClientThatVanishesWithoutReadingIsForgotten() throws Exception {
        try (var engine = new CarafeDaemon()) {
            long monitor = monitorOfSilence(engine);
            long before = sockets(monitor);
            try (var hasty = SocketChannel.open(UnixDomainSocketAddress.of(engine.socket()))) {
                hasty.write(ByteBuffer.wrap(("POST /containers/silent/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n"
                        + "Host: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII)));
                assertThat(hasty.read(ByteBuffer.allocate(1))).as("the first byte of the answer").isEqualTo(1);
                assertThat(sockets(monitor)).isEqualTo(before + 1);
            }
            Deadline.await("the monitor forgets it", () -> sockets(monitor) == before);
            client.to(engine).and("rm", "-f", "silent").run().good();
        }
    }
}
