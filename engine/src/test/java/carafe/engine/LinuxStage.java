package carafe.engine;

import carafe.engine.store.DataRootLock;
import carafe.files.ContainerFiles;
import carafe.files.DirectoryQuotas;
import carafe.files.VolumeDirectories;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.image.TestImage;
import carafe.image.TestTar;
import carafe.kernel.CgroupLimits;
import carafe.kernel.Cgroups;
import carafe.kernel.Seccomp;
import carafe.kernel.Spawner;
import carafe.network.Fabric;
import carafe.network.FabricConfig;
import carafe.network.Firewall;
import carafe.runtime.LinuxRuntime;
import carafe.runtime.RootMount;
import carafe.spec.Failpoints;
import carafe.spec.docker.Filters;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// An engine over this machine's kernel with busybox as its image, which can crash like the daemon does: its spawner
/// dies with it, monitors and containers go on.
final class LinuxStage {
    private static final Path BUSYBOX =
            Path.of(System.getProperty("carafe.root"), "e2e/target/tools/busybox/usr/bin/busybox");
    private static final Path SPAWNER = Path.of(System.getProperty("carafe.native"), "carafe-spawner");

    private static final Path INIT = Path.of(System.getProperty("carafe.native"), "docker-init");

    final Path root;
    private final Failpoints none = Failpoints.none();
    private final Set<String> mounts = mounts();
    private DataRootLock lock;
    private Images images;
    private Spawner spawner;
    private Cgroups cgroups;
    private LinuxRuntime runtime;
    LocalEngine engine;

    LinuxStage() throws Exception {
        root = Files.createTempDirectory("carafe-engine-");
        open(none);
        images.load(new ByteArrayInputStream(busybox()), LoadProgress.SILENT);
    }

    /// One more image, with these files.
    void load(String name, TestTar files) throws Exception {
        images.load(new ByteArrayInputStream(TestImage.of(name, files.bytes()).dockerArchive()), LoadProgress.SILENT);
    }

    private void open(Failpoints failpoints) throws Exception {
        lock = DataRootLock.take(root.resolve("data"));
        images = Images.open(root.resolve("data"));
        spawner = Spawner.start(SPAWNER);
        cgroups = Cgroups.open();
        runtime = LinuxRuntime.open(
                new LinuxRuntime.Host(spawner, cgroups, Seccomp.find(cache())), root.resolve("run/runtime"),
                failpoints);
        engine = LocalEngine.open(
                new EngineConfig(lock, root.resolve("run"), INIT),
                new Engine.Parts(runtime, images, storage(failpoints), NoRegistries.remote(),
                        id -> Fabric.open(fabricConfig(id), fabricParts(failpoints)), failpoints, Clock.systemUTC()));
    }

    /// The default bridge is a real one of the host, with a name and a range that no other engine has.
    private FabricConfig fabricConfig(String id) {
        return new FabricConfig(id,
                new FabricConfig.Place(root.toString(), root.resolve("run/n"), Path.of("/run/carafe-networks.lock")),
                FabricConfig.DefaultBridge.USUAL, FabricConfig.usualPools(), true);
    }

    private static Fabric.Parts fabricParts(Failpoints failpoints) {
        return new Fabric.Parts(Firewall.NONE, failpoints, Clock.systemUTC());
    }

    private static Path cache() {
        return Path.of(System.getProperty("java.io.tmpdir"), "carafe-test-filters");
    }

