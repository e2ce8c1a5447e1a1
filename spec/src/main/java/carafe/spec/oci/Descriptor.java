package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Says where a document points: the type, digest and exact size in bytes of other content.
/// Foreign URLs and embedded data are neither followed nor kept.
/// Source: OCI image-spec descriptor.md.
public record Descriptor(String mediaType, Digest digest, long size, Optional<Platform> platform,
        Map<String, String> annotations, Optional<String> artifactType) {

    /// The longest media type: two names of 127 characters. Source: RFC 6838 §4.2.
    static final int LONGEST_TYPE = 255;

    private static final int MAX_ANNOTATIONS = 1000;

    public Descriptor {
        if (size < 0) {
            throw new IllegalArgumentException("negative size: " + size);
        }
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    }

    /// A descriptor that says only what every descriptor must.
    public static Descriptor of(String mediaType, Digest digest, long size) {
        return new Descriptor(mediaType, digest, size, Optional.empty(), Map.of(), Optional.empty());
    }

    /// A descriptor of `bytes` by sha256.
    public static Descriptor of(String mediaType, byte[] bytes) {
        return of(mediaType, Digest.sha256(bytes), bytes.length);
    }

    /// The same target with other annotations.
    public Descriptor withAnnotations(Map<String, String> annotations) {
        return new Descriptor(mediaType, digest, size, platform, annotations, artifactType);
    }

    /// Reads a descriptor; type, digest and size must be there.
    public static Descriptor fromJson(Json.Obj json) throws EngineException.Invalid {
        String mediaType = json.text("mediaType");
        if (mediaType.isEmpty() || mediaType.length() > LONGEST_TYPE) {
            throw new EngineException.Invalid("a descriptor has no usable \"mediaType\"");
        }
        long size = json.number("size").orElseThrow(
                () -> new EngineException.Invalid("a descriptor has no \"size\""));
        if (size < 0) {
            throw new EngineException.Invalid("a descriptor has the negative size " + size);
        }
        var digest = Digest.parse(json.text("digest"));
        var platform = json.object("platform");
        var artifactType = Manifest.readArtifactType(json);
        return new Descriptor(mediaType, digest, size,
                platform.fields().isEmpty() ? Optional.empty() : Optional.of(Platform.fromJson(platform)),
                readAnnotations(json), artifactType);
    }

    static Map<String, String> readAnnotations(Json.Obj json) throws EngineException.Invalid {
        var annotations = json.textMap("annotations");
        if (annotations.size() > MAX_ANNOTATIONS) {
            throw new EngineException.Invalid("more than " + MAX_ANNOTATIONS + " annotations");
        }
        return annotations;
    }

    /// This descriptor as a document's field.
    public Json.Obj toJson() {
        var builder = Json.object().put("mediaType", mediaType).put("digest", digest.toString()).put("size", size);
        artifactType.ifPresent(type -> builder.put("artifactType", type));
        if (!annotations.isEmpty()) {
            builder.put("annotations", Json.ofMap(annotations));
        }
        platform.ifPresent(value -> builder.put("platform", value.toJson()));
        return builder.build();
    }
}
