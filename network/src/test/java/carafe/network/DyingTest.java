package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that went and whose links lie in the graveyard, here until the test's end: they disturb nobody who comes after.
class DyingTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);
    private static final String THREE = "3".repeat(64);
    private static final String NEIGHBOUR = "9".repeat(64);
    private static final Lull.Patience FOR_EVER = new Lull.Patience(Duration.ofHours(1), Duration.ofHours(1), 1000);
    private static final int MILLIS = 300;

    @TempDir
    Path run;

    private FabricStage stage;
    private FabricParts parts;
    private Sandboxes sandboxes;
    private Neighbours neighbours;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        neighbours = new Neighbours(stage);
        parts = new FabricParts(stage, FOR_EVER);
        sandboxes = parts.sandboxes(Set.of("front", "back"));
    }

    @AfterEach
    void close() {
        sandboxes.close();
        parts.close();
        stage.close();
    }

    private Sandbox start(String id, Joining... joinings) throws EngineException {
        var opening = sandboxes.begin(id, List.of(joinings), Optional.empty());
        opening.complete();
        return opening.sandbox();
    }

    private static Joining with(Network network, String address, String mac) throws EngineException {
        return new Joining(network, new Joining.Wanted(Optional.of(IpAddress.parse(address)), Optional.empty(), List.of(),
                Optional.of(MacAddress.parse(mac)), ""), List.of(), 0, Map.of());
    }

    private boolean isThere(Sandbox sandbox) throws KernelException {
        return parts.host.link(sandbox.endpoints().getFirst().hostLink()).isPresent();
    }

    @Test
    void whoHasTheAddressNextIsReachedEvenIfOneBetweenFailed() throws Exception {
        var front = parts.network("front", Map.of(), "10.77.0.0/24");
        var back = parts.network("back", Map.of(), "10.78.0.0/24");
        var neighbour = start(NEIGHBOUR, joining(front, "10.77.0.50"), joining(back, "10.78.0.9"));
        for (boolean fails : new boolean[] {false, true}) {
            var first = start(ONE, joining(front, "10.77.0.5"));
            assertThat(neighbours.reach(neighbour, first, "10.77.0.5", MILLIS)).isTrue();
            sandboxes.close(ONE);
            if (fails) {
                assertThatThrownBy(() -> start(TWO, joining(front, "10.77.0.5"), joining(back, "10.78.0.9")))
                        .isInstanceOf(EngineException.class).hasMessageContaining("Address already in use");
            }
            var next = start(THREE, joining(front, "10.77.0.5"));
            assertThat(isThere(first)).isTrue();
            for (int time = 0; time < 3; time++) {
                neighbours.ip(neighbour, "neigh", "flush", "all");
                assertThat(neighbours.reach(neighbour, next, "10.77.0.5", MILLIS)).as("after a failure: " + fails).isTrue();
            }
            sandboxes.close(THREE);
        }
    }

    @Test
    void whoHasTheHardwareAddressNextIsTheOnlyOneWhoAnswersForIt() throws Exception {
        var front = parts.network("front", Map.of(), "10.77.0.0/24");
        var neighbour = start(NEIGHBOUR, joining(front, "10.77.0.50"));
        var first = start(ONE, with(front, "10.77.0.5", "02:42:00:00:00:99"));
        assertThat(answers(neighbour, "10.77.0.5")).isTrue();
        sandboxes.close(ONE);
        var next = start(TWO, with(front, "10.77.0.6", "02:42:00:00:00:99"));
        assertThat(isThere(first)).isTrue();
        neighbours.ip(neighbour, "neigh", "flush", "all");
        assertThat(answers(neighbour, "10.77.0.5")).isFalse();
        assertThat(neighbours.reach(neighbour, next, "10.77.0.6", MILLIS)).isTrue();
    }

    /// Whether somebody is there: he refuses, for nobody listens.
    private boolean answers(Sandbox from, String address) throws Exception {
        try (var here = stage.enter(from)) {
            return stage.thread().inside(here.handle(), () -> {
                try (var socket = new Socket()) {
                    socket.connect(new InetSocketAddress(InetAddress.getByName(address), 7), MILLIS);
                    return true;
                } catch (IOException e) {
                    return String.valueOf(e.getMessage()).contains("refused");
                }
            });
        }
    }

    @Test
    void nothingComesOutOfTheGrave() throws Exception {
        var front = parts.network("front", Map.of(), "10.77.0.0/24");
        var neighbour = start(NEIGHBOUR, joining(front, "10.77.0.50"));
        var first = start(ONE, joining(front, "10.77.0.5"));
        assertThat(neighbours.reach(first, neighbour, "10.77.0.50", MILLIS)).as("it knows the neighbour").isTrue();
        try (var from = stage.enter(first); var to = stage.enter(neighbour);
                var sender = stage.thread().inside(from.handle(), DyingTest::socket);
                var receiver = stage.thread().inside(to.handle(), DyingTest::socket)) {
            sandboxes.close(ONE);
            assertThat(arrives(sender, receiver)).as("while nobody has its address").isTrue();
            start(TWO, joining(front, "10.77.0.5"));
            assertThat(isThere(first)).isTrue();
            assertThat(arrives(sender, receiver)).isFalse();
        }
    }

    private static DatagramSocket socket() {
        try {
            return new DatagramSocket();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean arrives(DatagramSocket sender, DatagramSocket receiver) throws IOException {
        sender.send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("10.77.0.50"), receiver.getLocalPort()));
        receiver.setSoTimeout(MILLIS);
        try {
            receiver.receive(new DatagramPacket(new byte[1], 1));
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }
}
