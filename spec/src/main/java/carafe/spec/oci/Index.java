package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A list of manifests or further indexes: one per platform, or the table of contents of an OCI layout.
/// A document that could also be read as a manifest is refused.
/// Source: OCI image-spec image-index.md, image-layout.md; CVE-2021-41190.
public record Index(String mediaType, List<Descriptor> manifests, Map<String, String> annotations,
        Optional<Descriptor> subject, Optional<String> artifactType) {

    /// The most entries an index may have.
    public static final int MAX_MANIFESTS = 10_000;

    public Index {
        manifests = List.copyOf(manifests);
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    }

    /// An index of OCI's form that says only what every index must.
    public static Index of(List<Descriptor> manifests) {
        return new Index(MediaTypes.OCI_INDEX, manifests, Map.of(), Optional.empty(), Optional.empty());
    }

    /// Reads the index in `bytes`.
    public static Index parse(byte[] bytes) throws EngineException.Invalid {
        if (bytes.length > Manifest.MAX_BYTES) {
            throw new EngineException.Invalid("index is larger than " + Manifest.MAX_BYTES + " bytes");
        }
        var json = Json.parseObject(bytes);
        Manifest.checkVersion(json);
        String mediaType = json.text("mediaType");
        if (mediaType.isEmpty()) {
            mediaType = MediaTypes.OCI_INDEX;
        }
        if (!MediaTypes.isIndex(mediaType)) {
            throw new EngineException.Invalid("not an image index but \"" + mediaType + "\"");
        }
        if (json.find("config").isPresent() || json.find("layers").isPresent() || json.find("fsLayers").isPresent()) {
            throw new EngineException.Invalid("ambiguous document: an index with fields of a manifest");
        }
        var elements = json.objects("manifests");
        if (elements.size() > MAX_MANIFESTS) {
            throw new EngineException.Invalid("index has more than " + MAX_MANIFESTS + " entries");
        }
        var manifests = new ArrayList<Descriptor>();
        for (var element : elements) {
            manifests.add(Descriptor.fromJson(element));
        }
        return new Index(mediaType, manifests, Descriptor.readAnnotations(json), Manifest.readSubject(json),
                Manifest.readArtifactType(json));
    }

    /// This index as a document.
    public Json.Obj toJson() {
        var builder = Json.object().put("schemaVersion", 2).put("mediaType", mediaType);
        artifactType.ifPresent(type -> builder.put("artifactType", type));
        builder.put("manifests", Json.ofAll(manifests.stream().map(Descriptor::toJson).toList()));
        subject.ifPresent(value -> builder.put("subject", value.toJson()));
        if (!annotations.isEmpty()) {
            builder.put("annotations", Json.ofMap(annotations));
        }
        return builder.build();
    }
}
