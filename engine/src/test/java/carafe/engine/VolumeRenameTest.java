package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.VolumeRow;
import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.Volumes;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.docker.Filters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A rename of a volume happens whole or not at all, whatever fails or dies in between.
final class VolumeRenameTest {

    @TempDir
    private Path root;

    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
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

    private void create(Map<String, String> options) throws Exception {
        volumes().create(new VolumeRequest("data", "", options, Map.of("of", "mine")));
        Files.writeString(volumes().inspect("data").mountpoint().resolve("f"), "kept");
    }

    private void isWhole(String name) throws Exception {
        assertThat(names()).containsExactly(name);
        var volume = volumes().inspect(name);
        assertThat(volume.labels()).isEqualTo(Map.of("of", "mine"));
        assertThat(volume.mountpoint().resolve("f")).hasContent("kept");
        assertThat(root.resolve("data/volumes").toFile().list()).containsExactlyInAnyOrder(".trash", ".id", name);
    }

    private static VolumeRow onTheWay(VolumeRow row) {
        return new VolumeRow(row.name(), row.createdNanos(), row.document().replaceFirst("\\{", "{\"OnTheWayTo\":\"next\","));
    }

    /// The engine dies after the row said where the directory goes.
    private void dieOnTheWay() throws Exception {
        harness.engine.abandon();
        try (var database = Database.open(root.resolve("data/db"))) {
            database.write(new Change.PutVolume(onTheWay(database.volumes().getFirst())));
        }
    }

    @Test
    void theRowSaysWhereTheDirectoryGoesBeforeItDoes() throws Exception {
        create(Map.of());
        VolumeRow before;
        harness.engine.abandon();
        try (var database = Database.open(root.resolve("data/db"))) {
            before = database.volumes().getFirst();
        }
        harness.reopenAfterAbandon();
        harness.reopen(Failpoints.parse("volume.renamed=EIO;volume.rename=1*off->EIO"));
        assertThatThrownBy(() -> volumes().rename("data", "next")).isInstanceOf(EngineException.class);
        harness.engine.abandon();
        try (var database = Database.open(root.resolve("data/db"))) {
            assertThat(database.volumes()).containsExactly(onTheWay(before));
        }
        harness.reopenAfterAbandon();
        isWhole("next");
    }

    @ParameterizedTest
    @ValueSource(strings = {"volume.rename", "volume.renamed"})
    void whatFailsIsTakenBack(String point) throws Exception {
        create(Map.of());
        harness.reopen(Failpoints.parse(point + "=1*EIO->off"));
        assertThatThrownBy(() -> volumes().rename("data", "next")).isInstanceOf(EngineException.class)
                .hasMessageContaining("cannot rename the volume data to next");
        isWhole("data");
        harness.crash();
        isWhole("data");
        volumes().rename("data", "next");
        isWhole("next");
    }

    @Test
    void aDeathBeforeTheMoveTakesItBack() throws Exception {
        create(Map.of("size", "0"));
        dieOnTheWay();
        harness.reopenAfterAbandon();
        isWhole("data");
        harness.crash();
        isWhole("data");
        volumes().rename("data", "next");
        harness.crash();
        isWhole("next");
    }

    @Test
    void aDeathAfterTheMoveFinishesIt() throws Exception {
        create(Map.of());
        dieOnTheWay();
        Files.move(root.resolve("data/volumes/data"), root.resolve("data/volumes/next"));
        harness.reopenAfterAbandon();
        isWhole("next");
        harness.crash();
        isWhole("next");
    }

    @Test
    void aSizeGoesAlong() throws Exception {
        harness.quotas.enforce();
        create(Map.of("size", "10m"));
        int project = harness.quotas.project(root.resolve("data/volumes/data"));
        dieOnTheWay();
        Files.move(root.resolve("data/volumes/data"), root.resolve("data/volumes/next"));
        harness.reopenAfterAbandon();
        isWhole("next");
        assertThat(volumes().inspect("next").options()).containsEntry("size", "10m");
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(project, 10L << 20));
        harness.crash();
        volumes().remove("next", false);
        assertThat(harness.quotas.limits()).isEmpty();
    }

    /// The rename failed and could not be taken back, and then a container took the volume by the name it has.
    @Test
    void whatAContainerUsesIsNotRenamedBehindIt() throws Exception {
        create(Map.of());
        harness.containers().create(request("web", "{\"Binds\":[\"data:/d\"]}", "x"));
        dieOnTheWay();
        Files.move(root.resolve("data/volumes/data"), root.resolve("data/volumes/next"));
        harness.reopenAfterAbandon();
        isWhole("data");
    }

    @Test
    void aDirectoryOfTheNewNameThatWasThereBeforeIsNoRename() throws Exception {
        create(Map.of());
        dieOnTheWay();
        Files.writeString(Files.createDirectories(root.resolve("data/volumes/next/_data")).resolve("f"), "other");
        harness.reopenAfterAbandon();
        assertThat(names()).containsExactly("data", "next");
        assertThat(volumes().inspect("data").mountpoint().resolve("f")).hasContent("kept");
        assertThat(volumes().inspect("next").mountpoint().resolve("f")).hasContent("other");
    }

    @Test
    void aNameThatIsOneOfAnonymousVolumesIsRefused() throws Exception {
        create(Map.of());
        assertThatThrownBy(() -> volumes().rename("data", "a".repeat(64))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("64 hexadecimal digits");
        isWhole("data");
    }

    /// A rename whose rows cannot be written is no rename.
    @Test
    void aRenameThatIsNotWrittenDownIsTakenBack() throws Exception {
        harness.quotas.enforce();
        create(Map.of("size", "10m"));
        harness.engine.abandon();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + root.resolve("data/db/carafe.sqlite"));
                var statement = connection.createStatement()) {
            statement.execute("CREATE TRIGGER full BEFORE INSERT ON volumes WHEN NEW.name = 'next'"
                    + " BEGIN SELECT RAISE(ABORT, 'the test says so'); END");
        }
        harness.reopenAfterAbandon();
        assertThatThrownBy(() -> volumes().rename("data", "next")).isInstanceOf(EngineException.Internal.class)
                .hasMessageContaining("the test says so");
        isWhole("data");
        assertThat(harness.quotas.limits()).hasSize(1);
        harness.crash();
        isWhole("data");
        volumes().remove("data", false);
        assertThat(harness.quotas.limits()).as("the limit went on with its name").isEmpty();
    }
}
