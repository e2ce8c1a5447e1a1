package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetRequest;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    private FabricParts parts;

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
        parts = new FabricParts(stage, FabricStage.AT_ONCE, new Marks(FabricStage.NAME, new Stammering()));
        String taken = new Marks(FabricStage.NAME, new Stammering()).hostLink();
        assertThat(taken).endsWith("000000");
        parts.host.perform(NetRequest.addVeth(LinkEnd.named(taken), LinkEnd.named("other")));
    }

    @AfterEach
    void close() {
        parts.close();
        stage.close();
    }

    @Test
    void aContainerGetsALinkWithANameThatNoneHas() throws Exception {
        try (var sandboxes = parts.sandboxes(Set.of("app"))) {
            var network = parts.network("app", Map.of(), "10.77.0.0/24");
            var opening = sandboxes.begin(ONE, List.of(joining(network)), Optional.empty());
            opening.complete();
            var alone = sandboxes.begin(TWO, List.of(), Optional.empty());
            alone.complete();
            var later = sandboxes.connect(TWO, joining(network));
            var first = opening.sandbox().endpoints().getFirst();
            assertThat(parts.host.link(first.hostLink())).isPresent();
            assertThat(parts.host.link(later.hostLink())).isPresent();
            assertThat(later.hostLink()).isNotEqualTo(first.hostLink());
        }
    }

    @Test
    void aCableMadeAheadGetsANameThatNoneHas() throws Exception {
        try (var ahead = parts.cablesAhead();
                var one = parts.thread.create(NamespacePool.SETTINGS);
                var two = parts.thread.create(NamespacePool.SETTINGS)) {
            String first = ahead.lay(one).hostLink();
            String second = ahead.lay(two).hostLink();
            assertThat(parts.host.link(first)).isPresent();
            assertThat(parts.host.link(second)).isPresent();
            assertThat(second).isNotEqualTo(first);
        }
        parts.graveyard.close();
    }
}
