package carafe.daemon;

import carafe.engine.NameDefaults;
import carafe.engine.NetworkDefaults;
import carafe.hub.HubConfig;
import carafe.network.FabricConfig;
import carafe.network.port.PacketMark;
import carafe.spec.build.CacheRules;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the daemon was told, by flags and by its configuration file; parsed once, then constant.
///
/// `hosts` are addresses to listen on (`unix:///path`, `tcp://address:port`), `dataRoot` outlives a reboot,
/// `execRoot` does not (sockets, run directories of containers), `hub` is the registry to run beside the
/// engine, `remap` whose subordinate ids containers have instead of the host's, `cache` when what
/// builds keep is collected, `warnings` are sentences to log at the start.
record DaemonConfig(
        List<String> hosts,
        Path dataRoot,
        Path execRoot,
        Path pidFile,
        String group,
        boolean debug,
        Tls tls,
        Map<String, String> logOptions,
        List<String> labels,
        Registries registries,
        Optional<HubConfig> hub,
        Networking networking,
        Optional<String> remap,
        CacheRules cache,
        List<String> warnings) {

    DaemonConfig {
        hosts = List.copyOf(hosts);
        logOptions = Map.copyOf(logOptions);
        labels = List.copyOf(labels);
        warnings = List.copyOf(warnings);
    }

    /// How registries are reached. `mirrors` are URLs by registry; a proxy that is not said comes from the environment.
    record Registries(Map<String, List<String>> mirrors, List<String> insecure, Optional<String> httpProxy,
            Optional<String> httpsProxy, Optional<String> noProxy, Transfers transfers) {
        Registries {
            mirrors = Map.copyOf(mirrors);
            insecure = List.copyOf(insecure);
        }
    }

    /// How many layers are fetched and sent at a time, and how often a broken transfer is tried.
    record Transfers(int downloads, int uploads, int attempts) {}

    /// The default bridge, where ranges of networks come from, whether packet forwarding may be switched on, whether others
    /// come to published ports at the containers' own addresses, the mark of packets that bridges let pass, how containers
    /// find names that do not say it themselves, and the options of networks to come.
    record Networking(FabricConfig.DefaultBridge bridge, List<FabricConfig.PoolRule> pools, boolean forward,
            boolean direct, Optional<PacketMark> trusted, NameDefaults names, NetworkDefaults networks) {
        Networking {
            pools = List.copyOf(pools);
        }
    }

    /// How TCP addresses are protected; `verify` demands a client certificate signed by `authority`.
    record Tls(boolean on, boolean verify, Optional<Path> authority, Optional<Path> certificate, Optional<Path> key) {}
}
