package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Sizes of volumes and writable layers, kept by the kernel. Needs its temporary files on a file system with project
/// quotas: VmTest runs it in the virtual machine, on ext4 and on XFS.
@Tag("quota")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeQuotasTest {

    /// What ext4 says to a program, and what XFS says.
    private static final String FULL = "(?s).*(Disk quota exceeded|No space left on device).*";

    private static final int MIB = 1 << 20;

    private final CarafeDaemon engine = new CarafeDaemon();

    CarafeQuotasTest() throws Exception {}

    @BeforeAll
    void start() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        if (!known.isEmpty()) {
            command("rm", "-fv").and(known.toArray(String[]::new)).run().good();
        }
        docker("volume", "prune", "-af");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Command command(String... words) {
        return Client.docker28().to(engine).and(words);
    }

    private Outcome docker(String... words) throws Exception {
        return command(words).run().good();
    }

    /// Writes 20 MiB to `path` of `target` and must not be able to.
    private void isFull(String path, String... run) throws Exception {
        var full = command("run", "--name", "writer").and(run)
                .and("busybox", "dd", "if=/dev/zero", "of=" + path, "bs=1M", "count=20").run();
        assertThat(full.code()).isEqualTo(1);
        assertThat(full.err()).matches(FULL);
        docker("rm", "writer");
    }

    /// How large a program finds the volume.
    private long room(String volume) throws Exception {
        String[] blocks = docker("run", "--rm", "-v", volume + ":/d", "busybox", "stat", "-f", "-c", "%b %S", "/d").text()
                .split(" ");
        return Long.parseLong(blocks[0]) * Long.parseLong(blocks[1]);
    }

    @Test
    void aVolumeHoldsNoMoreThanItsSize() throws Exception {
        docker("volume", "create", "-o", "size=8m", "data");
        docker("volume", "create", "other");
        assertThat(docker("volume", "inspect", "--format", "{{json .Options}}", "data").text())
                .isEqualTo("{\"size\":\"8m\"}");
        isFull("/d/f", "-v", "data:/d");
        assertThat(room("data")).isEqualTo(8L * MIB);
        assertThat(Long.parseLong(docker("run", "--rm", "-v", "data:/d", "busybox", "stat", "-c", "%s", "/d/f").text()))
                .isBetween(6L * MIB, 8L * MIB);
        docker("run", "--rm", "-v", "other:/d", "busybox", "dd", "if=/dev/zero", "of=/d/f", "bs=1M", "count=20");
        docker("run", "--rm", "-v", "data:/d", "busybox", "rm", "/d/f"); // and there is room again
        docker("run", "--rm", "-v", "data:/d", "busybox", "dd", "if=/dev/zero", "of=/d/f", "bs=1M", "count=5");
        assertThat(docker("system", "df", "-v", "--format", "{{json .Volumes}}").text()).contains("\"Size\":\"5.243MB\"");
    }

    @Test
    void aContainerWritesNoMoreThanItMay() throws Exception {
        isFull("/f", "--storage-opt", "size=8m");
        docker("run", "--rm", "busybox", "dd", "if=/dev/zero", "of=/f", "bs=1M", "count=20");
        assertThat(docker("run", "--rm", "--storage-opt", "size=8m", "busybox", "df", "-k", "/").text()).contains(" 8192 ");
    }

    @Test
    void limitsSurviveTheDaemonsDeathAndARename() throws Exception {
        docker("volume", "create", "-o", "size=8m", "data");
        docker("run", "-d", "--name", "sleeper", "--storage-opt", "size=8m", "busybox", "sleep", "1000");
        engine.kill();
        engine.start();
        Client.carafe().to(engine).and("volume", "rename", "data", "renamed").run().good();
        isFull("/d/f", "-v", "renamed:/d");
        var full = command("exec", "sleeper", "dd", "if=/dev/zero", "of=/f", "bs=1M", "count=20").run();
        assertThat(full.err()).matches(FULL);
        assertThat(engine.log()).doesNotContain("not limited any more");
    }

    @Test
    void aCloneHasTheSameSizeAndAnImportIsRefusedWhenItIsLarger() throws Exception {
        docker("volume", "create", "-o", "size=8m", "data");
        docker("run", "--rm", "-v", "data:/d", "busybox", "dd", "if=/dev/zero", "of=/d/f", "bs=1M", "count=5");
        Client.carafe().to(engine).and("volume", "clone", "data", "twin").run().good();
        isFull("/d/g", "-v", "twin:/d");
        Path archive = engine.directory().resolve("archive.tar");
        Client.carafe().to(engine).and("volume", "export", "-o", archive.toString(), "data").run().good();
        var refused = Client.carafe().to(engine).and("volume", "import", "--opt", "size=2m", "small", archive.toString())
                .run();
        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("(its size is limited to 2m)");
        Client.carafe().to(engine).and("volume", "import", "--opt", "size=8m", "fits", archive.toString()).run().good();
        assertThat(docker("volume", "ls", "-q").lines()).contains("data", "fits", "twin").doesNotContain("small");
        Files.delete(archive);
    }

    @Test
    void contentOfAnImageThatIsLargerThanTheVolumeIsRefused() throws Exception {
        var refused = command("run", "--rm", "--mount",
                "type=volume,source=small,target=/bin,volume-opt=size=512k", "busybox", "true").run();
        assertThat(refused.code()).isEqualTo(125);
        assertThat(refused.err()).contains("(its size is limited to 512k)");
        docker("run", "--rm", "--mount", "type=volume,source=fits,target=/bin,volume-opt=size=8m", "busybox", "true");
        assertThat(docker("volume", "ls", "-q").lines()).containsExactly("fits");
    }

    @Test
    void aDeathAtAnyStepLeavesNothingAndARepetitionWorks() throws Exception {
        engine.kill();
        for (String point : List.of("quota.noted", "quota.assigned", "quota.limited")) {
            starts(point); // after the last one's death
            dies("volume", "create", "-o", "size=8m", "data");
        }
        for (String point : List.of("quota.release", "quota.unlimited")) {
            starts("");
            docker("volume", "create", "-o", "size=8m", "data");
            engine.kill();
            engine.failAt(point + "=halt");
            engine.start();
            dies("volume", "rm", "data");
        }
        starts("");
        docker("volume", "create", "-o", "size=8m", "data");
        isFull("/d/f", "-v", "data:/d");
        docker("volume", "rm", "data");
        assertThat(engine.log()).doesNotContain("was not given back");
    }

    /// The engine, which will die at `point`, finds nothing that the last one left.
    private void starts(String point) throws Exception {
        engine.failAt(point.isEmpty() ? "" : point + "=halt");
        engine.start();
        assertThat(docker("volume", "ls", "-q").lines()).as(point).isEmpty();
    }

    private void dies(String... command) throws Exception {
        command(command).run();
        engine.awaitEnd();
    }

    @Test
    void twoEnginesOnOneFileSystemDoNotCollide() throws Exception {
        try (var other = new CarafeDaemon().with("--bip", "10.213.0.1/24")) {
            other.start();
            for (int i = 0; i < 3; i++) {
                docker("volume", "create", "-o", "size=8m", "v" + i);
                Client.docker28().to(other).and("volume", "create", "-o", "size=4m", "v" + i).run().good();
            }
            isFull("/d/f", "-v", "v2:/d");
            assertThat(room("v1")).isEqualTo(8L * MIB);
            Client.docker28().to(other).and("volume", "prune", "-af").run().good();
        }
        assertThat(room("v1")).isEqualTo(8L * MIB);
    }
}
