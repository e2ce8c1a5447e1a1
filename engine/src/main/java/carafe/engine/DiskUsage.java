package carafe.engine;

import carafe.spec.oci.Digest;
import java.util.List;
import java.util.Map;

/// What takes space: the layers of images and containers together, each once, without those that only builds keep; the
/// images, with the bytes of each that other images share; the containers, with what each has written.
public record DiskUsage(long layersBytes, List<ImageSummary> images, Map<Digest, Long> sharedBytes,
        List<ContainerSummary> containers) {
    public DiskUsage {
        images = List.copyOf(images);
        sharedBytes = Map.copyOf(sharedBytes);
        containers = List.copyOf(containers);
    }
}
