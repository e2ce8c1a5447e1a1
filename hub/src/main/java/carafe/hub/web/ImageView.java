package carafe.hub.web;

import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import carafe.spec.oci.ImageConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One image for one platform, as far as it can be read: an artifact or a damaged image has no `config`.
record ImageView(Digest digest, String mediaType, String artifactType, List<Descriptor> layers,
        Optional<ImageConfig> config, Map<String, String> annotations) {

    ImageView {
        layers = List.copyOf(layers);
        annotations = Map.copyOf(annotations);
    }

    long bytes() {
        return layers.stream().mapToLong(Descriptor::size).sum();
    }

    Map<String, String> labels() {
        return config.map(found -> found.run().labels()).orElse(Map.of());
    }

    String platform() {
        return config.map(found -> found.platform().toString()).orElse("");
    }

    List<History> history() {
        return config.map(ImageConfig::history).orElse(List.of());
    }

    Json.Obj toJson() {
        var builder = Json.object()
                .put("digest", digest.toString())
                .put("mediaType", mediaType)
                .put("artifactType", artifactType)
                .put("platform", platform())
                .put("bytes", bytes())
                .put("layers", Json.ofAll(layers.stream()
                        .map(layer -> Json.object()
                                .put("digest", layer.digest().toString())
                                .put("mediaType", layer.mediaType())
                                .put("size", layer.size())
                                .build())
                        .toList()))
                .put("annotations", Json.ofMap(annotations))
                .put("labels", Json.ofMap(labels()))
                .put("history", Json.ofAll(history().stream()
                        .map(step -> Json.object()
                                .put("created_by", step.createdBy())
                                .put("empty_layer", step.emptyLayer())
                                .build())
                        .toList()));
        config.flatMap(ImageConfig::created).ifPresent(time -> builder.put("created", time.toString()));
        return builder.build();
    }
}
