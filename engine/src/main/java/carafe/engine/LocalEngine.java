package carafe.engine;

import carafe.engine.quota.SizeLimits;
import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.transfer.ImageTransfers;
import carafe.engine.transfer.LiveTransfers;
import carafe.engine.volume.LocalVolumes;
import carafe.engine.volume.VolumeBook;
import carafe.engine.volume.VolumeMounts;
import carafe.engine.volume.Volumes;
import carafe.files.DirectoryQuotas;
import carafe.files.VolumeDirectories;
import carafe.image.Images;
import carafe.network.Fabric;
import carafe.spec.EngineException;
import carafe.spec.docker.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/// The engine of this process: all parts put together.
final class LocalEngine implements Engine {
    private static final Duration GRACE = Duration.ofSeconds(5);

    /// For what was promised to be gone: nobody but the next life of the engine would look for it again.
    private static final Duration SWEEP_GRACE = Duration.ofSeconds(30);

    private final Resources resources;
    private final Book book;
    private final Lifecycle lifecycle;
    private final Sharings sharings;
    private final Endings endings;
    private final Restarter restarter;
    private final Remover remover;
    private final WritableLayers layers;
    private final Containers containers;
    private final LiveExecs execs;
    private final LiveImages images;
    private final ImageTransfers transfers;
    private final LocalHost host;
    private final LiveBuilds builds;
    private final DefaultBridge bridge;
    private final LiveNetworks networks;
    private final VolumeBook volumeBook;
    private final VolumeMounts volumeMounts;
    private final LocalVolumes volumes;
    private final VolumeDirectories directories;

    /// What is closed with the engine.
    private record Resources(Database database, EventLog events, LogWatch watch, Fabric fabric, Outlets outlets) {}

    private LocalEngine(EngineConfig config, Parts parts, Resources resources, String engineId) throws EngineException {
        this.resources = resources;
        var facts = HostFacts.read(Path.of("/"), !config.users().remap().none());
        var layout = new Layout(config.dataRoot(), config.runRoot());
        var steps = new Steps(parts.failpoints());
        layers = new WritableLayers(parts.images(),
                limits(parts.storage().quotas().layers(), "container", parts, resources));
        var names = new ImageNames(parts.images());
        directories = parts.storage().volumes();
        volumeBook = new VolumeBook(resources.database(), directories,
                limits(parts.storage().quotas().volumes(), "volume", parts, resources),
                (action, name, details) -> resources.events().publish(Event.Type.VOLUME, action, name, details),
                parts.clock());
        volumes = new LocalVolumes(volumeBook);
        volumeMounts = new VolumeMounts(volumeBook);
        var imageMounts = new ImageMounts(parts.images());
        var sources = new MountSources(volumeBook, volumeMounts, imageMounts, parts.storage().files());
        var mounts = new MountPlan(name -> volumeBook.mountpoint(name).toString(), imageMounts::lowers);
        var bundles = new BundleMaker(parts.images(), layers, new SpecComposer(facts.appArmor(), config.init(), mounts), layout);
        var recent = new RecentStarts();
        book = new Book(resources.database(), resources.events());
        var networkBook = new NetworkBook(resources.database(), resources.events());
        networkBook.load();
        bridge = new DefaultBridge(book, networkBook, resources.fabric());
        var memberships = new Memberships(book, parts.runtime(), networkBook, resources.fabric(),
                new Memberships.Reaching(resources.outlets(), config.names(), bridge));
        sharings = new Sharings(book, memberships.links());
        var etc = new EtcFiles(EtcFiles.Host.USUAL, config.names());
        networks = new LiveNetworks(book, networkBook, resources.fabric(),
                new LiveNetworks.Hands(memberships, bridge, etc, layout, steps, config.networks()), parts.clock());
        var planner = new ContainerPlanner(parts.images(), new MountResolver(book, parts.images()), facts,
                new ContainerPlanner.Others(memberships, sharings, layers), new UserChoice(book, config.users()), parts.clock());
        endings = new Endings(book, parts.runtime(), sources, layout, steps);
        remover = new Remover(book, endings, layers, volumeBook, layout, steps);
        lifecycle = new Lifecycle(book, parts.runtime(),
                new Lifecycle.Starts(bundles, etc, sources, memberships, sharings, endings, recent, layout, steps),
                remover, parts.clock());
        execs = new LiveExecs(book, parts.runtime(), memberships.links(), layout, parts.clock());
        var stopper = new Stopper(book, lifecycle, volumeMounts);
        restarter = new Restarter(stopper, lifecycle);
        containers = new LiveContainers(book, parts.runtime(), bundles, parts.clock(), new LiveContainers.Hands(
                new Creator(book, planner, layers, sources, layout, steps),
                planner, lifecycle, stopper, restarter, remover,
                new Streams(book, parts.runtime(), layout, resources.watch()),
                new ContainerCopies(book, bundles, endings, sources),
                new Viewer(book, parts.images(), names, new Viewer.Sources(layout, volumeBook, memberships), parts.clock()),
                execs, new Updater(book), recent, memberships, layout));
        images = new LiveImages(parts.images(), parts.remote().registries(), book,
                new LiveImages.Tell(names, resources.events(), parts.clock()));
        transfers = new LiveTransfers(parts.images(), parts.remote().registries(), parts.remote().limits(), images);
        host = new LocalHost(facts, engineId, config.dataRoot(), hostParts(parts.images()));
        var buildSteps = new BuildSteps(parts.runtime(), new SpecComposer(facts.appArmor(), config.init(), mounts), memberships,
                new BuildSteps.OwnFiles(etc, layout), config.users().remap());
        builds = LiveBuilds.open(parts, buildSteps, layout,
                new LiveBuilds.Tell(names, resources.events(), transfers));
    }

