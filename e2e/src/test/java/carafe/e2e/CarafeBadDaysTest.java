package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Hosts that lack something, disks that are full: one clear sentence each, and nothing left behind.
class CarafeBadDaysTest {

    private static final String PREREQUISITES = Tools.ROOT.resolve("build/prerequisites").toString();

    private static final String FULL = "no space left on device; system prune removes what nothing uses, then try again";

    private final Client client = Client.docker28();

    /// Runs a shell script that sees no JDK and no home.
    private static Outcome withoutJdk(String script) throws Exception {
        return Command.of("unshare", "--mount", "sh", "-c",
                "for d in /usr/lib/jvm /usr/java /opt; do [ -d $d ] && mount -t tmpfs none $d; done;"
                        + " unset JAVA_HOME JDK_HOME; export HOME=/nonexistent; " + script).run();
    }

    @Test
    void withoutAJdkTheBuildSaysWhichOneItWants() throws Exception {
        var refused = withoutJdk(PREREQUISITES + " true").endedWith(1);
        assertThat(refused.err()).isEqualTo("error: no JDK 25 or newer is installed (looked in JAVA_HOME, /usr/lib/jvm,"
                + " /opt, ~/.sdkman, ~/.jdks)\n  try:  install Temurin 25 or set JAVA_HOME to a JDK 25\n");
    }

    @Test
    void withoutItsJavaRuntimeTheDaemonNamesIt() throws Exception {
        Path home = Files.createTempDirectory("e2e-moved-");
        try {
            Command.of("cp", "-r", Tools.ROOT.resolve("packaging/target/carafe/bin").toString(), home.toString())
                    .run().good();
            Files.createSymbolicLink(home.resolve("jre"), Path.of("/nonexistent/jdk-25"));
            assertThat(Command.of(home.resolve("bin/carafed").toString()).run().endedWith(1).err())
                    .isEqualTo("error: the Java runtime that carafe was built with is gone: /nonexistent/jdk-25\n");
        } finally {
            Command.of("rm", "-rf", home.toString()).run().good();
        }
    }

    @Test
    void withoutACompilerTheBuildSaysSo() throws Exception {
        Path tools = Files.createTempDirectory("e2e-tools-");
        try {
            for (String tool : List.of("sh", "sed", "id", "dirname", "mkdir", "touch")) {
                String path = Command.of("sh", "-c", "command -v " + tool).run().good().text();
                Files.createSymbolicLink(tools.resolve(tool), Path.of(path));
            }
            var refused = Command.of("/bin/sh", PREREQUISITES, "true").with("PATH", tools.toString()).run().endedWith(1);
            assertThat(refused.err()).isEqualTo("error: no gcc or make; the spawner is a small C program\n"
                    + "  try:  apt-get install gcc make libc6-dev\n");
        } finally {
            Command.of("rm", "-rf", tools.toString()).run().good();
        }
    }

    @Test
    void aTakenSocketIsNamed() throws Exception {
        try (var engine = new CarafeDaemon()) {
            try (var other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                other.bind(UnixDomainSocketAddress.of(engine.socket()));
                assertThat(Command.of(engine.daemonCommand()).run().endedWith(1).all())
                        .contains("error: cannot listen at unix://" + engine.socket()
                                + ": another process is listening there");
            }
            Files.delete(engine.socket());
            Files.writeString(engine.socket(), "not a socket");
            assertThat(Command.of(engine.daemonCommand()).run().endedWith(1).all())
                    .contains("cannot listen at unix://" + engine.socket() + ": a file that is not a socket is in the way");
            assertThat(engine.directory().resolve("pid")).doesNotExist();
            assertThat(engine.socket()).hasContent("not a socket");
        }
    }

    @Test
    void aDaemonThatIsStoppedWhileItStartsLeavesNoFile() throws Exception {
        try (var engine = new CarafeDaemon()) {
            var process = new ProcessBuilder(engine.daemonCommand()).redirectErrorStream(true)
                    .redirectOutput(engine.directory().resolve("early.log").toFile()).start();
            Deadline.await("it has begun", () -> Files.exists(engine.directory().resolve("pid")) || !process.isAlive());
            process.destroy();
            assertThat(process.waitFor()).isZero();
            assertThat(engine.directory().resolve("pid")).doesNotExist();
            assertThat(engine.socket()).doesNotExist();
        }
    }

