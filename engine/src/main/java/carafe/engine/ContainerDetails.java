package carafe.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All that inspect tells beyond the [ContainerSnapshot].
public record ContainerDetails(
        ContainerSnapshot container,
        Files files,
        List<MountPoint> mounts,
        List<String> execIds,
        Map<String, String> layers,
        Optional<Size> size,
        String driver,
        String appArmorProfile,
        ContainerNetworks networks) {

    /// The files the engine keeps for it.
    public record Files(Path log, Path hosts, Path hostname, Path resolver) {}

    /// A mount as inspect lists it; `type` is bind, image, tmpfs or volume; `driver` is the volume's.
    public record MountPoint(String type, String name, String source, String target, String driver, String mode,
            boolean writable, String propagation) {}

    /// Bytes its own layer holds, and those of the whole root.
    public record Size(long writableBytes, long rootBytes) {}

    public ContainerDetails {
        mounts = List.copyOf(mounts);
        execIds = List.copyOf(execIds);
        layers = Map.copyOf(layers);
    }
}
