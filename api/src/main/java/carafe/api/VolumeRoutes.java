package carafe.api;

import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.engine.volume.VolumeUsage;
import carafe.engine.volume.Volumes;
import carafe.spec.EngineException.Unavailable;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// Volumes: Docker's endpoints, and under `/carafe/v1` what Docker has no words for.
final class VolumeRoutes {

    private final Volumes volumes;

    VolumeRoutes(Volumes volumes) {
        this.volumes = volumes;
    }

    void addTo(Routes routes) {
        routes.add("GET /volumes", this::list);
        routes.add("POST /volumes/create", this::create);
        routes.add("POST /volumes/prune", this::prune);
        routes.add("GET /volumes/{name}", call -> call.answer(json(volumes.inspect(call.name("name")))));
        routes.add("PUT /volumes/{name}", call -> {
            throw new Unavailable("volume update only valid for cluster volumes, but swarm is unavailable");
        });
        routes.add("DELETE /volumes/{name}", this::remove);
        routes.add("GET /carafe/v1/volumes/{name}/archive", this::pack);
        routes.add("POST /carafe/v1/volumes/{name}/archive", this::unpack);
        routes.add("POST /carafe/v1/volumes/{name}/rename", this::rename);
        routes.add("POST /carafe/v1/volumes/{name}/clone", this::duplicate);
    }

    private void list(Call call) throws Exception {
        call.answer(Json.object()
                .put("Volumes", Json.ofAll(volumes.list(call.filters()).stream().map(VolumeRoutes::json).toList()))
                .put("Warnings", Json.NULL)
                .build());
    }

    private void create(Call call) throws Exception {
        var body = call.body();
        if (!body.object("ClusterVolumeSpec").fields().isEmpty()) {
            throw new Unavailable(SystemRoutes.NO_SWARM);
        }
        var made = volumes.create(new VolumeRequest(
                body.text("Name"), body.text("Driver"), body.textMap("DriverOpts"), body.textMap("Labels")));
        call.answer(201, json(made));
    }

    private void remove(Call call) throws Exception {
        volumes.remove(call.name("name"), call.flag("force"));
        call.answerNothing(204);
    }

    /// Before API 1.42 a prune took named volumes too.
    private void prune(Call call) throws Exception {
        var filters = call.filters();
        if (call.version().before(42) && filters.of("all").isEmpty()) {
            Map<String, Set<String>> values = new HashMap<>(filters.values());
            values.put("all", Set.of("true"));
            filters = new Filters(values);
        }
        var removed = volumes.prune(filters);
        call.answer(Json.object()
                .put("VolumesDeleted", removed.names().isEmpty() ? Json.NULL : Json.ofTexts(removed.names()))
                .put("SpaceReclaimed", removed.reclaimedBytes())
                .build());
    }

    private void pack(Call call) throws Exception {
        volumes.inspect(call.name("name"));
        var out = call.exchange().respondStreaming(200, call.with("Content-Type", "application/x-tar"));
        volumes.pack(call.name("name"), out);
        out.close(); // only when it is whole: a torn body tells of a failure
    }

    private void unpack(Call call) throws Exception {
        String options = call.text("options");
        var given = options.isEmpty()
                ? Map.<String, String>of()
                : Json.object().put("options", Json.parseObject(options.getBytes(StandardCharsets.UTF_8)))
                        .build().textMap("options");
        call.answer(201, json(volumes.unpack(call.name("name"), given, call.sentTar())));
    }

    private void rename(Call call) throws Exception {
        volumes.rename(call.name("name"), call.text("name"));
        call.answerNothing(204);
    }

    private void duplicate(Call call) throws Exception {
        call.answer(201, json(volumes.duplicate(call.name("name"), call.text("name"))));
    }

    static Json json(Volume volume) {
        return common(volume).build();
    }

    /// With `UsageData`, as `system df` tells it.
    static Json json(VolumeUsage usage) {
        return common(usage.volume())
                .put("UsageData", Json.object()
                        .put("RefCount", usage.containers())
                        .put("Size", usage.sizeBytes())
                        .build())
                .build();
    }

    private static Json.Builder common(Volume volume) {
        return Json.object()
                .put("CreatedAt", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
                        volume.created().truncatedTo(ChronoUnit.SECONDS).atOffset(ZoneOffset.UTC)))
                .put("Driver", Volume.DRIVER)
                .put("Labels", volume.labels().isEmpty() ? Json.NULL : Json.ofMap(volume.labels()))
                .put("Mountpoint", volume.mountpoint().toString())
                .put("Name", volume.name())
                .put("Options", volume.options().isEmpty() ? Json.NULL : Json.ofMap(volume.options()))
                .put("Scope", "local");
    }
}
