package carafe.daemon;

import carafe.engine.Engine;
import carafe.engine.EngineConfig;
import carafe.engine.store.DataRootLock;
import carafe.engine.transfer.ImageTransfers;
import carafe.files.ContainerFiles;
import carafe.files.DirectoryQuotas;
import carafe.files.VolumeDirectories;
import carafe.http.Address;
import carafe.hub.HubConfig;
import carafe.image.HelloWorld;
import carafe.image.Images;
import carafe.kernel.Cgroups;
import carafe.kernel.KernelException;
import carafe.kernel.Seccomp;
import carafe.kernel.Spawner;
import carafe.registry.OwnHub;
import carafe.registry.Patience;
import carafe.registry.Proxies;
import carafe.registry.Registries;
import carafe.registry.RegistryConfig;
import carafe.runtime.LinuxRuntime;
import carafe.runtime.RootMount;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Deque;
import java.util.HashMap;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the engine stands on, made bottom up.
final class Parts {

    private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

    private Parts() {}

    /// Makes images, spawner, runtime and the engine above them; each is pushed on `made` as soon as it is there. The
    /// images, whose form is tried out on the disk, take half of the time and are made beside the others.
    static Engine engine(DaemonConfig config, Installation installation, Deque<AutoCloseable> made)
            throws EngineException {
        Path state = config.dataRoot();
        var failpoints = System.getenv().containsKey("CARAFE_FAILPOINTS")
                ? Failpoints.parse(System.getenv("CARAFE_FAILPOINTS"))
                : Failpoints.none();
        var lock = DataRootLock.take(state);
        made.push(lock);
        var engineConfig = new EngineConfig(lock, config.execRoot(), installation.init(),
                SubIds.read(Path.of("/etc"), config.remap()), config.networking().names(),
                config.networking().networks(), config.cache());
        Engine.preload(engineConfig);
        var images = Beside.begin("images", () -> images(state, installation, failpoints));
        made.push(images);
        try {
            var spawner = Spawner.start(installation.spawner());
            made.push(spawner);
            var seccomp = Seccomp.find(state.resolve("seccomp"));
            if (seccomp.isEmpty()) {
                LOG.warn("libseccomp.so.2 was not found: containers run without a seccomp filter; install libseccomp2");
            }
            var runtime = LinuxRuntime.open(
                    new LinuxRuntime.Host(spawner, Cgroups.open(), seccomp),
                    config.execRoot().resolve("runtime"),
                    failpoints);
            made.push(runtime);
            var remote = remote(config, installation);
            made.push(remote.registries());
            var engine = Engine.open(
                    engineConfig,
                    new Engine.Parts(runtime, images.get(), storage(state, failpoints), remote,
                            new HostNetworks(config, failpoints), failpoints, Clock.systemUTC()));
            made.push(engine);
            return engine;
        } catch (KernelException e) {
            throw new EngineException.Unavailable("this host cannot run containers: " + e.getMessage(), e);
        }
    }

    private static Images images(Path state, Installation installation, Failpoints failpoints) throws EngineException {
        var images = Images.open(state, failpoints);
        try {
            HelloWorld.ensure(images, installation.hello());
        } catch (EngineException e) {
            LOG.warn("the image hello-world is not there: {}", e.getMessage()); // a full disk must not keep us from rm
        }
        return images;
    }

    private static Engine.Storage storage(Path state, Failpoints failpoints) throws EngineException {
        return new Engine.Storage(
                new ContainerFiles(RootMount::detached),
                VolumeDirectories.open(state.resolve("volumes"), failpoints),
                new Engine.Quotas(
                        DirectoryQuotas.of(state.resolve("volumes")), DirectoryQuotas.of(state.resolve("snapshots"))));
    }

    private static Engine.Remote remote(DaemonConfig daemon, Installation installation) throws EngineException {
        var config = daemon.registries();
        var environment = new HashMap<>(System.getenv());
        config.httpProxy().ifPresent(value -> environment.put("http_proxy", value));
        config.httpsProxy().ifPresent(value -> environment.put("https_proxy", value));
        config.noProxy().ifPresent(value -> environment.put("no_proxy", value));
        var plain = RegistryConfig.plain("carafe/" + installation.version() + " (linux)");
        var registries = new RegistryConfig(config.insecure(), config.mirrors(),
                daemon.hub().flatMap(Parts::ownHub), plain.certificates(), Proxies.of(environment),
                Patience.USUAL.withAttempts(config.transfers().attempts()), plain.agent());
        var limits = new ImageTransfers.Limits(config.transfers().downloads(), config.transfers().uploads());
        return new Engine.Remote(new Registries(registries, Clock.systemUTC()), limits);
    }

    /// The hub as pulls see it: through its socket, a registry that it mirrors where it shows it.
    private static Optional<OwnHub> ownHub(HubConfig config) {
        var prefixes = new HashMap<String, String>();
        config.upstreams().forEach(upstream -> prefixes.put(upstream.registry(), upstream.prefix()));
        return config.listen().stream()
                .flatMap(address -> address instanceof Address.Unix(Path socket) ? Stream.of(socket) : Stream.empty())
                .findFirst()
                .map(socket -> new OwnHub(socket, prefixes));
    }
}
