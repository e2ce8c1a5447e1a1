package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// The sockets this process has open, and waiting for what takes a moment.
final class Sockets {

    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long BETWEEN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private Sockets() {}

    static {
        // The JDK keeps a socket of its own from the first TCP connection on.
        try (var server = new ServerSocket(0);
                var client = new Socket(server.getInetAddress(), server.getLocalPort());
                var channel = SocketChannel.open(server.getLocalSocketAddress())) {
            assertThat(client.isConnected() && channel.isConnected()).isTrue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static long open() throws IOException {
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(Sockets::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // the listing's own descriptor, closed by now
        }
    }

    static void awaitOpen(long expected) throws IOException {
        long until = System.nanoTime() + DEADLINE_NANOS;
        while (open() > expected && System.nanoTime() < until) {
            LockSupport.parkNanos(BETWEEN_NANOS);
        }
        assertThat(open()).as("sockets left open").isLessThanOrEqualTo(expected);
    }

    static void await(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + DEADLINE_NANOS;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting for: " + what).isLessThan(until);
            LockSupport.parkNanos(BETWEEN_NANOS);
        }
    }
}
