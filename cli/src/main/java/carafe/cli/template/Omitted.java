package carafe.cli.template;

import carafe.spec.Json;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Fields that Docker's documents leave out where they are empty (Go's `omitempty`). Docker's command reads the documents into
/// structs before a template sees them, so there such a field is Go's zero value: `null` as JSON, but `[]`, `map[]`, `0`, `""`
/// or `false` where it is printed. A name that is in no such document is a mistake of the template's.
/// Source: api/types of moby v28.5 (container, image, network, volume, system, mount); DockerOCIImageConfig of
/// moby/docker-image-spec.
final class Omitted {

    /// A slice and a map that are nil.
    static final Json.Arr NO_LIST = new Json.Arr(List.of());
    static final Json.Obj NO_MAP = Json.object().build();

    private static final Map<String, Object> ZEROS = Stream.of(
            zeros(NO_LIST, "AuxiliaryAddrs Cmd Entrypoint Env LinkLocalIPs Links Manifests MaskedPaths Mounts OnBuild Peers"
                    + " ReadonlyPaths Shell Test Layers DefaultAddressPools CapabilitiesAdd CapabilitiesDrop CDISpecDirs"
                    + " DiscoveredDevices Ulimits"),
            zeros(NO_MAP, "Annotations AuxiliaryAddresses DriverOpts ExposedPorts Labels Services Status StorageOpt Sysctls"
                    + " Tmpfs Volumes"),
            zeros("", "Author Comment Consistency Container Created CreatedAt DockerVersion Gateway HostnamePath"
                    + " IPRange IPv4Address IPv6Address MacAddress OsVersion Parent ProductLicense Propagation Runtime"
                    + " StopSignal Subnet SystemTime User Variant WorkingDir"),
            zeros(0L, "Interval KernelMemory KernelMemoryTCP Retries StartInterval StartPeriod Timeout VirtualSize"),
            zeros(false, "ArgsEscaped NetworkDisabled"),
            zeros(Values.NIL, "BindOptions ClusterVolume ContainerConfig Containerd Descriptor FirewallBackend GraphDriver"
                    + " Health Healthcheck IPAMConfig ImageManifestDescriptor ImageOptions Init NetworkSettings"
                    + " SizeRootFs SizeRw StopTimeout Storage TmpfsOptions UsageData VolumeOptions"))
            .flatMap(each -> each.entrySet().stream()).collect(Collectors.toUnmodifiableMap(Map.Entry::getKey,
                    Map.Entry::getValue));

    /// What a mount may lack; elsewhere these names are of fields that are never left out.
    private static final Map<String, Object> OF_MOUNTS = Stream.of(zeros("", "Driver Name Source Target Type"),
            zeros(false, "ReadOnly")).flatMap(each -> each.entrySet().stream())
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

    private Omitted() {}

    private static Map<String, Object> zeros(Object zero, String names) {
        return Stream.of(names.split(" ")).collect(Collectors.toMap(name -> name, _ -> zero));
    }

    /// The zero value of the field `name` that `of` lacks; null where no document has such a field.
    static @Nullable Object zero(Json.Obj of, String name) {
        boolean mount = of.fields().containsKey("Destination") || of.fields().containsKey("Target");
        Object zero = mount ? OF_MOUNTS.get(name) : null;
        return zero == null ? ZEROS.get(name) : zero;
    }
}
