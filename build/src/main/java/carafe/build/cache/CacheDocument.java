package carafe.build.cache;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// What a cache says: for keys of steps the layers that they made, for ids of cache mounts the layer that holds their
/// files. It says nothing of what went into a key (arguments, files): a cache may travel further than these may.
public record CacheDocument(List<Step> steps, List<Mounted> mounts) {

    /// The field of an image's configuration that holds the document.
    public static final String FIELD = "dev.carafe.build.cache";

    private static final int VERSION = 1;
    private static final int MOST_ENTRIES = 10_000;
    private static final int LONGEST_ID = 4096;

    /// The result of a step; no layer when it changed no file.
    public record Step(Digest key, String kind, Optional<Digest> layer, Instant created) {}

    /// The files of a cache mount.
    public record Mounted(String id, Digest layer) {}

    public CacheDocument {
        steps = List.copyOf(steps);
        mounts = List.copyOf(mounts);
    }

    /// As a document.
    public Json.Obj toJson() {
        return Json.object().put("version", VERSION)
                .put("steps", Json.ofAll(steps.stream().map(step -> {
                    var json = Json.object().put("key", step.key.toString()).put("kind", step.kind)
                            .put("created", step.created.toString());
                    step.layer.ifPresent(layer -> json.put("layer", layer.toString()));
                    return json.build();
                }).toList()))
                .put("mounts", Json.ofAll(mounts.stream().map(mount -> Json.object().put("id", mount.id)
                        .put("layer", mount.layer.toString()).build()).toList()))
                .build();
    }

    /// The document that an image's configuration holds; empty when it holds none, or one of another version.
    /// @throws EngineException.Invalid it holds one that is no document, or that names layers the image does not have
    public static Optional<CacheDocument> of(byte[] configBytes) throws EngineException.Invalid {
        var json = Json.parseObject(configBytes).object(FIELD);
        if (json.number("version", 0) != VERSION) {
            return Optional.empty();
        }
        var own = new HashSet<>(ImageConfig.parse(configBytes).diffIds());
        var steps = new ArrayList<Step>();
        for (var step : bounded(json.objects("steps"))) {
            Optional<Digest> layer = step.find("layer").isEmpty() ? Optional.empty() : Optional.of(layer(step, own));
            steps.add(new Step(Digest.parse(step.text("key")), step.text("kind"), layer, time(step)));
        }
        var mounts = new ArrayList<Mounted>();
        for (var mount : bounded(json.objects("mounts"))) {
            String id = mount.text("id");
            if (id.isEmpty() || id.length() > LONGEST_ID) {
                throw new EngineException.Invalid("the cache has a mount whose id is empty or longer than " + LONGEST_ID
                        + " characters");
            }
            mounts.add(new Mounted(id, layer(mount, own)));
        }
        return Optional.of(new CacheDocument(steps, mounts));
    }

    private static List<Json.Obj> bounded(List<Json.Obj> entries) throws EngineException.Invalid {
        if (entries.size() > MOST_ENTRIES) {
            throw new EngineException.Invalid("the cache has more than " + MOST_ENTRIES + " entries");
        }
        return entries;
    }

    private static Digest layer(Json.Obj entry, HashSet<Digest> own) throws EngineException.Invalid {
        var layer = Digest.parse(entry.text("layer"));
        if (!own.contains(layer)) {
            throw new EngineException.Invalid("the cache names a layer that it does not have: " + layer);
        }
        return layer;
    }

    private static Instant time(Json.Obj step) throws EngineException.Invalid {
        try {
            return Instant.parse(step.text("created"));
        } catch (DateTimeException e) {
            throw new EngineException.Invalid("the cache has a step with an invalid time: " + step.text("created"));
        }
    }
}
