package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One image for one platform: its configuration and its layers, lowest first. OCI's form and Docker's schema 2.
/// A document that could also be read as an index is refused, so nobody can be shown two faces of one digest.
/// Source: OCI image-spec manifest.md; CVE-2021-41190.
public record Manifest(String mediaType, Descriptor config, List<Descriptor> layers, Map<String, String> annotations,
        Optional<Descriptor> subject, Optional<String> artifactType) {

    /// The longest manifest or index that is read, in bytes; what registries accept too.
    public static final int MAX_BYTES = 4 << 20;

    /// The most layers an image may have: what one overlay mount can stack.
    public static final int MAX_LAYERS = 500;

    public Manifest {
        layers = List.copyOf(layers);
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    }

    /// A manifest of OCI's form that says only what every manifest must.
    public static Manifest of(Descriptor config, List<Descriptor> layers) {
        return new Manifest(MediaTypes.OCI_MANIFEST, config, layers, Map.of(), Optional.empty(), Optional.empty());
    }

    /// Reads the manifest in `bytes`.
    public static Manifest parse(byte[] bytes) throws EngineException.Invalid {
        if (bytes.length > MAX_BYTES) {
            throw new EngineException.Invalid("manifest is larger than " + MAX_BYTES + " bytes");
        }
        var json = Json.parseObject(bytes);
        checkVersion(json);
        String mediaType = json.text("mediaType");
        if (mediaType.isEmpty()) {
            mediaType = MediaTypes.OCI_MANIFEST;
        }
        if (!MediaTypes.isManifest(mediaType)) {
            throw new EngineException.Invalid("not an image manifest but \"" + mediaType + "\"");
        }
        if (json.find("manifests").isPresent() || json.find("fsLayers").isPresent()) {
            throw new EngineException.Invalid("ambiguous document: a manifest with fields of another kind");
        }
        if (json.find("config").isEmpty()) {
            throw new EngineException.Invalid("manifest has no \"config\"");
        }
        var elements = json.objects("layers");
        if (elements.size() > MAX_LAYERS) {
            throw new EngineException.Invalid("manifest has " + elements.size() + " layers; at most " + MAX_LAYERS
                    + " can be stacked");
        }
        var layers = new ArrayList<Descriptor>();
        for (var element : elements) {
            layers.add(Descriptor.fromJson(element));
        }
        return new Manifest(mediaType, Descriptor.fromJson(json.object("config")), layers,
                Descriptor.readAnnotations(json), readSubject(json), readArtifactType(json));
    }

    /// What kind of artifact this describes, in the words of its maker; empty when it is a container image. A
    /// configuration that is none of an image makes an artifact, and so do layers of which none is a tar of files: a
    /// signature, say, that wears an image's configuration. Source: OCI image-spec manifest.md, "Guidelines for artifact
    /// usage".
    public Optional<String> artifact() {
        boolean files = layers.isEmpty() || layers.stream().anyMatch(layer -> MediaTypes.isLayer(layer.mediaType()));
        if (MediaTypes.isImageConfig(config.mediaType()) && files) {
            return Optional.empty();
        }
        return artifactType.or(() -> Optional.of(MediaTypes.isImageConfig(config.mediaType())
                ? layers.getFirst().mediaType() : config.mediaType()));
    }

    static void checkVersion(Json.Obj json) throws EngineException.Invalid {
        long version = json.number("schemaVersion", 0);
        if (version != 2) {
            throw new EngineException.Invalid("unsupported manifest schema version " + version);
        }
    }

    static Optional<Descriptor> readSubject(Json.Obj json) throws EngineException.Invalid {
        return json.find("subject").isEmpty()
                ? Optional.empty()
                : Optional.of(Descriptor.fromJson(json.object("subject")));
    }

    static Optional<String> readArtifactType(Json.Obj json) throws EngineException.Invalid {
        String type = json.text("artifactType");
        if (type.length() > Descriptor.LONGEST_TYPE) {
            throw new EngineException.Invalid("\"artifactType\" is longer than a media type may be");
        }
        return type.isEmpty() ? Optional.empty() : Optional.of(type);
    }

    /// This manifest as a document.
    public Json.Obj toJson() {
        var builder = Json.object().put("schemaVersion", 2).put("mediaType", mediaType);
        artifactType.ifPresent(type -> builder.put("artifactType", type));
        builder.put("config", config.toJson());
        builder.put("layers", Json.ofAll(layers.stream().map(Descriptor::toJson).toList()));
        subject.ifPresent(value -> builder.put("subject", value.toJson()));
        if (!annotations.isEmpty()) {
            builder.put("annotations", Json.ofMap(annotations));
        }
        return builder.build();
    }
}
