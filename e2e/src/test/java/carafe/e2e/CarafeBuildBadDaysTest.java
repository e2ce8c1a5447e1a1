package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/// Builds on bad days: the disk full, the daemon dead in the middle of what makes a step's result durable. The next build
/// of the same file works, and nothing half done is taken for a result.
final class CarafeBuildBadDaysTest {

    /// What of a build becomes durable, step by step, in the image store's words.
    private static final List<String> COMMITS = List.of("create layer", "write layer", "sync layer", "sync layers",
            "rename layer", "sync layer names", "write index.json", "sync index.json", "rename index.json",
            "sync directory of index.json");

    private final Client carafe = Client.carafe();

    private Outcome run(EngineUnderTest engine, String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private static Path context(EngineUnderTest engine, String dockerfile) throws IOException {
        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        Files.writeString(directory.resolve("file"), "copied\n");
        return directory;
    }

    @Test
    void aDaemonThatDiesAtAnyCommitOfAStepLeavesNoHalfResult() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            run(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
            int number = 0;
            for (String commit : COMMITS) {
                Path context = context(engine, "FROM busybox\nCOPY file /file\nRUN echo " + number
                        + " > /made && cat /file >> /made\nCMD [\"cat\", \"/made\"]\n");
                engine.stop();
                engine.failAt("image: " + commit + "=halt");
                engine.start();
                assertThat(run(engine, "build", "-t", "made", "--network", "none", context.toString()).code())
                        .as("dead at: %s", commit).isNotZero();
                engine.awaitEnd();
                engine.failAt("");
                engine.start();
                run(engine, "build", "-t", "made", "--network", "none", context.toString()).good();
                assertThat(run(engine, "run", "--rm", "--network", "none", "made").good().text())
                        .as("after a death at: %s", commit).isEqualTo(number + "\ncopied");
                assertThat(run(engine, "system", "check").good().code()).isZero();
                number++;
            }
            run(engine, "rmi", "-f", "made").good();
            engine.stop();
        }
    }

    @Test
    void onAFullDiskAStepFailsAndLeavesNothing() throws Exception {
        try (var engine = new CarafeDaemon()) {
            Files.createDirectory(engine.dataRoot());
            Command.of("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", engine.dataRoot().toString()).run().good();
            try {
                engine.start();
                run(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
                Path context = context(engine, "FROM busybox\nCOPY file /file\n"
                        + "RUN dd if=/dev/zero of=/big bs=64k count=64 && cat /file > /made\nCMD [\"cat\", \"/made\"]\n");
                Path filler = engine.dataRoot().resolve("filler");
                fill(filler, 2 << 20);
                assertThat(run(engine, "build", "-t", "full", "--network", "none", context.toString()).endedWith(1).err())
                        .containsIgnoringCase("no space left on device");
                assertThat(run(engine, "images", "-aq", "full").good().text()).isEmpty();
                assertThat(engine.dataRoot().resolve("containers")).isEmptyDirectory();
                Files.delete(filler);
                run(engine, "build", "-t", "full", "--network", "none", context.toString()).good();
                assertThat(run(engine, "run", "--rm", "--network", "none", "full").good().text()).isEqualTo("copied");
                engine.stop();
            } finally {
                Command.of("umount", "--lazy", engine.dataRoot().toString()).run();
            }
        }
    }

    @Test
    void aDaemonKilledInAStepBuildsTheSameFileAfterwards() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            run(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
            Path context = context(engine, "FROM busybox\nRUN --mount=type=cache,id=gate,target=/gate echo half > /made; "
                    + "[ -e /gate/open ] || sleep 3600; echo whole > /made\nCMD [\"cat\", \"/made\"]\n");
            try (var _ = carafe.to(engine).and("build", "-t", "made", "--network", "none", context.toString()).start()) {
                Deadline.await("the step runs", () -> Files.exists(engine.execRoot().resolve("c"))
                        && engine.execRoot().resolve("c").toFile().list().length > 0);
                engine.kill();
            }
            engine.start();
            assertThat(run(engine, "images", "-q", "made").good().text()).isEmpty();
            Path opening = context(engine, "FROM busybox\nRUN --mount=type=cache,id=gate,target=/gate touch /gate/open\n");
            run(engine, "build", "--network", "none", opening.toString()).good();
            assertThat(run(engine, "build", "-t", "made", "--progress", "plain", "--network", "none", context.toString()).good()
                    .err()).doesNotContain("#2 CACHED");
            assertThat(run(engine, "run", "--rm", "--network", "none", "made").good().text()).isEqualTo("whole");
            engine.stop();
        }
    }

