package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Where a container's root comes from. The image room writes it, the runtime mounts it; nothing is mounted before
/// a container starts, and nothing stays mounted after it ended.
public sealed interface RootfsPlan {

    /// An overlay: `lowers` read-only with the topmost first, `upper` for what the container writes, `work` the
    /// overlay's own scratch directory on the same filesystem as `upper`. `discardable`: what is written goes with the
    /// container, so nothing need survive a power cut, and a sync inside costs nothing.
    record Overlay(List<Path> lowers, Path upper, Path work, boolean discardable) implements RootfsPlan {
        public Overlay {
            lowers = List.copyOf(lowers);
            if (lowers.isEmpty()) {
                throw new IllegalArgumentException("an overlay needs at least one lower directory");
            }
        }

        public Overlay(List<Path> lowers, Path upper, Path work) {
            this(lowers, upper, work, false);
        }

        /// This plan, discardable or not.
        public Overlay withDiscardable(boolean wanted) {
            return new Overlay(lowers, upper, work, wanted);
        }
    }

    /// A directory used as it is.
    record Directory(Path path) implements RootfsPlan {}

    /// Reads what [#toJson] wrote.
    static RootfsPlan fromJson(Json.Obj json) throws EngineException.Invalid {
        if (json.find("directory").isPresent()) {
            return new Directory(Path.of(json.text("directory")));
        }
        var lowers = new ArrayList<Path>();
        for (var lower : json.texts("lowers")) {
            lowers.add(Path.of(lower));
        }
        if (lowers.isEmpty()) {
            throw new EngineException.Invalid("a root filesystem names neither a directory nor layers");
        }
        return new Overlay(
                lowers, Path.of(json.text("upper")), Path.of(json.text("work")), json.truth("discardable"));
    }

    /// This plan as a document.
    default Json.Obj toJson() {
        return switch (this) {
            case Overlay(var lowers, var upper, var work, var discardable) -> Json.object()
                    .put("lowers", Json.ofTexts(lowers.stream().map(Path::toString).toList()))
                    .put("upper", upper.toString())
                    .put("work", work.toString())
                    .put("discardable", discardable)
                    .build();
            case Directory(var path) -> Json.object().put("directory", path.toString()).build();
        };
    }
}
