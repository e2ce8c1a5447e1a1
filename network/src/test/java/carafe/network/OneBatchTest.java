package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.KernelException;
import carafe.kernel.NetNamespace;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How often a start on bridges calls the kernel to change something: each call waits for its one lock of network
/// configuration, so a hundred starts at once wait for that many calls times a hundred.
class OneBatchTest {

    private static final String ONE = "1".repeat(64);

    @TempDir
    Path run;

    /// All namespaces that were made, by their paths, and how often each had been changed by then.
    private final ConcurrentMap<String, Made> made = new ConcurrentHashMap<>();
    private FabricStage stage;
    private FabricParts parts;

    private record Made(NetNamespace namespace, long batches) {
        long since() {
            return namespace.netlink().batches() - batches;
        }
    }

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        parts = new FabricParts(stage, FabricStage.AT_ONCE);
    }

    @AfterEach
    void close() {
        parts.close();
        stage.close();
    }

    private Sandboxes start(int ahead) throws Exception {
        return parts.sandboxes(Set.of("front", "back"), ahead, this::namespace);
    }

    private NetNamespace namespace() throws KernelException {
        var namespace = parts.thread.create(NamespacePool.SETTINGS);
        made.put(namespace.path(), new Made(namespace, namespace.netlink().batches()));
        return namespace;
    }

    private Network network(String name, int number) throws EngineException {
        return parts.network(
                name, Map.of(LinkOptions.ICC, "false"), "10.7" + number + ".0.0/24", "fd00:7" + number + "::/64");
    }

    private static Sandbox open(Sandboxes sandboxes, List<Joining> joinings) throws EngineException {
        var opening = sandboxes.begin(ONE, joinings, Optional.empty());
        opening.complete();
        return opening.sandbox();
    }

    private long inside(Sandbox sandbox) {
        return Objects.requireNonNull(made.get(sandbox.path()), sandbox.path()).since();
    }

    @Test
    void aStartMakesItsLinkInOneCallAndConfiguresItInAnother() throws Exception {
        try (var sandboxes = start(0)) {
            var front = network("front", 7);
            var back = network("back", 8);
            long before = parts.host.batches();
            var one = open(sandboxes, List.of(joining(front)));
            assertThat(parts.host.batches() - before).as("on the host").isEqualTo(1);
            assertThat(inside(one)).as("inside").isEqualTo(1);
            sandboxes.close(ONE);
            sandboxes.settle();

            before = parts.host.batches();
            var both = open(sandboxes, List.of(joining(front), joining(back)));
            assertThat(parts.host.batches() - before).as("on the host: one for each link").isEqualTo(2);
            assertThat(inside(both)).as("inside: one for all").isEqualTo(1);
            assertThat(stage.links()).contains("br-front", "br-back").hasSize(5);
        }
    }

    @Test
    void oneThatFindsACableMadeAheadPlugsItInInOneCall() throws Exception {
        try (var sandboxes = start(1)) {
            var front = network("front", 7);
            for (int attempt = 0; true; attempt++) { // the first asks for cables, one of the next finds one
                assertThat(attempt).as("cables are made ahead").isLessThan(500);
                long before = parts.host.batches();
                var sandbox = open(sandboxes, List.of(joining(front)));
                boolean ahead = sandboxes.steps(ONE).stream().anyMatch(step -> step.call().endsWith("made ahead")
                        && step.call().contains("eth0"));
                long calls = parts.host.batches() - before;
                long inside = inside(sandbox);
                sandboxes.close(ONE);
                sandboxes.settle();
                assertThat(calls).as("on the host").isEqualTo(1);
                assertThat(inside).as("inside").isEqualTo(ahead ? 2 : 1);
                if (ahead) {
                    return;
                }
            }
        }
    }
}
