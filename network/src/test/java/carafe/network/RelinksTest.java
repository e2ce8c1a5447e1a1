package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers that come and go while the bridges they hang on are made anew.
class RelinksTest {

    private static final String ONE = "1".repeat(64);
    private static final Lull.Patience FOR_EVER = new Lull.Patience(Duration.ofHours(1), Duration.ofHours(1), 1000);

    @TempDir
    Path run;

    /// Has the bridges made anew while a container comes, and does something whenever that is put back into one of them.
    private static final class Unrest implements EndpointListener {
        private final FabricParts parts;
        private final List<Network> networks;
        private final Consumer<Sandboxes> then;
        private final List<Endpoint> putBack = new ArrayList<>();
        private Optional<Sandboxes> sandboxes = Optional.empty();

        private Unrest(FabricParts parts, List<Network> networks, Consumer<Sandboxes> then) {
            this.parts = parts;
            this.networks = networks;
            this.then = then;
        }

        @Override
        public void attached(Attached attached) throws EngineException {
            if (attached.network().equals(networks.getLast())) {
                parts.bridging.lock();
                try {
                    for (var network : networks) {
                        parts.host.perform(NetRequest.deleteLink(network.link()));
                        parts.make(network);
                        sandboxes.orElseThrow().relinks().reattach(network.id());
                    }
                } catch (KernelException e) {
                    throw new AssertionError(e);
                } finally {
                    parts.bridging.unlock();
                }
            }
        }

        @Override
        public void replugged(String containerId, Endpoint endpoint) {
            putBack.add(endpoint);
            then.accept(sandboxes.orElseThrow());
        }

        @Override
        public void detached(String containerId, Endpoint endpoint) {}

        /// A container comes into all the networks.
        private Sandbox come(Sandboxes into) throws EngineException {
            sandboxes = Optional.of(into);
            var opening = into.begin(ONE, networks.stream().map(FabricStage::joining).toList(), Optional.empty());
            opening.complete();
            return opening.sandbox();
        }
    }

    @Test
    void whoHasGoneMeanwhileIsNotPutBack() throws Exception {
        try (var stage = new FabricStage(run); var parts = new FabricParts(stage, FOR_EVER)) {
            var networks = List.of(
                    parts.network("front", Map.of(), "10.77.0.0/24"), parts.network("back", Map.of(), "10.78.0.0/24"));
            var unrest = new Unrest(parts, networks, sandboxes -> sandboxes.close(ONE));
            try (var sandboxes = parts.sandboxes(Set.of("front", "back"), unrest)) {
                var sandbox = unrest.come(sandboxes);
                assertThat(unrest.putBack).hasSize(1);
                var other = sandbox.endpoints().stream().filter(end -> !unrest.putBack.contains(end)).toList();
                assertThat(other).hasSize(1);
                var link = stage.netlink().link(other.getFirst().hostLink());
                assertThat(link.orElseThrow().master()).as("its link lies, and is no port of a bridge").isZero();
            }
        }
    }

    @Test
    void whoseLinkIsNoPortAnyMoreWhenItIsSetGetsAnother() throws Exception {
        try (var stage = new FabricStage(run); var parts = new FabricParts(stage, FOR_EVER)) {
            var network = parts.network("front", Map.of(LinkOptions.ICC, "false"), "10.77.0.0/24");
            parts.deleteUnderTheNext(network);
            try (var sandboxes = parts.sandboxes(Set.of("front"))) {
                var opening = sandboxes.begin(ONE, List.of(joining(network)), Optional.empty());
                opening.complete();
                var link = stage.netlink().link(opening.sandbox().endpoints().getFirst().hostLink());
                assertThat(link.orElseThrow().master()).isEqualTo(
                        stage.netlink().link(network.link()).orElseThrow().index());
            }
        }
    }

    @Test
    void whoIsBeingPutBackGoesAfterwards() throws Exception {
        try (var stage = new FabricStage(run); var parts = new FabricParts(stage, FOR_EVER)) {
            var network = parts.network("front", Map.of(), "10.77.0.0/24");
            var ends = new ArrayList<Thread>();
            var unrest = new Unrest(parts, List.of(network), sandboxes -> {
                var end = Thread.ofPlatform().start(() -> sandboxes.close(ONE));
                ends.add(end);
                while (end.getState() != Thread.State.WAITING) {
                    assertThat(end.isAlive()).as("it is still on its way out").isTrue();
                    Thread.onSpinWait();
                }
            });
            try (var sandboxes = parts.sandboxes(Set.of("front"), unrest)) {
                unrest.come(sandboxes);
                assertThat(ends).hasSize(1);
                ends.getFirst().join();
                assertThatThrownBy(() -> sandboxes.connect(ONE, joining(network))).hasMessageContaining("is not running");
            }
        }
    }
}
