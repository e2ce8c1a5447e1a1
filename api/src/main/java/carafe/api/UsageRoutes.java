package carafe.api;

import carafe.engine.Engine;
import carafe.engine.ListQuery;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import java.time.Instant;

/// What the engine's objects take of the disk.
final class UsageRoutes {

    private final Engine engine;

    UsageRoutes(Engine engine) {
        this.engine = engine;
    }

    void addTo(Routes routes) {
        routes.add("GET /system/df", this::usage);
    }

    private void usage(Call call) throws Exception {
        var wanted = call.query().all("type");
        var json = Json.object();
        if (wanted.isEmpty() || wanted.contains("image")) {
            json.put("LayersSize", engine.images().layerBytes())
                    .put("Images", Json.ofAll(engine.images().list(Filters.NONE).stream()
                            .map(image -> Json.object()
                                    .put("Containers", image.containers())
                                    .put("Created", image.created().map(Instant::getEpochSecond).orElse(0L))
                                    .put("Id", image.id().toString())
                                    .put("Labels", image.labels().isEmpty() ? Json.NULL : Json.ofMap(image.labels()))
                                    .put("ParentId", "")
                                    .put("RepoDigests", Json.ofTexts(
                                            image.digests().stream().map(Object::toString).toList()))
                                    .put("RepoTags", Json.ofTexts(
                                            image.tags().stream().map(tag -> tag.familiar()).toList()))
                                    .put("SharedSize", -1)
                                    .put("Size", image.sizeBytes())
                                    .build())
                            .toList()));
        }
        if (wanted.isEmpty() || wanted.contains("container")) {
            var all = engine.containers().list(new ListQuery(true, 0, true, Filters.NONE));
            json.put("Containers", Json.ofAll(all.stream().map(ContainerMessages::summary).toList()));
        }
        if (wanted.isEmpty() || wanted.contains("volume")) {
            json.put("Volumes", Json.ofAll(engine.volumes().usage().stream().map(VolumeRoutes::json).toList()));
        }
        if (wanted.isEmpty() || wanted.contains("build-cache")) {
            json.put("BuildCache", Json.ofAll(java.util.List.of()));
        }
        call.answer(json.build());
    }
}
