package carafe.engine.volume;

import carafe.engine.store.Change;
import carafe.spec.docker.MountRequest;
import java.util.List;

/// The volumes a container in the making has taken: its mounts with every volume named, the rows to be written together
/// with its own, and the names of those that were made for it.
public record Claim(List<MountRequest> mounts, List<Change> rows, List<String> made) {
    public Claim {
        mounts = List.copyOf(mounts);
        rows = List.copyOf(rows);
        made = List.copyOf(made);
    }
}
