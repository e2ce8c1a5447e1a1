package carafe.image;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// One line of `history`, newest first. `id` is the image's for the newest line and `<missing>` for all others;
/// `size` is the bytes of files which the step added.
public record HistoryEntry(String id, Optional<Instant> created, String createdBy, List<String> tags, long size,
        String comment) {

    public HistoryEntry {
        tags = List.copyOf(tags);
    }
}
