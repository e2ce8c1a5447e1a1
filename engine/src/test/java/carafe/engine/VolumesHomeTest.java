package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.Volumes;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.docker.Filters;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The directory of volumes is another one at times: the disk that has them is not mounted.
final class VolumesHomeTest {

    private static final String REFUSAL = " is not the directory of volumes that this engine knows (it has no mark): mount the"
            + " disk of volumes there and restart the engine, or, if this directory is to be used from now on: carafe system"
            + " check --take-volumes";

    @TempDir
    private Path root;

    private EngineHarness harness;
    private Path place;
    private Path disk;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        place = root.resolve("data/volumes");
        disk = root.resolve("disk");
    }

    @AfterEach
    void close() {
        harness.close();
    }

    /// Of the setting that says which directory is meant.
    private void forgetTheDirectory() throws Exception {
        harness.engine.abandon();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + root.resolve("data/db/carafe.sqlite"));
                var statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("DELETE FROM settings WHERE key = 'volumes-id'")).isEqualTo(1);
        }
    }

    private Volumes volumes() {
        return harness.engine.volumes();
    }

    private List<String> names() throws Exception {
        return volumes().list(Filters.NONE).stream().map(Volume::name).toList();
    }

    private Volume create(String name) throws EngineException {
        return volumes().create(new VolumeRequest(name, "", Map.of(), Map.of("of", "mine")));
    }

    /// The engine dies, and where the volumes were is an empty directory when it starts again.
    private void startWithoutTheDisk() throws Exception {
        harness.engine.settle();
        harness.engine.abandon();
        Files.move(place, disk);
        Files.createDirectory(place);
        harness.reopenAfterAbandon();
    }

    private void startWithTheDisk() throws Exception {
        harness.engine.abandon();
        Remover.deleteTree(place);
        Files.move(disk, place);
        harness.reopenAfterAbandon();
    }

    @Test
    void whatNobodyNamedOutlivesAStartWithoutItsDisk() throws Exception {
        var anonymous = create("");
        Files.writeString(anonymous.mountpoint().resolve("f"), "kept");
        Files.writeString(create("data").mountpoint().resolve("f"), "kept too");
        startWithoutTheDisk();
        assertThat(names()).containsExactlyInAnyOrder(anonymous.name(), "data");
        assertThat(place.resolve("data")).as("not made where it is not").doesNotExist();
        startWithTheDisk();
        assertThat(names()).containsExactlyInAnyOrder(anonymous.name(), "data");
        assertThat(anonymous.mountpoint().resolve("f")).hasContent("kept");
        assertThat(volumes().inspect("data").labels()).containsEntry("of", "mine");
        assertThat(volumes().inspect("data").mountpoint().resolve("f")).hasContent("kept too");
        create("more");
        assertThat(harness.engine.host().check(true, false)).isEmpty();
    }

    @Test
    void nothingIsMadeOrUsedWhereTheDiskIsNot() throws Exception {
        create("data");
        harness.containers().create(request("web", "{\"Binds\":[\"used:/d\"]}", "sleep", "1000"));
        startWithoutTheDisk();
        assertThat(names()).containsExactly("data", "used");
        assertThatThrownBy(() -> create("more")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("create more: " + place + REFUSAL);
        assertThatThrownBy(() -> harness.containers().create(request("two", "{\"Binds\":[\"more:/d\"]}", "x")))
                .isInstanceOf(EngineException.Unavailable.class).hasMessageEndingWith(REFUSAL);
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("cannot mount volume used: " + place + REFUSAL);
        assertThatThrownBy(() -> volumes().remove("data", false)).isInstanceOf(EngineException.Unavailable.class);
        assertThatThrownBy(() -> volumes().rename("data", "next")).isInstanceOf(EngineException.Unavailable.class);
        assertThatThrownBy(() -> volumes().prune(Filters.NONE)).isInstanceOf(EngineException.Unavailable.class);
        assertThatThrownBy(() -> volumes().pack("data", new ByteArrayOutputStream()))
                .isInstanceOf(EngineException.Unavailable.class);
        assertThat(volumes().usage()).allSatisfy(usage -> assertThat(usage.sizeBytes()).isEqualTo(-1));
        assertThat(place).isDirectoryNotContaining(entry -> !entry.endsWith(".trash"));
        harness.containers().create(request("plain", "{}", "x"));
        Remover.deleteTree(place);
        Files.move(disk, place); // while the engine runs
        create("more");
        harness.containers().start("web");
        harness.containers().stop("web", new StopRequest(Optional.empty(), Optional.empty()));
    }

    @Test
    void aRepairTakesTheDirectoryThatIsThereWithWhatItHolds() throws Exception {
        var anonymous = create("");
        Files.writeString(anonymous.mountpoint().resolve("f"), "kept");
        harness.containers().create(request("web", "{\"Binds\":[\"used:/d\"]}", "x"));
        startWithoutTheDisk();
        var other = "b".repeat(64);
        Files.writeString(Files.createDirectories(place.resolve(other).resolve("_data")).resolve("f"), "other");
        var fault = new HostFault("volumes", place.toString(), place + REFUSAL, false);
        assertThat(harness.engine.host().check(true, false)).containsExactly(fault);
        assertThat(harness.engine.host().check(true, true))
                .containsExactly(new HostFault("volumes", place.toString(), place + REFUSAL, true));
        assertThat(harness.engine.host().check(true, true)).isEmpty();
        create("more");
        assertThat(place.resolve("used/_data")).isEmptyDirectory();
        harness.crash();
        assertThat(names()).as("what is not there is made, not forgotten")
                .containsExactlyInAnyOrder(anonymous.name(), other, "more", "used");
        assertThat(volumes().inspect(other).isAnonymous()).isTrue();
        assertThat(volumes().inspect(other).mountpoint().resolve("f")).hasContent("other");
        startWithTheDisk();
        assertThat(harness.engine.host().check(true, false)).singleElement().satisfies(back ->
                assertThat(back.fault()).contains("it has the mark of another one"));
        assertThat(anonymous.mountpoint().resolve("f")).as("kept for whoever takes it").hasContent("kept");
        harness.engine.host().check(true, true);
        assertThat(names()).contains(anonymous.name());
    }

    @Test
    void whatWasThereBeforeThereWereMarksIsTakenAsItIs() throws Exception {
        create("data");
        forgetTheDirectory();
        Files.delete(place.resolve(".id"));
        harness.reopenAfterAbandon();
        assertThat(place.resolve(".id")).isNotEmptyFile();
        create("more");
        harness.crash();
        assertThat(names()).containsExactly("data", "more");
    }

    /// A mount point that is empty, though nobody said that the volumes are gone.
    @Test
    void aRepairAloneTakesNoDirectory() throws Exception {
        var anonymous = create("");
        Files.writeString(anonymous.mountpoint().resolve("f"), "kept");
        create("data");
        startWithoutTheDisk();
        var fault = new HostFault("volumes", place.toString(), place + REFUSAL, false);
        assertThat(harness.engine.host().check(true, false)).containsExactly(fault);
        harness.crash();
        assertThat(harness.engine.host().check(false, false)).containsExactly(fault);
        startWithTheDisk();
        assertThat(harness.engine.host().check(true, false)).isEmpty();
        assertThat(anonymous.mountpoint().resolve("f")).hasContent("kept");
        assertThat(names()).containsExactlyInAnyOrder(anonymous.name(), "data");
    }

    @Test
    void anotherDirectoryKeepsItsTrashUntilItIsTaken() throws Exception {
        create("data");
        startWithoutTheDisk();
        harness.engine.abandon();
        Path grave = Files.createDirectories(place.resolve(".trash/somebodys"));
        harness.reopenAfterAbandon();
        harness.engine.settle();
        assertThat(grave).exists();
        harness.engine.host().check(false, true);
        harness.crash();
        harness.engine.settle();
        assertThat(grave).doesNotExist();
    }

    /// Whoever lost the database has the volumes still, also those that nobody named.
    @Test
    void aNewDatabaseTakesAnOldDiskWithAllThatItHolds() throws Exception {
        var anonymous = create("");
        Files.writeString(anonymous.mountpoint().resolve("f"), "kept");
        Files.writeString(create("data").mountpoint().resolve("f"), "kept too");
        forgetTheDirectory();
        try (var database = Database.open(root.resolve("data/db"))) {
            database.write(new Change.DeleteVolume(anonymous.name()), new Change.DeleteVolume("data"));
        }
        harness.reopenAfterAbandon();
        harness.crash();
        assertThat(names()).containsExactlyInAnyOrder(anonymous.name(), "data");
        assertThat(volumes().inspect(anonymous.name()).isAnonymous()).isTrue();
        assertThat(anonymous.mountpoint().resolve("f")).hasContent("kept");
        assertThat(harness.engine.host().check(false, false)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"volumes.mark", "volumes.marked"})
    void aDirectoryThatCannotBeMarkedIsUsedUntilAStartCanMarkIt(String point) throws Exception {
        Files.writeString(create("data").mountpoint().resolve("f"), "kept");
        forgetTheDirectory();
        Files.delete(place.resolve(".id"));
        harness.reopenAfterAbandon(Failpoints.parse(point + "=EIO"));
        assertThat(harness.engine.host().check(true, false)).isEmpty();
        create("more");
        assertThat(Files.exists(place.resolve(".id"))).isEqualTo(point.equals("volumes.marked"));
        harness.crash();
        assertThat(place.resolve(".id")).isNotEmptyFile();
        assertThat(names()).containsExactly("data", "more");
        assertThat(volumes().inspect("data").mountpoint().resolve("f")).hasContent("kept");
    }

    @Test
    void theDisksOwnDirectoryIsNoVolume() throws Exception {
        harness.engine.abandon();
        Files.createDirectory(place.resolve("lost+found"));
        harness.reopenAfterAbandon();
        harness.crash();
        assertThat(place.resolve("lost+found")).isEmptyDirectory();
        assertThat(names()).isEmpty();
        startWithoutTheDisk();
        harness.engine.abandon();
        Files.createDirectory(place.resolve("lost+found"));
        harness.reopenAfterAbandon();
        create("data");
    }

    @Test
    void anEngineWithoutVolumesHasNothingToLose() throws Exception {
        startWithoutTheDisk();
        create("data");
        harness.crash();
        assertThat(names()).containsExactly("data");
    }
}
