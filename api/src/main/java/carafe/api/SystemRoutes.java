package carafe.api;

import carafe.engine.Engine;
import carafe.engine.Host;
import carafe.engine.transfer.ImageTransfers;
import carafe.http.Headers;
import carafe.spec.EngineException.Unavailable;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The engine itself: ping, version, info; and the words by which clients learn that there is no swarm.
final class SystemRoutes {

    static final String NO_SWARM = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm"
            + " join\" to connect this node to swarm and try again.";
    private static final byte[] OK = {'O', 'K'};

    private final Engine engine;
    private final Product product;

    SystemRoutes(Engine engine, Product product) {
        this.engine = engine;
        this.product = product;
    }

    void addTo(Routes routes) {
        routes.add("GET /_ping", this::ping);
        routes.add("HEAD /_ping", this::ping);
        routes.add("GET /version", this::version);
        routes.add("GET /info", this::info);
        for (String subject : List.of("swarm", "nodes", "services", "tasks", "secrets", "configs")) {
            routes.add("GET /" + subject, SystemRoutes::noSwarm);
            routes.add("GET /" + subject + "/{rest*}", SystemRoutes::noSwarm);
            routes.add("POST /" + subject + "/{rest*}", SystemRoutes::noSwarm);
            routes.add("DELETE /" + subject + "/{rest*}", SystemRoutes::noSwarm);
        }
    }

    private static void noSwarm(Call call) throws Unavailable {
        throw new Unavailable(NO_SWARM);
    }

    private void ping(Call call) throws Exception {
        Headers headers = call.with(
                "Builder-Version", "1",
                "Cache-Control", "no-cache, no-store, must-revalidate",
                "Content-Type", "text/plain; charset=utf-8",
                "Pragma", "no-cache",
                "Swarm", "inactive");
        call.exchange().respond(200, headers, OK);
    }

    private void version(Call call) throws Exception {
        Host.Machine machine = engine.host().machine();
        var details = Json.object()
                .put("ApiVersion", ApiVersion.CURRENT.toString())
                .put("Arch", goArchitecture(machine))
                .put("BuildTime", product.buildTime())
                .put("Experimental", "false")
                .put("GitCommit", product.commit())
                .put("GoVersion", "")
                .put("KernelVersion", machine.kernelVersion())
                .put("MinAPIVersion", ApiVersion.OLDEST.toString())
                .put("Os", "linux")
                .build();
        var component = Json.object()
                .put("Name", "Engine")
                .put("Version", product.version())
                .put("Details", details)
                .build();
        call.answer(Json.object()
                .put("Platform", Json.object().put("Name", "Carafe").build())
                .put("Components", Json.ofAll(List.of(component)))
                .put("Version", product.version())
                .put("ApiVersion", ApiVersion.CURRENT.toString())
                .put("MinAPIVersion", ApiVersion.OLDEST.toString())
                .put("GitCommit", product.commit())
                .put("GoVersion", "")
                .put("Os", "linux")
                .put("Arch", goArchitecture(machine))
                .put("KernelVersion", machine.kernelVersion())
                .put("BuildTime", product.buildTime())
                .build());
    }

