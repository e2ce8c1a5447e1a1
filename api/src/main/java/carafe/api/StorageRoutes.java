package carafe.api;

import carafe.engine.Engine;
import carafe.engine.ListQuery;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What takes space, and whether what is stored is whole. `POST /system/check` is ours, not Docker's: it answers what
/// was read and what is damaged, and what on the host is not as the engine needs it (`Host`); with `repair` it repairs, from
/// an image archive too if that is the body; with `take-volumes` it takes the directory of volumes that is there.
final class StorageRoutes {

    private final Engine engine;
    private final AlsoChecked also;

    StorageRoutes(Engine engine, AlsoChecked also) {
        this.engine = engine;
        this.also = also;
    }

    void addTo(Routes routes) {
        routes.add("GET /system/df", this::usage);
        routes.add("POST /system/check", this::check);
    }

    private void usage(Call call) throws Exception {
        List<String> types = call.query().all("type");
        boolean all = types.isEmpty();
        var json = Json.object();
        boolean wantsContainers = all || types.contains("container");
        var usage = engine.images().usage(wantsContainers
                ? engine.containers().list(new ListQuery(true, 0, true, Filters.parse(""))) : List.of());
        if (all || types.contains("image")) {
            json.put("LayersSize", usage.layersBytes());
            json.put("Images", Json.ofAll(usage.images().stream()
                    .map(image -> ImageRoutes.summary(image, usage.sharedBytes().getOrDefault(image.id(), 0L), call.version()))
                    .toList()));
        }
        if (wantsContainers) {
            json.put("Containers", Json.ofAll(usage.containers().stream().map(ContainerMessages::summary).toList()));
        }
        if (all || types.contains("volume")) {
            json.put("Volumes", Json.ofAll(engine.volumes().usage().stream().map(VolumeRoutes::json).toList()));
        }
        if (all || types.contains("build-cache")) {
            json.put("BuildCache", BuildRoutes.records(engine.builds().cache()));
        }
        call.answer(json.put("BuilderSize", 0).build());
    }

    private void check(Call call) throws Exception {
        var body = new PushbackInputStream(call.exchange().body(), 1);
        boolean document = call.exchange().headers().first("Content-Type").orElse("").startsWith("application/json");
        int first = call.flag("repair") && !document ? body.read() : -1;
        Optional<InputStream> archive = Optional.empty();
        if (first >= 0) {
            body.unread(first);
            archive = Optional.of(body);
        }
        var faults = engine.host().check(call.flag("repair"), call.flag("take-volumes"));
        var result = engine.images().check(call.flag("repair"), archive, TransferRoutes.auth(call));
        var more = also.check(call.flag("repair"));
        var problems = Stream.concat(result.problems().stream(), more.problems().stream());
        call.answer(Json.object().put("Blobs", result.blobs() + more.blobs()).put("Layers", result.layers() + more.layers())
                .put("Bytes", result.bytes() + more.bytes())
                .put("Problems", Json.ofAll(problems.map(problem -> Json.object()
                        .put("Kind", problem.kind()).put("Digest", problem.digest()).put("Fault", problem.fault())
                        .put("Images", Json.ofTexts(problem.images())).put("Repaired", problem.repaired()).build())
                        .toList()))
                .put("Host", Json.ofAll(faults.stream().map(fault -> Json.object()
                        .put("Kind", fault.kind()).put("Name", fault.name()).put("Fault", fault.fault())
                        .put("Repaired", fault.repaired()).build()).toList()))
                .build());
    }
}
