package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.engine.store.DataRootLock;
import carafe.files.ContainerFiles;
import carafe.files.MemoryQuotas;
import carafe.files.VolumeDirectories;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.image.TestImage;
import carafe.image.TestTar;
import carafe.network.Fabric;
import carafe.network.MemoryFabric;
import carafe.runtime.MemoryRuntime;
import carafe.runtime.RootMount;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import carafe.spec.build.CacheRules;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.Filters;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/// An engine over a fake kernel and real image files below one directory, which can crash and be opened again.
final class EngineHarness implements AutoCloseable {
    private final Path root;
    private final DataRootLock lock;
    private final Images images;
    private final UserIds users;
    final MemoryRuntime runtime;
    final Ahead clock = new Ahead();
    final MemoryFabric fabric = new MemoryFabric();
    final MemoryOutlets outlets = new MemoryOutlets();
    LocalEngine engine;

    /// Networks and ports of this harness, for each of its engines.
    private final class Host implements Engine.Fabrics {

        @Override
        public Fabric open(String engineId) {
            return fabric;
        }

        @Override
        public Outlets outlets() {
            return outlets;
        }
    }

    /// What new networks are like; counts from the next opening on.
    NetworkDefaults networkDefaults = NetworkDefaults.NONE;

    /// There are none before the test says so.
    final MemoryQuotas quotas = new MemoryQuotas();

    /// The host's clock, which a test may put forward.
    static final class Ahead extends Clock {
        private volatile Duration by = Duration.ZERO;

        void putForward(Duration more) {
            by = by.plus(more);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException("nobody asks for a zone");
        }

        @Override
        public Instant instant() {
            return Instant.now().plus(by);
        }
    }

    EngineHarness(Path root) throws Exception {
        this(root, Failpoints.none());
    }

    EngineHarness(Path root, Failpoints failpoints) throws Exception {
        this(root, failpoints, UserIds.USUAL);
    }

    EngineHarness(Path root, UserIds users) throws Exception {
        this(root, Failpoints.none(), users);
    }

    private EngineHarness(Path root, Failpoints failpoints, UserIds users) throws Exception {
        this.root = root;
        this.users = users;
        Files.createDirectories(root.resolve("s"));
        lock = DataRootLock.take(root.resolve("data"));
        images = Images.open(root.resolve("data"));
        byte[] layer = new TestTar().add(TestTar.directory("etc")).add(TestTar.file("etc/os", "test")).bytes();
        images.load(new ByteArrayInputStream(TestImage.of("app:latest", layer).dockerArchive()), LoadProgress.SILENT);
        runtime = new MemoryRuntime(root.resolve("s"), Failpoints.none());
        engine = open(failpoints);
    }

    private LocalEngine open(Failpoints failpoints) throws EngineException {
        return LocalEngine.open(
                new EngineConfig(lock, root.resolve("run"), root.resolve("docker-init"), users, NameDefaults.NONE,
                        networkDefaults, CacheRules.USUAL),
                new Engine.Parts(runtime, images, storage(failpoints), NoRegistries.remote(), new Host(), failpoints, clock));
    }

    private Engine.Storage storage(Failpoints failpoints) throws EngineException {
        return new Engine.Storage(
                new ContainerFiles(RootMount::detached),
                VolumeDirectories.open(root.resolve("data/volumes"), failpoints),
                new Engine.Quotas(quotas, quotas));
    }

    Containers containers() {
        return engine.containers();
    }

    /// The engine dies without a word and a new one opens.
    void crash() throws EngineException {
        engine.abandon();
        engine = open(Failpoints.none());
    }

    /// A new engine opens after [LocalEngine#abandon].
    void reopenAfterAbandon() throws EngineException {
        reopenAfterAbandon(Failpoints.none());
    }

    void reopenAfterAbandon(Failpoints failpoints) throws EngineException {
        engine = open(failpoints);
    }

    /// The engine closes and a new one opens, which may fail at points.
    void reopen(Failpoints failpoints) throws EngineException {
        engine.close();
        engine = open(failpoints);
    }

    /// A request to run `command` under `name`, with a HostConfig written as JSON.
    static CreateRequest request(String name, String hostConfig, String... command) throws EngineException {
        return new CreateRequest(
                name,
                "",
                ContainerConfig.parse(Json.object()
                        .put("Image", "app")
                        .put("Cmd", Json.ofTexts(List.of(command)))
                        .build()),
                HostConfig.parse((Json.Obj) Json.parse(hostConfig)),
                NetworkingConfig.NONE);
    }

    String create(String name, String... command) throws Exception {
        return containers().create(request(name, "{}", command)).id();
    }

    State state(String reference) throws EngineException {
        return containers().inspect(reference, false).container().state();
    }

    List<String> names() throws EngineException {
        return containers().list(new ListQuery(true, 0, false, Filters.NONE)).stream()
                .map(summary -> summary.container().name())
                .toList();
    }

    /// Reads a source to its end.
    static String text(ByteSource source) throws Exception {
        var text = new StringBuilder();
        for (var next = source.next(); next.isPresent(); next = source.next()) {
            var bytes = new byte[next.get().remaining()];
            next.get().get(bytes);
            text.append(new String(bytes, StandardCharsets.ISO_8859_1));
        }
        return text.toString();
    }

    /// Waits until `condition` holds, at most a minute.
    static void eventually(Callable<Boolean> condition) throws Exception {
        var deadline = Instant.now().plus(Duration.ofMinutes(1));
        while (!condition.call()) {
            if (Instant.now().isAfter(deadline)) {
                throw new AssertionError("it did not happen within a minute");
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /// All events of containers so far from `since`, as `action` words.
    List<String> actions(Instant since) throws Exception {
        return actions(since, "container");
    }

    /// All events of this type so far from `since`.
    List<String> actions(Instant since, String type) throws Exception {
        var actions = new ArrayList<String>();
        try (var stream = engine.events().subscribe(
                new EventQuery(
                Optional.of(since), Optional.of(Instant.now()), Filters.parse("{\"type\":[\"" + type + "\"]}")))) {
            for (var event = stream.next(); event.isPresent(); event = stream.next()) {
                actions.add(event.get().action());
            }
        }
        return actions;
    }

    /// Directories of containers on disk.
    List<String> directories() throws Exception {
        var found = new ArrayList<String>();
        for (var parent : List.of("data/containers", "data/snapshots", "run/c", "run/e", "run/f")) {
            if (Files.isDirectory(root.resolve(parent))) {
                try (var entries = Files.list(root.resolve(parent))) {
                    entries.filter(entry -> !entry.getFileName().toString().startsWith(".")).forEach(entry -> found.add(entry.toString()));
                }
            }
        }
        return found;
    }

    void assertNothingLeft() throws Exception {
        engine.settle();
        assertThat(directories()).isEmpty();
        assertThat(runtime.leftBehind()).isEmpty();
        assertThat(fabric.open()).isEmpty();
        assertThat(names()).isEmpty();
    }

    @Override
    public void close() {
        engine.close();
        images.close();
        lock.close();
    }
}
