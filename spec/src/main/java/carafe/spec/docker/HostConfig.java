package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a container meets its host: limits, namespaces, rights, mounts, names, log, restarts. `document` is the complete
/// message in Docker's spelling, which inspect echoes; the other components are what the engine acts on, checked.
public record HostConfig(
        Json.Obj document,
        Resources resources,
        Namespaces namespaces,
        Rights rights,
        Files files,
        Resolver resolver,
        LogConfig log,
        RestartPolicy restart,
        boolean autoRemove,
        Optional<Boolean> init,
        String runtime,
        Map<String, String> sysctls,
        Map<String, String> annotations) {

    private static final Shape SHAPE = Shape.of("""
            {"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"json-file","Config":{}},"NetworkMode":"default",
            "PortBindings":{},"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"AutoRemove":false,"VolumeDriver":"",
            "VolumesFrom":null,"ConsoleSize":[0,0],"Annotations":"?","CapAdd":null,"CapDrop":null,"CgroupnsMode":"",
            "Dns":[],"DnsOptions":[],"DnsSearch":[],"ExtraHosts":null,"GroupAdd":null,"IpcMode":"private","Cgroup":"",
            "Links":null,"OomScoreAdj":0,"PidMode":"","Privileged":false,"PublishAllPorts":false,
            "ReadonlyRootfs":false,"SecurityOpt":null,"StorageOpt":"?","Tmpfs":"?","UTSMode":"","UsernsMode":"","IDMappings":"?",
            "ShmSize":67108864,"Sysctls":"?","Runtime":"carafe","Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,
            "CgroupParent":"","BlkioWeight":0,"BlkioWeightDevice":[],"BlkioDeviceReadBps":[],"BlkioDeviceWriteBps":[],
            "BlkioDeviceReadIOps":[],"BlkioDeviceWriteIOps":[],"CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,
            "CpuRealtimeRuntime":0,"CpusetCpus":"","CpusetMems":"","Devices":[],"DeviceCgroupRules":null,
            "DeviceRequests":null,"KernelMemory":"?","KernelMemoryTCP":"?","MemoryReservation":0,"MemorySwap":0,
            "MemorySwappiness":null,"OomKillDisable":false,"PidsLimit":null,"Ulimits":[],"CpuCount":0,"CpuPercent":0,
            "IOMaximumIOps":0,"IOMaximumBandwidth":0,"Mounts":"?","Init":"?",
            "MaskedPaths":["/proc/asound","/proc/acpi","/proc/interrupts","/proc/kcore","/proc/keys",
            "/proc/latency_stats","/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/proc/scsi",
            "/sys/firmware","/sys/devices/virtual/powercap"],
            "ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}""");

    /// Namespace modes as sent: `""`, `private`, `host`, `none`, `shareable`, `container:x`, or a network's name.
    /// `ids` are those of a user namespace of the container's own, which the engine chose when it made the container.
    public record Namespaces(
            String network, String ipc, String pid, String uts, String cgroup, String user, IdMaps ids) {}

    /// What the container's processes may do.
    public record Rights(
            boolean privileged,
            List<String> capAdd,
            List<String> capDrop,
            SecurityOptions security,
            List<String> groupAdd,
            Optional<Integer> oomScoreAdjust,
            List<String> maskedPaths,
            List<String> readonlyPaths) {
        public Rights {
            capAdd = List.copyOf(capAdd);
            capDrop = List.copyOf(capDrop);
            groupAdd = List.copyOf(groupAdd);
            maskedPaths = List.copyOf(maskedPaths);
            readonlyPaths = List.copyOf(readonlyPaths);
        }
    }

    /// What the container sees of files beside its image. `shmBytes` is the size of /dev/shm.
    public record Files(
            boolean readonlyRoot, List<MountRequest> mounts, List<String> volumesFrom, long shmBytes) {
        public Files {
            mounts = List.copyOf(mounts);
            volumesFrom = List.copyOf(volumesFrom);
        }
    }

    /// What goes into /etc/resolv.conf and /etc/hosts. `extraHosts` are `name:address` pairs.
    public record Resolver(List<String> servers, List<String> options, List<String> search, List<String> extraHosts) {
        public Resolver {
            servers = List.copyOf(servers);
            options = List.copyOf(options);
            search = List.copyOf(search);
            extraHosts = List.copyOf(extraHosts);
        }
    }

    public HostConfig {
        sysctls = Map.copyOf(sysctls);
        annotations = Map.copyOf(annotations);
    }

    /// Reads and checks the `HostConfig` of a create request.
    public static HostConfig parse(Json.Obj given) throws EngineException.Invalid {
        Json.Obj asked = SHAPE.complete(given);
        var unsaid = new HashMap<String, Json>();
        if (asked.text("NetworkMode").isEmpty()) {
            unsaid.put("NetworkMode", Json.of("default"));
        }
        if (asked.number("ShmSize", 0) == 0) {
            unsaid.put("ShmSize", Json.of(64L << 20));
        }
        var log = LogConfig.parse(asked.object("LogConfig"));
        unsaid.put("LogConfig", log.json());
        var restart = RestartPolicy.parse(asked.object("RestartPolicy"));
        unsaid.put("RestartPolicy", restart.json());
        Json.Obj document = asked.with(unsaid);
        boolean autoRemove = document.truth("AutoRemove");
        if (autoRemove && restart.kind() != RestartPolicy.Kind.NO) {
            throw new EngineException.Invalid("can't create 'AutoRemove' container with restart policy");
        }
        var init = document.find("Init");
        return new HostConfig(
                document,
                Resources.parse(document),
                namespaces(document),
                rights(document),
                files(document),
                resolver(document),
                log,
                restart,
                autoRemove,
                init.isEmpty() ? Optional.empty() : Optional.of(document.truth("Init")),
                document.text("Runtime"),
                document.textMap("Sysctls"),
                document.textMap("Annotations"));
    }

    /// This configuration with new limits and restart policy, as `POST /containers/{id}/update` changes them.
    public HostConfig with(Json.Obj changes) throws EngineException.Invalid {
        Json.Obj changed = document;
        for (var key : Resources.KEYS) {
            var value = changes.find(key);
            if (value.isPresent() && !value.get().equals(Json.of(0)) && !value.get().equals(Json.of(""))) {
                changed = changed.with(key, value.get());
            }
        }
        var restart = changes.object("RestartPolicy");
        if (!restart.text("Name").isEmpty()) {
            changed = changed.with("RestartPolicy", restart);
        }
        return parse(changed).withMounts(files.mounts);
    }

    /// This configuration with the mounts as they were found when the container was made: volumes by their names, those
    /// of the image and of other containers too. The document stays what the client asked for.
    public HostConfig withMounts(List<MountRequest> mounts) {
        var found = new Files(files.readonlyRoot, mounts, files.volumesFrom, files.shmBytes);
        return new HostConfig(document, resources, namespaces, rights, found, resolver, log, restart, autoRemove, init,
                runtime, sysctls, annotations);
    }

    /// This configuration with what the engine makes of its modes: fields of the document about namespaces (`NetworkMode`,
    /// `IpcMode`) and its `Links`, and none that mean anything else.
    public HostConfig meaning(Map<String, Json> modes) throws EngineException.Invalid {
        Json.Obj meant = document.with(modes);
        return new HostConfig(meant, resources, namespaces(meant), rights, files, resolver, log, restart, autoRemove, init,
                runtime, sysctls, annotations);
    }

    private static Namespaces namespaces(Json.Obj document) throws EngineException.Invalid {
        var modes = new Namespaces(
                document.text("NetworkMode"),
                document.text("IpcMode"),
                document.text("PidMode"),
                document.text("UTSMode"),
                document.text("CgroupnsMode"),
                document.text("UsernsMode"),
                new IdMaps(
                        idMap(document.object("IDMappings"), "UidMap"), idMap(document.object("IDMappings"), "GidMap")));
        if (!List.of("", "none", "private", "shareable", "host").contains(modes.ipc) && !isContainer(modes.ipc)) {
            throw new EngineException.Invalid("invalid IPC mode: " + modes.ipc);
        }
        if (!List.of("", "host", "private").contains(modes.pid) && !isContainer(modes.pid)) {
            throw new EngineException.Invalid("invalid PID mode: " + modes.pid);
        }
        if (!List.of("", "host", "private").contains(modes.uts)) {
            throw new EngineException.Invalid("invalid UTS mode: " + modes.uts);
        }
        if (!List.of("", "host", "private").contains(modes.cgroup)) {
            throw new EngineException.Invalid("invalid cgroup namespace mode: " + modes.cgroup);
        }
        UserMode.parse(modes.user);
        if (!modes.ids.none()) {
            modes.ids.check();
        }
        return modes;
    }

    private static List<RuntimeSpec.IdMapping> idMap(Json.Obj document, String key) throws EngineException.Invalid {
        var ranges = new ArrayList<RuntimeSpec.IdMapping>();
        for (String text : document.texts(key)) {
            ranges.add(IdMaps.parse(text));
        }
        return ranges;
    }

    /// This configuration with the ids of a user namespace of its own, or without one.
    public HostConfig with(IdMaps ids) throws EngineException.Invalid {
        if (ids.equals(namespaces.ids)) {
            return this;
        }
        var mappings = Json.object()
                .put("UidMap", Json.ofTexts(ids.uids().stream().map(IdMaps::text).toList()))
                .put("GidMap", Json.ofTexts(ids.gids().stream().map(IdMaps::text).toList()))
                .build();
        return parse(document.with("IDMappings", mappings)).withMounts(files.mounts);
    }

    private static boolean isContainer(String mode) {
        return mode.startsWith("container:") && mode.length() > "container:".length();
    }

    private static Rights rights(Json.Obj document) throws EngineException.Invalid {
        long adjust = document.number("OomScoreAdj", 0);
        if (adjust < -1000 || adjust > 1000) {
            throw new EngineException.Invalid("Invalid value " + adjust + ", range for oom score adj is [-1000, 1000]");
        }
        return new Rights(
                document.truth("Privileged"),
                Capabilities.normalize("CapAdd", document.texts("CapAdd")),
                Capabilities.normalize("CapDrop", document.texts("CapDrop")),
                SecurityOptions.parse(document.texts("SecurityOpt")),
                document.texts("GroupAdd"),
                adjust == 0 ? Optional.empty() : Optional.of((int) adjust),
                document.texts("MaskedPaths"),
                document.texts("ReadonlyPaths"));
    }

    private static Files files(Json.Obj document) throws EngineException.Invalid {
        long shmBytes = document.number("ShmSize", 0);
        if (shmBytes < 0) {
            throw new EngineException.Invalid("SHM size can not be less than 0");
        }
        return new Files(
                document.truth("ReadonlyRootfs"),
                MountRequest.parseAll(document),
                document.texts("VolumesFrom"),
                shmBytes);
    }

    private static Resolver resolver(Json.Obj document) throws EngineException.Invalid {
        var extraHosts = document.texts("ExtraHosts");
        for (var extra : extraHosts) {
            if (extra.indexOf(':') <= 0 || extra.chars().anyMatch(c -> c <= ' ')) {
                throw new EngineException.Invalid("bad format for add-host: \"" + extra.replace('\n', ' ') + "\"");
            }
        }
        var resolver = new Resolver(
                document.texts("Dns"), document.texts("DnsOptions"), document.texts("DnsSearch"), extraHosts);
        for (var server : resolver.servers) {
            if (!server.matches("[0-9a-fA-F:.%a-zA-Z]+") || server.length() > 64) {
                throw new EngineException.Invalid("bad DNS server address: " + server.replace('\n', ' '));
            }
        }
        for (var word : resolver.search) {
            if (word.isEmpty() || word.chars().anyMatch(c -> c <= ' ')) {
                throw new EngineException.Invalid("invalid domain: " + word.replace('\n', ' '));
            }
        }
        for (var word : resolver.options) {
            if (word.isEmpty() || word.chars().anyMatch(c -> c <= ' ')) {
                throw new EngineException.Invalid("invalid DNS option: " + word.replace('\n', ' '));
            }
        }
        return resolver;
    }
}
