package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.Volumes;
import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import carafe.spec.tar.SentTar;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sizes of volumes and of what containers write, with quotas in memory.
final class QuotasTest {

    private static final long MIB = 1 << 20;

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

    private static VolumeRequest sized(String name, String size) {
        return new VolumeRequest(name, "", Map.of("size", size), Map.of());
    }

    private List<String> names() throws Exception {
        return volumes().list(Filters.NONE).stream().map(Volume::name).toList();
    }

    @Test
    void whereThereAreNoneASizeIsRefusedWithWhatToDo() throws Exception {
        assertThatThrownBy(() -> volumes().create(sized("data", "10m"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("create data: quota size requested but no quota support: this test has not switched them on");
        assertThatThrownBy(() -> harness.containers().create(request("aa", "{\"StorageOpt\":{\"size\":\"10m\"}}", "x")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
                .hasMessageEndingWith("this test has not switched them on");
        assertThat(names()).isEmpty();
        assertThat(harness.names()).isEmpty();
        assertThat(root.resolve("data/volumes/data")).doesNotExist();
    }

    @Test
    void aVolumeHasItsLimitAsLongAsItLives() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("data", "10m"));
        int project = harness.quotas.project(root.resolve("data/volumes/data"));
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(project, 10 * MIB));
        harness.crash();
        volumes().rename("data", "other");
        harness.crash();
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(project, 10 * MIB));
        volumes().remove("other", false);
        assertThat(harness.quotas.limits()).isEmpty();
    }

    @Test
    void anAnonymousVolumeThatGetsANameIsNotPruned() throws Exception {
        String bare = volumes().create(new VolumeRequest("", "", Map.of(), Map.of("of", "mine"))).name();
        assertThat(volumes().inspect(bare).labels()).containsKey("com.docker.volume.anonymous");
        volumes().duplicate(bare, "twin");
        volumes().rename(bare, "named");
        harness.crash();
        for (String name : List.of("twin", "named")) {
            assertThat(volumes().inspect(name).labels()).containsExactly(Map.entry("of", "mine"));
        }
        String nobodys = volumes().create(new VolumeRequest("", "", Map.of(), Map.of())).name();
        assertThat(volumes().prune(Filters.NONE).names()).containsExactly(nobodys);
        harness.crash();
        assertThat(names()).containsExactly("named", "twin");
    }

    /// A death before the volume's row, or rows that went while the volumes' disk was not mounted: nobody knows.
    @Test
    void aSizedDirectoryWithoutARowIsTakenInWithWhatItHolds() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("data", "10m"));
        volumes().create(sized("empty", "10m"));
        Files.writeString(volumes().inspect("data").mountpoint().resolve("f"), "somebody's");
        harness.engine.abandon();
        try (var database = Database.open(root.resolve("data/db"))) {
            database.write(new Change.DeleteVolume("data"), new Change.DeleteVolume("empty"));
        }
        harness.reopenAfterAbandon();
        assertThat(names()).containsExactly("data");
        assertThat(volumes().inspect("data").mountpoint().resolve("f")).hasContent("somebody's");
        assertThat(root.resolve("data/volumes/empty")).doesNotExist();
        assertThat(harness.quotas.limits()).hasSize(1).containsValue(10L << 20);
    }

    /// Somebody moved away the directory of a volume that a container uses: that is no rename of the volume.
    @Test
    void aDirectoryThatWasMovedAwayFromItsUserIsNoRename() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("data", "10m"));
        Files.writeString(volumes().inspect("data").mountpoint().resolve("f"), "mine");
        harness.containers().create(request("web", "{\"Binds\":[\"data:/d\"]}", "x"));
        harness.engine.abandon();
        Files.move(root.resolve("data/volumes/data"), root.resolve("data/volumes/data.bak"));
        harness.reopenAfterAbandon();
        assertThat(names()).containsExactly("data", "data.bak");
        assertThat(volumes().inspect("data").options()).containsEntry("size", "10m");
        assertThat(volumes().inspect("data.bak").mountpoint().resolve("f")).hasContent("mine");
    }

    @Test
    void aCopyOfAVolumesDirectoryIsNoRename() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("data", "10m"));
        Path copy = Files.createDirectory(root.resolve("data/volumes/copy"));
        harness.quotas.assign(copy, harness.quotas.project(root.resolve("data/volumes/data")));
        Files.writeString(Files.createDirectory(copy.resolve("_data")).resolve("f"), "x");
        harness.crash();
        assertThat(names()).containsExactly("copy", "data");
        assertThat(volumes().inspect("copy").options()).isEmpty();
    }

    @Test
    void aVolumeWhoseDirectoryIsMissingIsMadeAgainWithItsSize() throws Exception {
        harness.quotas.enforce();
        harness.containers().create(request("aa", "{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\",\"Target\":\"/d\","
                + "\"VolumeOptions\":{\"DriverConfig\":{\"Options\":{\"size\":\"10m\"}}}}]}", "x"));
        Path place = root.resolve("data/volumes/data");
        int project = harness.quotas.project(place);
        Files.move(place, root.resolve("elsewhere"));
        harness.crash();
        assertThat(place.resolve("_data")).isEmptyDirectory();
        assertThat(harness.quotas.project(place)).isEqualTo(project);
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(project, 10 * MIB));
        Files.move(place, root.resolve("elsewhere too"));
        harness.quotas.forgo();
        harness.crash();
        assertThat(place.resolve("_data")).as("where there are no limits any more").isEmptyDirectory();
    }

    @Test
    void aDirectoryThatIsThereAlreadyGetsTheLimitIfItIsEmpty() throws Exception {
        harness.quotas.enforce();
        Path place = root.resolve("data/volumes/data");
        Files.createDirectories(place.resolve("_data"));
        volumes().create(sized("data", "10m"));
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(harness.quotas.project(place), 10 * MIB));
        assertThat(place.resolve("_data")).isEmptyDirectory();

        Path full = Files.createDirectories(root.resolve("data/volumes/full/_data"));
        Files.writeString(full.resolve("f"), "somebody's");
        assertThatThrownBy(() -> volumes().create(sized("full", "10m"))).isInstanceOf(EngineException.Conflict.class)
                .hasMessageStartingWith("create full: " + full + " is there already and holds files");
        assertThat(full.resolve("f")).as("not ours to remove").hasContent("somebody's");
        assertThat(names()).containsExactly("data");
        assertThat(harness.quotas.limits()).hasSize(1);
    }

    /// Somebody lifted or changed it: by xfs_quota, or with a table of limits that was restored.
    @Test
    void aLimitThatSomebodyChangedIsSetAgainAtTheStart() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("data", "10m"));
        var made = harness.containers().create(request("aa", "{\"StorageOpt\":{\"size\":\"1g\"}}", "x"));
        int data = harness.quotas.project(root.resolve("data/volumes/data"));
        int layer = harness.quotas.project(root.resolve("data/snapshots").resolve(made.id()));
        harness.quotas.limit(data, 0);
        harness.quotas.limit(layer, MIB);
        harness.crash();
        assertThat(harness.quotas.limits()).containsOnly(Map.entry(data, 10 * MIB), Map.entry(layer, 1024 * MIB));
        harness.quotas.limit(data, 10 * MIB + 4096); // rounded by the file system
        harness.quotas.limit(layer, 2048 * MIB);
        harness.crash();
        assertThat(harness.quotas.limits()).containsOnly(Map.entry(data, 10 * MIB + 4096), Map.entry(layer, 1024 * MIB));
    }

    @Test
    void pruneGivesLimitsBack() throws Exception {
        harness.quotas.enforce();
        volumes().create(sized("", "10m"));
        volumes().prune(Filters.NONE);
        assertThat(harness.quotas.limits()).isEmpty();
    }

    @Test
    void aCloneHasALimitOfItsOwnAndOneThatExceedsItIsRefused() throws Exception {
        harness.quotas.enforce();
        var data = volumes().create(sized("data", "1m"));
        Files.write(data.mountpoint().resolve("f"), new byte[500_000]);
        volumes().duplicate("data", "twin");
        assertThat(harness.quotas.limits().values()).containsExactly(MIB, MIB);
        assertThat(volumes().inspect("twin").options()).containsEntry("size", "1m");
        Files.write(data.mountpoint().resolve("more"), new byte[1_500_000]); // as root may
        assertThatThrownBy(() -> volumes().duplicate("data", "third")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("volume third would take 1.9 MiB (its size is limited to 1m)");
        assertThat(names()).containsExactly("data", "twin");
        assertThat(harness.quotas.limits()).hasSize(2);
    }

    @Test
    void anImportMayHaveASizeAndIsRefusedWhenItExceedsIt() throws Exception {
        harness.quotas.enforce();
        byte[] tar = new TestTar().add(TestTar.file("f", new byte[3_000_000])).bytes();
        assertThatThrownBy(() -> volumes().unpack("data", Map.of("size", "2m"), sent(tar)))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("volume data would take 2.9 MiB (its size is limited to 2m)");
        assertThat(names()).isEmpty();
        assertThat(harness.quotas.limits()).isEmpty();
        volumes().unpack("data", Map.of("size", "4m"), sent(tar));
        assertThat(volumes().inspect("data").mountpoint().resolve("f")).hasSize(3_000_000);
        assertThat(harness.quotas.limits().values()).containsExactly(4 * MIB);
        assertThatThrownBy(() -> volumes().unpack("odd", Map.of("type", "tmpfs", "device", "x"), sent(tar)))
                .isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void anImportThatIsMuchTooLargeIsNotReadToItsEnd() throws Exception {
        harness.quotas.enforce();
        var tar = new TestTar();
        for (int i = 0; i < 40; i++) {
            tar.add(TestTar.file("f" + i, new byte[1 << 20]));
        }
        var bytes = new ByteArrayInputStream(tar.bytes());
        assertThatThrownBy(() -> volumes().unpack("data", Map.of("size", "2m"), new SentTar(bytes, () -> false)))
                .isInstanceOf(EngineException.Unavailable.class);
        assertThat(bytes.available()).isGreaterThan(20 << 20);
    }

    private static SentTar sent(byte[] tar) {
        return new SentTar(new ByteArrayInputStream(tar), () -> false);
    }

    @Test
    void aSizeIsForAPlainDirectoryOnly() {
        harness.quotas.enforce();
        assertThatThrownBy(() -> volumes().create(new VolumeRequest(
                        "mem", "", Map.of("type", "tmpfs", "device", "tmpfs", "size", "1m"), Map.of())))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("o=size=100m");
    }

    @Test
    void whatAContainerWritesHasALimitAsLongAsTheContainerLives() throws Exception {
        harness.quotas.enforce();
        var made = harness.containers().create(request("aa", "{\"StorageOpt\":{\"size\":\"1g\"}}", "x"));
        Path own = root.resolve("data/snapshots").resolve(made.id());
        int project = harness.quotas.project(own);
        assertThat(harness.quotas.limits()).containsExactly(Map.entry(project, 1024 * MIB));
        assertThat(harness.quotas.usage(project).files()).isEqualTo(4); // itself, upper, work and the list
        harness.crash();
        assertThat(harness.quotas.limits()).containsOnlyKeys(project);
        harness.containers().remove("aa", new RemoveRequest(false, false));
        harness.engine.settle();
        assertThat(harness.quotas.limits()).isEmpty();
    }

    /// As another version of the engine may have written it.
    @Test
    void aContainerWhoseSizeNobodyCanReadKeepsTheOthersAndTheirLimits() throws Exception {
        harness.quotas.enforce();
        harness.containers().create(request("aa", "{\"StorageOpt\":{\"size\":\"1g\"}}", "x"));
        var other = harness.containers().create(request("bb", "{\"StorageOpt\":{\"size\":\"2g\"}}", "x"));
        harness.engine.abandon();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + root.resolve("data/db/carafe.sqlite"));
                var statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("UPDATE containers SET document ="
                    + " replace(document, '\"size\":\"1g\"', '\"speed\":\"1\"') WHERE name = 'aa' AND document LIKE '%\"1g\"%'"))
                    .isEqualTo(1);
        }
        int project = harness.quotas.project(root.resolve("data/snapshots").resolve(other.id()));
        harness.quotas.limit(project, MIB);
        harness.reopenAfterAbandon();
        assertThat(harness.names()).containsExactlyInAnyOrder("aa", "bb");
        assertThat(harness.quotas.limits()).as("what somebody changed").containsEntry(project, 2048 * MIB);
    }

    @Test
    void optionsThatAreNoneAreRefused() {
        harness.quotas.enforce();
        assertThatThrownBy(() -> harness.containers().create(request("aa", "{\"StorageOpt\":{\"speed\":\"1\"}}", "x")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageStartingWith("unknown option speed");
        assertThatThrownBy(() -> harness.containers().create(request("aa", "{\"StorageOpt\":{\"size\":\"big\"}}", "x")))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("--storage-opt: invalid size: 'big'");
    }
}
