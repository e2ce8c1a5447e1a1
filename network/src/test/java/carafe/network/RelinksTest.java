package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that come and go while the bridges they hang on are made anew.
class RelinksTest {

    private static final String ONE = "1".repeat(64);
    private static final Lull.Patience FOR_EVER = new Lull.Patience(Duration.ofHours(1), Duration.ofHours(1), 1000);

    @TempDir
    Path run;

    /// Has both bridges made anew while a container comes, and ends it as soon as it is put back into one of them.
    private static final class Unrest implements EndpointListener {
        private final FabricParts parts;
        private final List<Network> networks;
        private final List<Endpoint> putBack = new ArrayList<>();
        private Optional<Sandboxes> sandboxes = Optional.empty();

        private Unrest(FabricParts parts, List<Network> networks) {
            this.parts = parts;
            this.networks = networks;
        }

        @Override
        public void attached(Attached attached) throws EngineException {
            var last = networks.getLast();
            if (!attached.network().equals(last)) {
                return;
            }
            for (var network : networks) {
                try {
                    parts.host.perform(NetRequest.deleteLink(network.link()));
                } catch (KernelException e) {
                    throw new AssertionError(e);
                }
                parts.make(network);
                sandboxes.orElseThrow().relinks().reattach(network.id());
            }
        }

        @Override
        public void replugged(String containerId, Endpoint endpoint) {
            putBack.add(endpoint);
            sandboxes.orElseThrow().close(containerId);
        }

        @Override
        public void detached(String containerId, Endpoint endpoint) {}
    }

    @Test
    void whoHasGoneMeanwhileIsNotPutBack() throws Exception {
        try (var stage = new FabricStage(run); var parts = new FabricParts(stage, FOR_EVER)) {
            var front = parts.network("front", Map.of(), "10.77.0.0/24");
            var back = parts.network("back", Map.of(), "10.78.0.0/24");
            var unrest = new Unrest(parts, List.of(front, back));
            try (var sandboxes = parts.sandboxes(Set.of("front", "back"), unrest)) {
                unrest.sandboxes = Optional.of(sandboxes);
                var opening = sandboxes.begin(ONE, List.of(joining(front), joining(back)), Optional.empty());
                opening.complete();
                assertThat(unrest.putBack).hasSize(1);
                var other = opening.sandbox().endpoints().stream().filter(end -> !unrest.putBack.contains(end)).toList();
                assertThat(other).hasSize(1);
                var link = stage.netlink().link(other.getFirst().hostLink());
                assertThat(link.orElseThrow().master()).as("its link lies, and is no port of a bridge").isZero();
            }
        }
    }
}