    private void info(Call call) throws Exception {
        Host host = engine.host();
        Host.Machine machine = host.machine();
        Host.Counts counts = host.counts();
        var json = Json.object()
                .put("ID", host.engineId())
                .put("Containers", counts.containers())
                .put("ContainersRunning", counts.running())
                .put("ContainersPaused", counts.paused())
                .put("ContainersStopped", counts.stopped())
                .put("Images", counts.images())
                .put("Driver", "overlay")
                .put("DriverStatus", Json.ofAll(List.of(Json.ofTexts(List.of("Layers", "directories")))))
                .put("Plugins", plugins());
        for (String ability : List.of("MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
                "PidsLimit", "IPv4Forwarding", "OomKillDisable")) {
            json.put(ability, machine.abilities().getOrDefault(ability, false));
        }
        json.put("Debug", false)
                .put("NFd", 0)
                .put("NGoroutines", 0)
                .put("SystemTime", Timestamps.print(Instant.now()))
                .put("LoggingDriver", "json-file")
                .put("CgroupDriver", "cgroupfs")
                .put("CgroupVersion", machine.cgroupVersion())
                .put("NEventsListener", 0)
                .put("KernelVersion", machine.kernelVersion())
                .put("OperatingSystem", machine.operatingSystem())
                .put("OSVersion", machine.operatingSystemVersion())
                .put("OSType", "linux")
                .put("Architecture", machine.architecture())
                .put("IndexServerAddress", "https://index.docker.io/v1/")
                .put("RegistryConfig", registryConfig(engine.transfers().configured()))
                .put("NCPU", machine.processors())
                .put("MemTotal", machine.memoryBytes())
                .put("GenericResources", Json.NULL)
                .put("DockerRootDir", host.dataRoot().toString());
        call.answer(rest(json, host).build());
    }

    private Json.Builder rest(Json.Builder json, Host host) {
        return json.put("HttpProxy", "")
                .put("HttpsProxy", "")
                .put("NoProxy", "")
                .put("Name", host.machine().hostName())
                .put("Labels", Json.ofAll(List.of()))
                .put("ExperimentalBuild", false)
                .put("ServerVersion", product.version())
                .put("Runtimes", Json.object().put("carafe", Json.object().put("path", "carafe").build()).build())
                .put("DefaultRuntime", "carafe")
                .put("Swarm", Json.object()
                        .put("NodeID", "")
                        .put("NodeAddr", "")
                        .put("LocalNodeState", "inactive")
                        .put("ControlAvailable", false)
                        .put("Error", "")
                        .put("RemoteManagers", Json.NULL)
                        .build())
                .put("LiveRestoreEnabled", true)
                .put("Isolation", "")
                .put("InitBinary", "docker-init")
                .put("SecurityOptions", Json.ofTexts(host.machine().securityOptions()))
                .put("ProductLicense", "Apache-2.0")
                .put("CDISpecDirs", Json.ofAll(List.of()))
                .put("Warnings", Json.ofTexts(host.warnings()));
    }

    private static Json plugins() {
        return Json.object()
                .put("Volume", Json.ofTexts(List.of()))
                .put("Network", Json.ofTexts(List.of("bridge", "host", "ipvlan", "macvlan", "null")))
                .put("Authorization", Json.NULL)
                .put("Log", Json.ofTexts(List.of("json-file", "none")))
                .build();
    }

    private static Json registryConfig(ImageTransfers.Configured configured) {
        var networks = new ArrayList<>(List.of("::1/128", "127.0.0.0/8"));
        configured.insecure().stream().filter(each -> each.indexOf('/') > 0).forEach(networks::add);
        var indexes = Json.object().put("docker.io", index("docker.io", configured.mirrors(), true));
        configured.insecure().stream().filter(each -> each.indexOf('/') < 0)
                .forEach(each -> indexes.put(each, index(each, List.of(), false)));
        return Json.object()
                .put("InsecureRegistryCIDRs", Json.ofTexts(networks))
                .put("IndexConfigs", indexes.build())
                .put("Mirrors", Json.ofTexts(configured.mirrors()))
                .build();
    }

    private static Json index(String name, List<String> mirrors, boolean hub) {
        return Json.object()
                .put("Name", name)
                .put("Mirrors", Json.ofTexts(mirrors))
                .put("Secure", hub)
                .put("Official", hub)
                .build();
    }

    /// The architecture as Go names it, which Docker's clients compare with.
    private static String goArchitecture(Host.Machine machine) {
        return switch (machine.architecture()) {
            case "x86_64" -> "amd64";
            case "aarch64" -> "arm64";
            default -> machine.architecture();
        };
    }
}
