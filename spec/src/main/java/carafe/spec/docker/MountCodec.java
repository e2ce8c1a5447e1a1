package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.MountRequest.Below;
import carafe.spec.docker.MountRequest.Bind;
import carafe.spec.docker.MountRequest.Image;
import carafe.spec.docker.MountRequest.Tmpfs;
import carafe.spec.docker.MountRequest.Volume;
import carafe.spec.docker.MountRequest.VolumeWishes;
import java.util.Locale;

/// Mounts as the engine writes them down: its own form, not Docker's, for a resolved mount says more.
final class MountCodec {

    private MountCodec() {}

    static Json.Obj json(MountRequest mount) {
        return switch (mount) {
            case Bind bind -> Json.object()
                    .put("Type", "bind")
                    .put("Source", bind.source())
                    .put("Target", bind.target())
                    .put("ReadOnly", bind.readOnly())
                    .put("Propagation", bind.propagation())
                    .put("Create", bind.create())
                    .put("Below", bind.below().name().toLowerCase(Locale.ROOT))
                    .put("Mode", bind.mode())
                    .put("Own", bind.own())
                    .build();
            case Tmpfs tmpfs -> Json.object()
                    .put("Type", "tmpfs")
                    .put("Target", tmpfs.target())
                    .put("Options", Json.ofTexts(tmpfs.options()))
                    .put("Listed", tmpfs.listed())
                    .build();
            case Volume volume -> Json.object()
                    .put("Type", "volume")
                    .put("Name", volume.name())
                    .put("Target", volume.target())
                    .put("ReadOnly", volume.readOnly())
                    .put("Mode", volume.mode())
                    .put("Own", volume.own())
                    .put("Anonymous", volume.anonymous())
                    .put("Copy", volume.wishes().copy())
                    .put("Subpath", volume.wishes().subpath())
                    .build();
            case Image image -> Json.object()
                    .put("Type", "image")
                    .put("Reference", image.reference())
                    .put("Target", image.target())
                    .put("Subpath", image.subpath())
                    .build();
        };
    }

    static MountRequest read(Json.Obj json) throws EngineException.Invalid {
        String target = json.text("Target");
        return switch (json.text("Type")) {
            case "bind" -> new Bind(json.text("Source"), target, json.truth("ReadOnly"), json.text("Propagation"),
                    json.truth("Create"), below(json.text("Below")), json.text("Mode"), json.truth("Own"));
            case "tmpfs" -> new Tmpfs(target, json.texts("Options"), json.truth("Listed"));
            case "volume" -> new Volume(json.text("Name"), target, json.truth("ReadOnly"), json.text("Mode"),
                    json.truth("Own"), json.truth("Anonymous"),
                    new VolumeWishes(json.truth("Copy"), json.text("Subpath"), "", java.util.Map.of(),
                            java.util.Map.of()));
            case "image" -> new Image(json.text("Reference"), target, json.text("Subpath"));
            default -> throw new EngineException.Invalid("unknown kind of mount \"" + json.text("Type") + "\"");
        };
    }

    private static Below below(String word) throws EngineException.Invalid {
        for (var below : Below.values()) {
            if (below.name().toLowerCase(Locale.ROOT).equals(word)) {
                return below;
            }
        }
        throw new EngineException.Invalid("unknown word for the mounts below a bind: \"" + word + "\"");
    }
}