    private static byte[] busybox() throws IOException {
        var tar = new TestTar();
        for (var directory : List.of("bin", "etc", "root", "tmp")) {
            tar.add(TestTar.directory(directory));
        }
        tar.add(TestTar.file("bin/busybox", Files.readAllBytes(BUSYBOX)).mode(0755));
        for (var applet : List.of("sh", "sleep", "true", "cat", "echo", "id", "hostname", "dd", "ls", "kill", "stty")) {
            tar.add(TestTar.symlink("bin/" + applet, "busybox"));
        }
        tar.add(TestTar.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/tmp:/bin/sh\n"));
        tar.add(TestTar.file("etc/group", "root:x:0:\napp:x:1000:\n"));
        return TestImage.of("app:latest", tar.bytes()).dockerArchive();
    }

    private Engine.Storage storage(Failpoints failpoints) throws Exception {
        return new Engine.Storage(
                new ContainerFiles(RootMount::detached),
                VolumeDirectories.open(root.resolve("data/volumes"), failpoints),
                new Engine.Quotas(DirectoryQuotas.of(root.resolve("data/volumes")),
                        DirectoryQuotas.of(root.resolve("data/snapshots"))));
    }

    Containers containers() {
        return engine.containers();
    }

    /// The daemon dies and starts again.
    void crash() throws Exception {
        engine.abandon();
        closeParts();
        open(none);
    }

    /// The daemon starts again after [LocalEngine#abandon].
    void reopenAfterAbandon() throws Exception {
        closeParts();
        open(none);
    }

    /// The daemon stops and starts again, with points at which it fails.
    void reopen(Failpoints failpoints) throws Exception {
        engine.close();
        closeParts();
        open(failpoints);
    }

    private void closeParts() {
        runtime.close();
        spawner.close();
        cgroups.close();
        images.close();
        lock.close();
    }

    /// What a start has made when the daemon dies right before it writes the record of it.
    void begin(String id, String cgroup) throws Exception {
        Files.createDirectory(new Layout(root.resolve("data"), root.resolve("run")).run(id));
        cgroups.create(cgroup, CgroupLimits.builder().build(), List.of());
    }

    /// Control groups, in any hierarchy, that carry the id.
    static List<Path> groups(String id) throws IOException {
        var found = new ArrayList<Path>();
        Files.walkFileTree(Path.of("/sys/fs/cgroup"), Set.of(), 4, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path group, BasicFileAttributes attributes) {
                if (group.endsWith(id)) {
                    found.add(group);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path gone, IOException e) {
                return FileVisitResult.CONTINUE; // groups of other engines come and go
            }

            @Override
            public FileVisitResult postVisitDirectory(Path group, @Nullable IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    State state(String name) throws Exception {
        return containers().inspect(name, false).container().state();
    }

    /// Output without frames.
    static String plain(ByteSource source) throws Exception {
        byte[] framed = EngineHarness.text(source).getBytes(StandardCharsets.ISO_8859_1);
        var text = new StringBuilder();
        for (int at = 0; at < framed.length; ) {
            int length = ByteBuffer.wrap(framed, at + 4, 4).getInt();
            text.append(new String(framed, at + 8, length, StandardCharsets.UTF_8));
            at += 8 + length;
        }
        return text.toString();
    }

    /// All of a container's log.
    String log(String name) throws Exception {
        var query = new LogQuery(
                new LogQuery.Streams(true, true), Optional.empty(), Optional.empty(), Optional.empty(),
                new LogQuery.Show(false, false, false));
        try (var log = containers().logs(name, query)) {
            return plain(log);
        }
    }

    private static Set<String> mounts() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> line.substring(line.indexOf(' ')))
                .collect(Collectors.toSet());
    }

    /// Processes whose command line or control group carries `word`.
    static List<String> processes(String word) throws IOException {
        var found = new ArrayList<String>();
        try (var all = Files.list(Path.of("/proc"))) {
            for (var process : all.filter(path -> path.getFileName().toString().matches("[0-9]+")).toList()) {
                try {
                    String text = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                            + Files.readString(process.resolve("cgroup"));
                    if (text.contains(word)) {
                        found.add(process.getFileName() + " " + text.replace('\0', ' '));
                    }
                } catch (IOException e) {
                    continue; // it ended while we looked
                }
            }
        }
        return found;
    }

    /// Removes all containers and says what is left: directories, mounts, control groups, processes.
    List<String> leftAfterRemoval() throws Exception {
        var ids = new ArrayList<String>();
        for (var summary : containers().list(
                new ListQuery(true, 0, false, Filters.NONE))) {
            ids.add(summary.container().id());
            containers().remove(summary.container().id(), new RemoveRequest(true, true));
        }
        return left(ids);
    }

    /// What is left of the containers `ids`, and of any container in the roots.
    List<String> left(List<String> ids) throws Exception {
        var left = new ArrayList<String>();
        engine.settle();
        for (var parent : List.of("data/containers", "data/snapshots", "run/c", "run/e", "run/f")) {
            try (var entries = Files.list(root.resolve(parent))) {
                entries.filter(entry -> !entry.getFileName().toString().startsWith("."))
                        .forEach(entry -> left.add(entry.toString()));
            }
        }
        for (var cgroup : cgroups.list(cgroups.home())) {
            if (ids.stream().anyMatch(id -> cgroup.toString().contains(id))) {
                left.add("control group " + cgroup);
            }
        }
        long deadline = System.nanoTime() + 60_000_000_000L; // a monitor ends a moment after its exit record
        for (var id : ids) {
            var found = processes(id);
            while (!found.isEmpty() && System.nanoTime() < deadline) {
                found = processes(id);
            }
            left.addAll(found);
        }
        var now = mounts();
        now.removeAll(mounts);
        now.removeIf(mount -> !mount.contains(root.toString()));
        left.addAll(now);
        return left;
    }

    void close() throws Exception {
        engine.close();
        closeParts();
        Remover.deleteTree(root);
    }
}