    /// One build turns a directory of a shared cache into a link to the host and back, as fast as it can, while others
    /// mount below it.
    @Test
    void aCacheMountThatChangesUnderAMountLeadsNowhereOutside() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            run(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
            Path outside = Files.createDirectory(engine.directory().resolve("outside"));
            Path swapping = context(engine, "FROM busybox\nRUN --mount=type=cache,id=race,target=/c rm -rf /c/*; ln -s " + outside
                    + " /c/link; mkdir /c/dir; touch /c/ready; while [ ! -e /c/stop ]; do mv /c/dir /c/d; mv /c/d /c/dir; "
                    + "mv /c/link /c/d; mv /c/d /c/link; done\n");
            try (var _ = carafe.to(engine).and("build", "--no-cache", "--network", "none", swapping.toString()).start()) {
                Path mounts = engine.dataRoot().resolve("build/mounts");
                Deadline.await("the other build swaps", () -> ready(mounts));
                for (int i = 0; i < 15; i++) { // each may fail, none may reach the host
                    run(engine, "build", "--network", "none", context(engine, "FROM busybox\nRUN --mount=type=cache,id=race,"
                            + "target=/c --mount=type=tmpfs,target=/c/d/inner true; echo " + i + "\n").toString());
                    run(engine, "build", "--network", "none", context(engine, "FROM busybox\nRUN --mount=type=cache,id=race,"
                            + "target=/c --mount=type=bind,target=/c/d/bound,rw touch /c/d/bound/" + i + "\n").toString());
                }
                assertThat(outside).isEmptyDirectory();
                Path stopping = context(engine, "FROM busybox\nRUN --mount=type=cache,id=race,target=/c touch /c/stop\n");
                run(engine, "build", "--network", "none", stopping.toString()).good();
            }
            assertThat(outside).isEmptyDirectory();
            engine.stop();
        }
    }

    private static boolean ready(Path mounts) throws IOException {
        if (!Files.isDirectory(mounts)) {
            return false;
        }
        try (var each = Files.newDirectoryStream(mounts)) {
            for (Path mount : each) {
                if (Files.exists(mount.resolve("data/ready"))) {
                    return true;
                }
            }
            return false;
        }
    }

    @Test
    void ofTwoBuildsOfOneNameBothWorkAndOneHasIt() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            run(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
            var ids = new CopyOnWriteArrayList<String>();
            try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
                var all = new ArrayList<Callable<Boolean>>();
                for (String word : List.of("one", "two")) {
                    Path context = context(engine, "FROM busybox\nRUN echo " + word + " > /word\n");
                    all.add(() -> ids.add(run(engine, "build", "-q", "-t", "same", "--network", "none", context.toString())
                            .good().text()));
                }
                for (var each : pool.invokeAll(all)) {
                    assertThat(each.get()).isTrue();
                }
            }
            assertThat(ids).hasSize(2).doesNotHaveDuplicates().contains(run(engine, "inspect", "--format", "{{.Id}}", "same")
                    .good().text());
            engine.stop();
        }
    }

    /// Writes until no more than about `left` bytes are free.
    private static void fill(Path file, long left) throws IOException {
        byte[] piece = "full".repeat(16 * 1024).getBytes(StandardCharsets.US_ASCII);
        try (var out = Files.newOutputStream(file)) {
            var store = Files.getFileStore(file);
            while (store.getUsableSpace() > left) {
                out.write(piece);
            }
        }
    }
}
