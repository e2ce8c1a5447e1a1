package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.Optional;

/// How one step of an image's making was done; `emptyLayer` says it added no files. Empty texts mean "not said".
/// Source: OCI image-spec config.md "history".
public record History(Optional<Instant> created, String createdBy, String author, String comment, boolean emptyLayer) {

    static History fromJson(Json.Obj json) throws EngineException.Invalid {
        return new History(ImageConfig.readTime(json, "created"), json.text("created_by"), json.text("author"),
                json.text("comment"), json.truth("empty_layer"));
    }

    Json.Obj toJson() {
        var builder = Json.object();
        created.ifPresent(time -> builder.put("created", time.toString()));
        ImageConfig.putText(builder, "created_by", createdBy);
        ImageConfig.putText(builder, "author", author);
        ImageConfig.putText(builder, "comment", comment);
        if (emptyLayer) {
            builder.put("empty_layer", true);
        }
        return builder.build();
    }
}
