package carafe.engine.volume;

import java.util.List;

/// What a clean-up of volumes removed: names, and the bytes that came free.
public record Removed(List<String> names, long reclaimedBytes) {
    public Removed {
        names = List.copyOf(names);
    }
}
