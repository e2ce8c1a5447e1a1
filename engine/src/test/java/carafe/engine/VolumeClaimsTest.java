package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.Volumes;
import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of volumes whose making, or whose container's making, fails.
final class VolumeClaimsTest {

    private static final String BIND = "{\"Binds\":[\"data:/d\"]}";

    @TempDir
    private Path root;

    private EngineHarness harness;
    private Path place;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        place = root.resolve("data/volumes/data");
    }

    @AfterEach
    void close() {
        harness.close();
    }

    private Volumes volumes() {
        return harness.engine.volumes();
    }

    private List<String> names() throws Exception {
        return volumes().list(Filters.NONE).stream().map(Volume::name).toList();
    }

    private static VolumeRequest named(String name) {
        return new VolumeRequest(name, "", Map.of(), Map.of("of", "mine"));
    }

    private Path somebodysFile() throws Exception {
        return Files.writeString(Files.createDirectories(place.resolve("_data")).resolve("f"), "somebody's");
    }

    @Test
    void whatWasThereBeforeStaysWhenAContainerIsNotMade() throws Exception {
        harness.reopen(Failpoints.parse("create.durable=1*EIO->off"));
        var file = somebodysFile();
        assertThatThrownBy(() -> harness.containers().create(request("web", BIND, "x"))).isInstanceOf(EngineException.class);
        harness.engine.settle();
        assertThat(names()).isEmpty();
        assertThat(file).hasContent("somebody's");
        harness.containers().create(request("web", BIND, "x"));
        assertThat(file).hasContent("somebody's");
        harness.containers().remove("web", new RemoveRequest(true, true));
        volumes().remove("data", false);
        harness.engine.settle();
        assertThat(place).as("removed by who says so").doesNotExist();
    }

    @Test
    void whatWasThereBeforeStaysWhenAVolumeIsNotMade() throws Exception {
        harness.engine.abandon();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + root.resolve("data/db/carafe.sqlite"));
                var statement = connection.createStatement()) {
            statement.execute("CREATE TRIGGER full BEFORE INSERT ON volumes BEGIN SELECT RAISE(ABORT, 'the test says so'); END");
        }
        harness.reopenAfterAbandon();
        var file = somebodysFile();
        assertThatThrownBy(() -> volumes().create(named("data"))).hasMessageContaining("the test says so");
        assertThatThrownBy(() -> volumes().create(named("other"))).hasMessageContaining("the test says so");
        harness.engine.settle();
        assertThat(names()).isEmpty();
        assertThat(file).hasContent("somebody's");
        assertThat(root.resolve("data/volumes/other")).doesNotExist();
    }

    @Test
    void anImportAndACloneReplaceNothing() throws Exception {
        volumes().create(named("origin"));
        var file = somebodysFile();
        byte[] tar = new TestTar().add(TestTar.file("g", new byte[10])).bytes();
        assertThatThrownBy(() -> volumes().unpack("data", Map.of(), new SentTar(new ByteArrayInputStream(tar), () -> false)))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("import data: " + place.resolve("_data") + " is there already and holds files; move it away, or"
                        + " choose another name");
        assertThatThrownBy(() -> volumes().duplicate("origin", "data")).isInstanceOf(EngineException.Conflict.class);
        harness.engine.settle();
        assertThat(file).hasContent("somebody's");
        assertThat(names()).containsExactly("origin");
    }

    /// Somebody makes a volume while a container that is not made after all is taking the same name.
    @Test
    void whatSomebodyAskedForItselfOutlivesAContainerThatIsNotMade() throws Exception {
        harness.reopen(Failpoints.parse("create.snapshot=sleep(2000);create.durable=EIO"));
        var creating = new FutureTask<>(() -> harness.containers().create(request("web", BIND, "x")));
        Thread.ofVirtual().start(creating);
        EngineHarness.eventually(() -> creating.isDone() || names().contains("data"));
        assertThat(volumes().create(named("data")).name()).isEqualTo("data");
        assertThatThrownBy(creating::get).hasCauseInstanceOf(EngineException.class);
        harness.engine.settle();
        assertThat(harness.names()).isEmpty();
        assertThat(names()).containsExactly("data");
        assertThat(place.resolve("_data")).isDirectory();
        harness.crash();
        assertThat(names()).as("it has a row").containsExactly("data");
    }

    /// Nobody asked for it but the container.
    @Test
    void whatWasMadeForAContainerThatIsNotMadeGoes() throws Exception {
        harness.reopen(Failpoints.parse("create.durable=1*EIO->off"));
        assertThatThrownBy(() -> harness.containers().create(request("web", BIND, "x"))).isInstanceOf(EngineException.class);
        harness.engine.settle();
        assertThat(names()).isEmpty();
        assertThat(place).doesNotExist();
    }

    /// At every step of a creation that fails at its end, many at once.
    @Test
    void nobodyWhoAskedForAVolumeLosesItToAContainerThatIsNotMade() throws Exception {
        harness.reopen(Failpoints.parse("create.durable=EIO"));
        for (int round = 0; round < 40; round++) {
            String name = "v" + round;
            String bind = "{\"Binds\":[\"" + name + ":/d\"]}";
            var creating = new FutureTask<>(() -> harness.containers().create(request("web", bind, "x")));
            Thread.ofVirtual().start(creating);
            for (long spin = 0; spin < round * 20_000L; spin++) {
                Thread.onSpinWait();
            }
            volumes().create(named(name));
            assertThatThrownBy(creating::get).hasCauseInstanceOf(EngineException.class);
            assertThat(names()).contains(name);
            assertThat(root.resolve("data/volumes").resolve(name).resolve("_data")).isDirectory();
        }
        var before = names();
        harness.crash();
        assertThat(names()).hasSize(40).isEqualTo(before);
    }

    /// A name is free when nothing is left of who had it: no removal takes the next one's directory, row or limit.
    @Test
    void oneMakesWhileAnotherRemovesTheSameName() throws Exception {
        harness.quotas.enforce();
        for (int round = 0; round < 100; round++) {
            volumes().create(new VolumeRequest("data", "", Map.of("size", "1m"), Map.of()));
            var removing = new FutureTask<>(() -> {
                volumes().remove("data", true);
                return true;
            });
            Thread.ofVirtual().start(removing);
            for (long spin = 0; spin < round * 4_000L; spin++) {
                Thread.onSpinWait();
            }
            volumes().create(new VolumeRequest("data", "", Map.of("size", "1m"), Map.of()));
            removing.get();
            boolean there = names().contains("data");
            assertThat(Files.isDirectory(place.resolve("_data"))).isEqualTo(there);
            assertThat(harness.quotas.limits()).hasSize(there ? 1 : 0);
            if (round % 10 == 0) {
                harness.crash();
                assertThat(names().contains("data")).as("it has a row").isEqualTo(there);
            }
            volumes().remove("data", true);
        }
    }

    @Test
    void namesInAListAreRegularExpressions() throws Exception {
        for (String name : List.of("vol1", "vol10", "my-vol1")) {
            volumes().create(named(name));
        }
        assertThat(volumes().list(Filters.parse("{\"name\":[\"^vol1$\"]}"))).extracting(Volume::name).containsExactly("vol1");
        assertThat(volumes().list(Filters.parse("{\"name\":[\"l1\"]}"))).hasSize(3);
        assertThat(volumes().list(Filters.parse("{\"name\":[\"l10\",\"^my-\"]}"))).extracting(Volume::name)
                .containsExactly("my-vol1", "vol10");
        assertThat(volumes().list(Filters.parse("{\"name\":[\"vol1[\"]}"))).isEmpty();
    }
}
