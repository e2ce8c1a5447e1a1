package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/// What is kept like an image and is none: a chart, a signature, a list of what an image is made of. Its id is its
/// manifest's digest, for many artifacts have the same, empty configuration. `manifest` is without annotations, but when
/// it was made. `tags` are references with a tag, `digests` references with a digest; both sorted.
public record Artifact(Descriptor descriptor, Manifest manifest, List<Reference> tags, List<Reference> digests) {

    static final String CREATED = "org.opencontainers.image.created";

    public Artifact {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
    }

    /// The digest of its manifest.
    public Digest id() {
        return descriptor.digest();
    }

    /// What kind it is, in the words of its maker.
    public String type() {
        return manifest.artifact().orElse("");
    }

    /// When it was made, if its manifest says so.
    public Optional<Instant> created() {
        try {
            return Optional.of(OffsetDateTime.parse(manifest.annotations().getOrDefault(CREATED, "")).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /// The bytes of all its blobs and of its manifest.
    public long size() {
        return parts(manifest).stream().mapToLong(Descriptor::size).sum() + descriptor.size();
    }

    /// The blobs that a manifest names, each once: the configuration first.
    static List<Descriptor> parts(Manifest manifest) {
        var parts = new LinkedHashMap<Digest, Descriptor>();
        parts.put(manifest.config().digest(), manifest.config());
        manifest.layers().forEach(layer -> parts.putIfAbsent(layer.digest(), layer));
        return new ArrayList<>(parts.values());
    }

    /// Says that `name` is no image.
    static EngineException.Unsupported noImage(String name, String type) {
        return new EngineException.Unsupported(name + " is no container image but an artifact of type \"" + type
                + "\": it can be pulled, saved and pushed, but it holds no files for a container");
    }
}
