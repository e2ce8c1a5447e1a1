package carafe.engine;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// One step that made an image, newest first; `id` is `<missing>` for all but the newest.
public record ImageHistory(
        String id, Optional<Instant> created, String createdBy, List<String> tags, long sizeBytes, String comment) {
    public ImageHistory {
        tags = List.copyOf(tags);
    }
}
