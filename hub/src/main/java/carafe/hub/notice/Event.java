package carafe.hub.notice;

import carafe.spec.Json;
import carafe.spec.oci.Digest;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/// Something that happened to a manifest, and who did it.
public record Event(UUID id, Instant at, Action action, String repository, Optional<Digest> digest, Optional<String> tag,
        String mediaType, long size, String actor) {

    /// What happened.
    public enum Action { PUSH, PULL, DELETE }

    /// Now, with a fresh id.
    public static Event now(Action action, String repository, Target target, String actor) {
        return new Event(UUID.randomUUID(), Instant.now(), action, repository, target.digest(), target.tag(),
                target.mediaType(), target.size(), actor);
    }

    /// What it happened to.
    public record Target(Optional<Digest> digest, Optional<String> tag, String mediaType, long size) {}

    /// As Docker's registry puts it in its envelope.
    Json.Obj toJson() {
        var target = Json.object().put("mediaType", mediaType).put("size", size).put("length", size);
        digest.ifPresent(value -> target.put("digest", value.toString()));
        target.put("repository", repository);
        tag.ifPresent(value -> target.put("tag", value));
        return Json.object()
                .put("id", id.toString())
                .put("timestamp", at.toString())
                .put("action", action.name().toLowerCase(java.util.Locale.ROOT))
                .put("target", target.build())
                .put("actor", Json.object().put("name", actor).build())
                .build();
    }
}
