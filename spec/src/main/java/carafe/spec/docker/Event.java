package carafe.spec.docker;

import carafe.spec.Json;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// Something that happened to a container, image, network, volume or the daemon, as `GET /events` tells it.
/// `attributes` describe the actor (image, name, labels…); `action` may carry detail behind a colon
/// (`exec_create: sh -c true`).
public record Event(Type type, String action, String actor, Map<String, String> attributes, Instant time) {

    /// The kinds of actors.
    public enum Type {
        CONTAINER("container"),
        IMAGE("image"),
        NETWORK("network"),
        VOLUME("volume"),
        DAEMON("daemon");

        private final String word;

        Type(String word) {
            this.word = word;
        }

        /// Docker's word for it.
        public String word() {
            return word;
        }
    }

    public Event {
        attributes = Collections.unmodifiableMap(new TreeMap<>(attributes));
    }

    /// As Docker prints it; `legacy` adds the fields `status`, `id` and `from` that clients below API 1.52 read.
    public Json.Obj json(boolean legacy) {
        var json = Json.object();
        if (legacy && type == Type.CONTAINER) {
            json.put("status", action).put("id", actor).put("from", attributes.getOrDefault("image", ""));
        } else if (legacy && type == Type.IMAGE) {
            json.put("status", action).put("id", actor);
        }
        return json.put("Type", type.word)
                .put("Action", action)
                .put("Actor", Json.object().put("ID", actor).put("Attributes", Json.ofMap(attributes)).build())
                .put("scope", "local")
                .put("time", time.getEpochSecond())
                .put("timeNano", time.getEpochSecond() * 1_000_000_000L + time.getNano())
                .build();
    }
}
