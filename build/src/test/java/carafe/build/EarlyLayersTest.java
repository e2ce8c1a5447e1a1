package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.step.StepRunner;
import carafe.build.tree.RootView;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.oci.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Layers are compressed while the next step runs, where they are for a registry. Programs of RUN are played: `write` writes
/// `/x`, `gate` waits until it is opened and writes `/gate`, `fail` does the same and fails.
@Timeout(60)
class EarlyLayersTest extends BuilderScene {

    private static final BuildRequest.Result PUSHED = new BuildRequest.Result(BuildRequest.Call.BUILD, Optional.empty(),
            false, false, List.of(), false, true);

    private final CountDownLatch waiting = new CountDownLatch(1);
    private final CountDownLatch gate = new CountDownLatch(1);

    @AfterEach
    @Override
    void close() throws Exception {
        super.close();
        assertThat(files()).isEmpty();
    }

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException, InterruptedException {
        String word = run.arguments().getLast().split(" ")[0];
        try (var root = RootView.writable(run.root())) {
            if (word.equals("write")) {
                root.tree().writeFile("/x", new byte[100_000], 0644, 0, 0);
                return 0;
            }
            waiting.countDown();
            gate.await();
            root.tree().writeFile("/gate", new byte[] {'g'}, 0644, 0, 0);
            return word.equals("gate") ? 0 : 5;
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    private static BuildRequest request(BuildRequest.Result result, CacheExport... to) {
        return new BuildRequest("Dockerfile", List.of("made:1"), Map.of(), Map.of(), Optional.empty(), List.of(),
                new BuildRequest.Cache(false, List.of(), List.of(), List.of(to)), BuildRequest.Running.PLAIN, result,
                BuildContexts.NONE);
    }

    private void build(String dockerfile, BuildRequest request) throws Exception {
        build(dockerfile, new TarText(), request);
    }

    private List<String> files() throws IOException {
        var names = new ArrayList<String>();
        try (var files = Files.newDirectoryStream(directory.resolve("state/content/early"))) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        }
        return names;
    }

    /// Waits until so many layers are compressed, and no other is begun.
    private void awaitWhole(int layers) throws IOException {
        for (var now = files(); now.size() != layers || now.stream().anyMatch(name -> name.length() != 64); now = files()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2)); // the test's timeout ends it
        }
    }

    private byte[] sent(String name) throws Exception {
        try (var outgoing = images.outgoing(name)) {
            var out = new ByteArrayOutputStream();
            for (var layer : outgoing.images().getFirst().layers()) {
                layer.write(out);
            }
            return out.toByteArray();
        }
    }

    @Test
    void aLayerIsCompressedWhileTheNextStepRunsAndThePushSendsThat() throws Exception {
        var building = begin("FROM scratch\nRUN write\nRUN gate\n", request(PUSHED), _ -> { });
        waiting.await();
        awaitWhole(1);
        assertThat(building).isNotDone();
        gate.countDown();
        var image = images.byId(building.get()).orElseThrow();
        awaitWhole(2);
        assertThat(files()).containsExactlyInAnyOrderElementsOf(
                image.config().diffIds().stream().map(Digest::hex).toList());
        byte[] early = sent("made:1");
        close();
        open();
        assertThat(files()).isEmpty();
        assertThat(sent("made:1")).isEqualTo(early);
    }

    @Test
    void aBuildThatFailsLeavesNothing() throws Exception {
        var failing = begin("FROM scratch\nRUN write\nRUN fail\n", request(PUSHED), _ -> { });
        waiting.await();
        awaitWhole(1);
        gate.countDown();
        assertThatThrownBy(failing::get).hasMessageContaining("returned a non-zero code: 5");
        assertThat(files()).isEmpty();
    }

    @Test
    void aBuildThatIsStoppedLeavesNothing() throws Exception {
        var stopped = Thread.ofVirtual().start(() -> assertThatThrownBy(
                () -> build("FROM scratch\nRUN write\nRUN gate\n", request(PUSHED))).isInstanceOf(InterruptedException.class));
        waiting.await();
        awaitWhole(1);
        stopped.interrupt();
        stopped.join();
        assertThat(files()).isEmpty();
        images.collectGarbage(); // no lease is left but that of the steps' cache
        assertThat(images.layerUses()).hasSize(1);
    }

    @Test
    void whatIsNotSentIsNotCompressed() throws Exception {
        gate.countDown();
        var stages = "FROM scratch AS other\nRUN write\nFROM scratch\nCOPY --from=other /x /y\n";
        build(stages, request(BuildRequest.Result.IMAGE));
        assertThat(files()).isEmpty();
        build(stages, request(PUSHED)); // of the steps' cache, and without the other stage
        awaitWhole(1);
        var image = images.find("made:1");
        assertThat(files()).containsExactly(image.config().diffIds().getFirst().hex());
    }

    @Test
    void aCacheForARegistryIsCompressedToo() throws Exception {
        gate.countDown();
        var stages = "FROM scratch AS other\nRUN write\nFROM scratch\nCOPY --from=other /x /y\n";
        build(stages, request(BuildRequest.Result.IMAGE, new CacheExport(CacheExport.Kind.IMAGE, "", true, false)));
        assertThat(files()).isEmpty();
        build(stages, request(BuildRequest.Result.IMAGE,
                new CacheExport(CacheExport.Kind.REGISTRY, "registry.example.com/cache:1", true, false)));
        awaitWhole(2);
    }
}