    @Test
    void aProgramOfAnotherArchitectureIsNamedAndItsContainerHasOneTwentySix() throws Exception {
        try (var engine = new CarafeDaemon()) {
            start(engine);
            Path foreign = engine.directory().resolve("foreign");
            byte[] elf = Arrays.copyOf(Files.readAllBytes(Tools.fetched("busybox", "usr/bin/busybox")), 4096);
            elf[18] = (byte) 0xf3; // e_machine: RISC-V
            Files.write(foreign, elf);
            foreign.toFile().setExecutable(true);
            // Docker's command knows no code for this sentence and ends with that of a failure of the engine.
            var refused = client.to(engine).and("run", "--name", "foreign", "-v", foreign + ":/foreign", "busybox", "/foreign")
                    .run().endedWith(125);
            assertThat(refused.err()).contains("exec: \"/foreign\": exec format error: not a program for this machine");
            assertThat(client.to(engine).and("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "foreign").run()
                    .good().text()).isEqualTo("created 126");
            client.to(engine).and("rm", "foreign").run().good();
        }
    }

    @Test
    void aDataRootThatNoOverlayCanUseSaysWhatItCanBe() throws Exception {
        try (var engine = new CarafeDaemon()) {
            Path below = Files.createDirectories(engine.directory().resolve("below"));
            Path layers = Files.createDirectories(engine.directory().resolve("layers"));
            Files.createDirectory(engine.dataRoot());
            mount(layers, "tmpfs", "size=64m");
            Files.createDirectory(layers.resolve("upper"));
            Files.createDirectory(layers.resolve("work"));
            mount(engine.dataRoot(), "overlay",
                    "lowerdir=" + below + ",upperdir=" + layers.resolve("upper") + ",workdir=" + layers.resolve("work"));
            try {
                start(engine);
                var refused = client.to(engine).and("run", "--rm", "busybox", "true").run();
                assertThat(refused.code()).as(refused.toString()).isIn(125, 128);
                assertThat(refused.err()).contains("mounting the root filesystem", "cannot hold the writable layer of an overlay",
                        "ext4, xfs, btrfs or tmpfs");
                assertThat(client.to(engine).and("ps", "-aq").run().good().text()).isEmpty();
                engine.stop();
            } finally {
                unmount(engine.dataRoot());
                unmount(layers);
            }
        }
    }

    @Test
    void anOciLayoutIsLoadedAndRuns() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            Path layout = TestImages.ociLayout(engine.directory());
            assertThat(client.to(engine).and("load", "-i", layout.toString()).run().good().text())
                    .isEqualTo("Loaded image: busybox:oci");
            assertThat(client.to(engine).and("run", "--rm", "busybox:oci", "sh", "-c", "echo $FROM_IMAGE").run().good()
                    .text()).isEqualTo("yes");
        }
    }

    @Test
    void aHostWithLowHardLimitsAndWithoutTheRightToRaiseThemRunsDefaultContainers() throws Exception {
        var poor = List.of("prlimit", "--nofile=1024:1024", "--memlock=65536:65536", "--core=0:0", "setpriv",
                "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource");
        try (var engine = new CarafeDaemon(poor)) {
            start(engine);
            assertThat(client.to(engine).and("run", "--rm", "busybox", "sh", "-c", "ulimit -Hn; echo ok").run().good()
                    .lines()).containsExactly("1024", "ok");
            assertThat(client.to(engine).and("run", "--rm", "--ulimit", "nofile=2048:4096", "--oom-score-adj", "-500",
                    "-m", "64m", "busybox", "sh", "-c", "ulimit -n; echo ok").run().good().lines())
                    .containsExactly("1024", "ok");
            assertThat(Client.carafe().to(engine).and("run", "--rm", "--explain", "--ulimit", "nofile=2048:4096",
                    "busybox", "true").run().good().all()).contains("limit NOFILE lowered to 1024");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tmpfs", "ext4"})
    void aFullDiskFailsWhatNeedsRoomAndNothingElse(String kind) throws Exception {
        try (var engine = new CarafeDaemon()) {
            Files.createDirectory(engine.dataRoot());
            mountSmallDisk(engine.dataRoot(), kind, kind.equals("tmpfs") ? 32 : 64);
            try {
                start(engine);
                Path other = TestImages.ociLayout(engine.directory());
                var running = client.to(engine).and("run", "-d", "--name", "running", "busybox", "sleep", "1000").run();
                running.good();
                client.to(engine).and("create", "--name", "waiting", "busybox", "true").run().good();
                client.to(engine).and("tag", "busybox", "named:twice").run().good();
                String nameless = client.to(engine).and("commit", "-m", "no name", "running").run().good().text();
                engine.awaitOwnLibrary();
                var before = containerFiles(engine.dataRoot());
                Path filler = engine.dataRoot().resolve("filler");
                fill(filler);

                assertThat(client.to(engine).and("load", "-i", other.toString()).run().endedWith(1).all())
                        .contains(FULL).doesNotContain("Loaded image");
                var refused = client.to(engine).and("create", "--name", "third", "busybox", "true").run().endedWith(1);
                assertThat(refused.err()).contains(FULL);
                assertThat(client.to(engine).and("ps", "-a", "--format", "{{.Names}}").run().good().lines())
                        .containsExactlyInAnyOrder("running", "waiting");
                assertThat(containerFiles(engine.dataRoot())).isEqualTo(before);
                assertThat(client.to(engine).and("exec", "running", "echo", "alive").run().good().text())
                        .isEqualTo("alive");
                client.to(engine).and("rm", "-f", "running").run().good();
                client.to(engine).and("rm", "waiting").run().good();
                assertThat(client.to(engine).and("ps", "-aq").run().good().text()).isEmpty();
                fill(engine.dataRoot().resolve("filler-again"));
                client.to(engine).and("rmi", "named:twice").run().good();
                assertThat(client.to(engine).and("image", "prune", "-f").run().good().out()).contains(nameless);
                client.to(engine).and("system", "prune", "-f").run().good();
                assertThat(client.to(engine).and("images", "-a", "--format", "{{.Repository}}:{{.Tag}}").run().good()
                        .lines()).contains("busybox:latest").doesNotContain("named:twice", "<none>:<none>");

                Files.delete(engine.dataRoot().resolve("filler-again"));
                engine.kill();
                engine.start(); // also that needs no more room than the removals gave back
                Files.delete(filler);
                client.to(engine).and("run", "--rm", "busybox", "true").run().good();
                assertThat(client.to(engine).and("load", "-i", other.toString()).run().good().text())
                        .isEqualTo("Loaded image: busybox:oci");
                engine.stop();
            } finally {
                unmount(engine.dataRoot());
            }
        }
    }

    private Outcome docker(CarafeDaemon engine, String... words) throws Exception {
        return client.to(engine).and(words).run();
    }

    /// Puts an image at the hub whose lower layer is small and whose upper one has 16 MB; the engine keeps nothing of it.
    private void pushLarge(CarafeDaemon engine, String name) throws Exception {
        docker(engine, "load", "-i", TestImages.otherArchive(engine.directory()).toString()).good();
        makeLarge(engine, "maker", "other:1");
        docker(engine, "commit", "maker", name).good();
        docker(engine, "push", name).good();
        docker(engine, "rm", "maker").good();
        docker(engine, "rmi", name, "other:1").good();
    }

    /// A container that has written 16 MB which no compression makes smaller.
    private void makeLarge(CarafeDaemon engine, String container, String image) throws Exception {
        docker(engine, "create", "--name", container, "--network", "none", image, "sleep", "1000").good();
        byte[] noise = new byte[16 << 20];
        new Random(7).nextBytes(noise);
        Path file = Files.write(engine.directory().resolve("noise"), noise);
        docker(engine, "cp", file.toString(), container + ":/noise").good();
    }

    /// Writes until so many bytes are free.
    private static void leave(Path file, long freeBytes) throws IOException {
        byte[] piece = new byte[64 << 10];
        try (var out = Files.newOutputStream(file)) {
            while (file.toFile().getUsableSpace() > freeBytes) {
                out.write(piece);
            }
        }
    }

    /// What is written before it has a name, and what removed containers wrote.
    private static List<Path> unfinished(CarafeDaemon engine) throws IOException {
        var found = new ArrayList<Path>();
        for (String place : List.of("layers/tmp", "content/ingest", "snapshots/.tmp")) {
            try (var files = Files.list(engine.dataRoot().resolve(place))) {
                found.addAll(files.toList());
            }
        }
        try (var files = Files.list(engine.dataRoot().resolve("snapshots/.unwritten"))) {
            files.map(removed -> removed.resolve("upper")).filter(Files::exists).forEach(found::add);
        }
        return found;
    }

    /// On a disk without a free byte: containers and images go, and nothing that failed before is to be seen.
    private void assertRemovalsWork(CarafeDaemon engine, String container) throws Exception {
        Deadline.await("nothing half done is left", () -> unfinished(engine).isEmpty());
        fill(engine.dataRoot().resolve("filler-again"));
        assertThat(docker(engine, "images", "-a", "--format", "{{.Repository}}").good().lines())
                .containsExactlyInAnyOrder("busybox", "hello-world");
        docker(engine, "rm", "-f", container).good();
        docker(engine, "image", "prune", "-f").good();
        docker(engine, "container", "prune", "-f").good();
        docker(engine, "system", "prune", "-f").good();
        assertThat(Client.carafe().to(engine).and("system", "check").run().good().out()).doesNotContain("damaged");
        Files.delete(engine.dataRoot().resolve("filler-again"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tmpfs", "ext4"})
    void aPullThatFillsTheDiskHalfWayLeavesNothingAndTheNextOneHeals(String kind) throws Exception {
        try (var engine = new CarafeDaemon(); var hub = HubUnderTest.open()) {
            Files.createDirectory(engine.dataRoot());
            mountSmallDisk(engine.dataRoot(), kind, 96);
            try {
                start(engine);
                String name = hub.host() + "/team/large:1";
                pushLarge(engine, name);
                engine.awaitOwnLibrary();
                docker(engine, "run", "-d", "--name", "running", "--network", "none", "busybox", "sleep", "1000").good();
                Path filler = engine.dataRoot().resolve("filler");
                leave(filler, 8 << 20);
                var refused = docker(engine, "pull", name).endedWith(1);
                assertThat(refused.err()).contains(FULL);
                assertThat(refused.out().lines().filter(line -> line.endsWith("Pulling fs layer"))).hasSize(2);
                assertThat(refused.out().lines().filter(line -> line.endsWith("Pull complete")))
                        .as("the upper layer is larger than what was free").hasSizeLessThan(2);
                assertThat(docker(engine, "run", "--rm", "--network", "none", "--pull", "never", name, "true").code()).isNotZero();
                assertThat(docker(engine, "exec", "running", "echo", "alive").good().text()).isEqualTo("alive");
                assertRemovalsWork(engine, "running");
                Files.delete(filler);
                docker(engine, "pull", name).good();
                assertThat(docker(engine, "run", "--rm", "--network", "none", name, "wc", "-c", "/noise").good().text())
                        .startsWith("16777216");
                engine.stop();
            } finally {
                unmount(engine.dataRoot());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tmpfs", "ext4"})
    void aCommitThatFillsTheDiskHalfWayLeavesNothingAndTheNextOneWorks(String kind) throws Exception {
        try (var engine = new CarafeDaemon()) {
            Files.createDirectory(engine.dataRoot());
            mountSmallDisk(engine.dataRoot(), kind, 96);
            try {
                start(engine);
                makeLarge(engine, "large", "busybox");
                docker(engine, "start", "large").good();
                docker(engine, "create", "--name", "other", "--network", "none", "busybox", "true").good();
                engine.awaitOwnLibrary();
                Path filler = engine.dataRoot().resolve("filler");
                leave(filler, 8 << 20);
                assertThat(docker(engine, "commit", "large", "large:1").endedWith(1).err()).contains(FULL);
                assertRemovalsWork(engine, "other");
                Files.delete(filler);
                docker(engine, "commit", "large", "large:1").good();
                docker(engine, "rm", "-f", "large").good();
                assertThat(docker(engine, "run", "--rm", "--network", "none", "large:1", "wc", "-c", "/noise").good().text())
                        .startsWith("16777216");
                engine.stop();
            } finally {
                unmount(engine.dataRoot());
            }
        }
    }

    private void start(CarafeDaemon engine) throws Exception {
        engine.start();
        var archive = TestImages.dockerArchive(engine.directory());
        client.to(engine).and("load", "-i", archive.toString()).run().good();
    }

    private static void mountSmallDisk(Path at, String kind, int megabytes) throws Exception {
        if (kind.equals("tmpfs")) {
            mount(at, "tmpfs", "size=" + megabytes + "m");
            return;
        }
        Path disk = at.resolveSibling("disk");
        try (var file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength((long) megabytes << 20);
        }
        Command.of("mkfs." + kind, "-q", "-F", "-m", "0", disk.toString()).run().good();
        Command.of("mount", "-o", "loop", disk.toString(), at.toString()).run().good();
    }

    private static void mount(Path at, String type, String options) throws Exception {
        Command.of("mount", "-t", type, "-o", options, type, at.toString()).run().good();
    }

    private static void unmount(Path at) throws Exception {
        Command.of("umount", "--lazy", at.toString()).run();
    }

    /// What lies in the directories that containers have.
    private static List<String> containerFiles(Path dataRoot) throws IOException {
        var found = new ArrayList<String>();
        for (String parent : List.of("containers", "snapshots")) {
            try (var entries = Files.list(dataRoot.resolve(parent))) {
                entries.filter(entry -> !entry.getFileName().toString().startsWith("."))
                        .forEach(entry -> found.add(entry.toString()));
            }
        }
        return found;
    }

    /// Writes until the disk takes no byte more.
    private static void fill(Path file) throws IOException {
        byte[] piece = "full".repeat(16 * 1024).getBytes(StandardCharsets.US_ASCII);
        try (var out = Files.newOutputStream(file)) {
            for (int bytes = piece.length; bytes > 0; ) {
                try {
                    out.write(piece, 0, bytes);
                } catch (IOException e) {
                    bytes /= 2;
                }
            }
        }
    }
}
