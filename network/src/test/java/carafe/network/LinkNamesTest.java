package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkEnd;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Chance names links, and may say what it said before: of a thousand containers' links one has the next's name once in
/// seventeen thousand starts.
class LinkNamesTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

    @TempDir
    Path run;

    private FabricStage stage;
    private NamespaceThread thread;
    private Netlink host;
    private Marks marks;
    private Graveyard graveyard;

    /// Says everything twice; and it has said 0, which a link on the host is called by.
    private static final class Stammering extends SecureRandom {
        private static final long serialVersionUID = 1;
        private int said = 1;

        @Override
        public void nextBytes(byte[] bytes) {
            bytes[bytes.length - 1] = (byte) (said++ / 2);
        }
    }

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        thread = NamespaceThread.startAt(stage.home());
        host = thread.insideHome(Netlink::open);
        marks = new Marks(FabricStage.NAME, new Stammering());
        graveyard = new Graveyard(thread.insideHome(Netlink::open), FabricStage.AT_ONCE);
        String taken = new Marks(FabricStage.NAME, new Stammering()).hostLink();
        assertThat(taken).endsWith("000000");
        host.perform(NetRequest.addVeth(LinkEnd.named(taken), LinkEnd.named("other")));
    }

    @AfterEach
    void close() {
        host.close();
        thread.close();
        stage.close();
    }

    @Test
    void aContainerGetsALinkWithANameThatNoneHas() throws Exception {
        var config = stage.config(FabricStage.NAME);
        var retired = new RetiredBridges(thread.insideHome(Netlink::open), Duration.ofHours(1));
        var bridges = new Bridges(host, thread, "carafe " + marks.mark(), config, retired);
        var addresses = new Addresses(bridges::others);
        var namespaces = new NamespacePool(
                thread, 0, new CablesAhead(thread.insideHome(Netlink::open), marks, graveyard), Failpoints.none());
        var subnet = new Subnet(Cidr.parse("10.77.0.0/24"), Optional.empty(), Optional.empty(), Map.of());
        var network = new Network("app", "app", Instant.EPOCH, Driver.BRIDGE,
                new Network.Addressing(true, false, "default", Map.of(), List.of(subnet)), Network.Reach.USUAL, "br-app",
                Map.of(), Map.of());
        addresses.add(network);
        bridges.note(network, bridges.make(network));
        try (retired;
                var sandboxes = new Sandboxes(
                        new Sandboxes.Tools(thread, namespaces,
                                new Cables(host, thread, bridges, graveyard, bridges::make), graveyard,
                                SandboxNotes.open(run.resolve("n")), marks, new Arrivals(Set.of("app")),
                                new ReentrantLock()),
                        addresses, List.of(), Failpoints.none())) {
            var opening = sandboxes.begin(ONE, List.of(joining(network)), Optional.empty());
            opening.complete();
            var alone = sandboxes.begin(TWO, List.of(), Optional.empty());
            alone.complete();
            var later = sandboxes.connect(TWO, joining(network));
            var first = opening.sandbox().endpoints().getFirst();
            assertThat(host.link(first.hostLink())).isPresent();
            assertThat(host.link(later.hostLink())).isPresent();
            assertThat(later.hostLink()).isNotEqualTo(first.hostLink());
        }
    }

    @Test
    void aCableMadeAheadGetsANameThatNoneHas() throws Exception {
        try (var ahead = new CablesAhead(thread.insideHome(Netlink::open), marks, graveyard);
                var one = thread.create(NamespacePool.SETTINGS);
                var two = thread.create(NamespacePool.SETTINGS)) {
            String first = ahead.lay(one).hostLink();
            String second = ahead.lay(two).hostLink();
            assertThat(host.link(first)).isPresent();
            assertThat(host.link(second)).isPresent();
            assertThat(second).isNotEqualTo(first);
        }
        graveyard.close();
    }
}