    private LocalHost.Parts hostParts(Images images) {
        return new LocalHost.Parts(book, images, volumeBook, resources.fabric(), resources.outlets(), bridge);
    }

    private static SizeLimits limits(DirectoryQuotas quotas, String kind, Parts parts, Resources resources) {
        return new SizeLimits(resources.database(), quotas, kind, new SecureRandom(), parts.failpoints());
    }

    static LocalEngine open(EngineConfig config, Parts parts) throws EngineException {
        Database database = null;
        Fabric fabric = null;
        var outlets = Outlets.NONE;
        LocalEngine engine = null;
        boolean opened = false;
        try {
            var layout = new Layout(config.dataRoot(), config.runRoot());
            makeDirectories(layout);
            database = Database.open(layout.database());
            String id = engineId(database);
            fabric = parts.fabrics().open(id);
            outlets = parts.fabrics().outlets();
            var resources = new Resources(database, new EventLog(parts.clock()), new LogWatch(), fabric, outlets);
            engine = new LocalEngine(config, parts, resources, id);
            var reconciler = new Reconciler(
                    engine.book, parts.runtime(), engine.layers, layout,
                    new Reconciler.Resumers(engine.volumeBook, engine.lifecycle, engine.restarter, engine.networks,
                            engine.sharings));
            String boot = HostFacts.read(Path.of("/")).bootId();
            boolean sameBoot = database.setting("boot-id").map(boot::equals).orElse(true);
            reconciler.run(database.rows(), sameBoot, parts.clock().instant());
            if (database.setting("boot-id").filter(boot::equals).isEmpty()) {
                database.write(new Change.Put("boot-id", boot));
            }
            engine.builds.collect(config.cache());
            opened = true;
            return engine;
        } finally {
            if (!opened) {
                if (engine != null) {
                    engine.lifecycle.close();
                }
                if (fabric != null) {
                    fabric.close();
                }
                outlets.close();
                if (database != null) {
                    database.close();
                }
            }
        }
    }

    private static void makeDirectories(Layout layout) throws EngineException {
        var closed = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        try {
            for (var directory : List.of(layout.containers(), layout.runs(), layout.etcs(), layout.execRuns())) {
                Files.createDirectories(directory, closed);
            }
        } catch (IOException e) {
            throw Failures.io("cannot make the engine's directories", e);
        }
    }

    private static String engineId(Database database) throws EngineException {
        var known = database.setting("engine-id");
        if (known.isPresent()) {
            return known.get();
        }
        String made = UUID.randomUUID().toString();
        database.write(new Change.Put("engine-id", made));
        return made;
    }

    @Override
    public Containers containers() {
        return containers;
    }

    @Override
    public Execs execs() {
        return execs;
    }

    @Override
    public Events events() {
        return resources.events();
    }

    @Override
    public Networks networks() {
        return networks;
    }

    @Override
    public ImageCatalog images() {
        return images;
    }

    @Override
    public ImageTransfers transfers() {
        return transfers;
    }

    @Override
    public Host host() {
        return host;
    }

    @Override
    public Volumes volumes() {
        return volumes;
    }

    @Override
    public Builds builds() {
        return builds;
    }

    @Override
    public void close() {
        builds.close();
        lifecycle.close();
        volumeMounts.close(); // whoever waits for another machine cleans up now, as part of the work that is to end
        letWorkEnd();
        book.all().forEach(container -> container.waits().abandon("the engine is shutting down"));
        try {
            resources.fabric().rest();
        } catch (EngineException e) {
            LoggerFactory.getLogger(LocalEngine.class).warn("networks without containers are left: {}", e.getMessage());
        }
        release();
    }

    /// Lets go of everything at once, as a crash would, but for what only the end of the process releases. For tests.
    void abandon() {
        builds.abandon();
        lifecycle.close();
        release();
    }

    /// Waits for what goes on in the background. For tests, which look for what is left.
    void settle() throws InterruptedException {
        letWorkEnd();
        directories.awaitDeletions();
    }

    private void release() {
        resources.events().close();
        resources.watch().close();
        resources.fabric().close();
        resources.outlets().close();
        resources.database().close();
    }

    /// Waits until no container's queue has work, but not for ever.
    private void letWorkEnd() {
        var busy = book.all().stream().filter(container -> container.mailbox().busy()).toList();
        var idle = new CountDownLatch(busy.size());
        busy.forEach(container -> container.mailbox().tell(idle::countDown));
        try {
            if (!idle.await(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                LoggerFactory.getLogger(LocalEngine.class)
                        .warn("{} containers are still busy; the next start of the engine settles them",
                                idle.getCount());
            }
            endings.awaitAll(SWEEP_GRACE);
            remover.awaitSweeps(SWEEP_GRACE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
