package carafe.daemon;

import carafe.engine.Engine;
import carafe.engine.HostOutlets;
import carafe.engine.Outlets;
import carafe.network.Fabric;
import carafe.network.FabricConfig;
import carafe.network.dns.HostResolvers;
import carafe.network.dns.NameService;
import carafe.network.port.PortFilter;
import carafe.network.port.PublishedPorts;
import carafe.network.port.Translator;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Optional;

/// The networks of this host: links, rules, ports and names, wired together.
final class HostNetworks implements Engine.Fabrics {

    /// All engines of a host share it; see [FabricConfig].
    private static final Path LOCK = Path.of("/run/carafe-networks.lock");
    private static final int MARK_LENGTH = 12;

    private final DaemonConfig config;
    private final Failpoints failpoints;
    private Outlets outlets = Outlets.NONE;

    HostNetworks(DaemonConfig config, Failpoints failpoints) {
        this.config = config;
        this.failpoints = failpoints;
    }

    @Override
    public Fabric open(String engineId) throws EngineException {
        var made = new ArrayDeque<Runnable>();
        boolean opened = false;
        try {
            var networking = config.networking();
            var filter = PortFilter.open(
                    engineId.replace("-", "").substring(0, MARK_LENGTH), config.dataRoot(), networking.trusted());
            made.push(filter::close);
            var translator = new Translator(filter, engineId, networking.forward(), failpoints);
            made.push(translator::close);
            var ways = new PublishedPorts.Ways(Optional.of(translator), networking.direct());
            var ports = new PublishedPorts(filter, ways, config.execRoot().resolve("p"), failpoints);
            made.push(ports::close);
            var names = NameService.open(new HostResolvers(Path.of("/etc/resolv.conf")), failpoints);
            made.push(names::close);
            var place = new FabricConfig.Place(config.dataRoot().toString(), config.execRoot().resolve("n"), LOCK);
            var fabric = Fabric.open(
                    new FabricConfig(engineId, place, networking.bridge(), networking.pools(), networking.forward()),
                    new Fabric.Parts(filter, failpoints, Clock.systemUTC()));
            fabric.listen(ports);
            fabric.listen(names);
            outlets = new HostOutlets(new HostOutlets.Tools(filter, ports, names));
            opened = true;
            return fabric;
        } finally {
            if (!opened) {
                made.forEach(Runnable::run);
            }
        }
    }

    @Override
    public Outlets outlets() {
        return outlets;
    }
}
