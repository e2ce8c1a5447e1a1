package carafe.engine;

import carafe.spec.Json;
import java.util.List;

/// What `commit` asks for: an image of a container's files under `repository:tag` (no name if the repository is empty).
/// `config` has fields of a container's configuration that win over the container's own, `changes` are Dockerfile
/// instructions; `pause` freezes the container meanwhile.
public record CommitRequest(String container, String repository, String tag, String author, String comment,
        boolean pause, Json.Obj config, List<String> changes) {
    public CommitRequest {
        changes = List.copyOf(changes);
    }
}
