package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One line of `history`, newest first. `id` is the image's for the newest line and `<missing>` for all others;
/// `size` is the bytes of files which the step added.
public record HistoryEntry(String id, Optional<Instant> created, String createdBy, List<String> tags, long size,
        String comment) {

    public HistoryEntry {
        tags = List.copyOf(tags);
    }

    /// The steps of an image.
    static List<HistoryEntry> of(Image image, LayerStore layers) throws IOException, EngineException {
        var entries = new ArrayList<HistoryEntry>();
        int layer = 0;
        for (var step : image.config().history()) {
            long size = 0;
            if (!step.emptyLayer()) {
                if (layer == image.config().diffIds().size()) {
                    throw new EngineException.Invalid("too many non-empty layers in History section");
                }
                size = layers.sizes(image.config().diffIds().get(layer++)).fileBytes();
            }
            entries.addFirst(new HistoryEntry("<missing>", step.created(), step.createdBy(), List.of(), size,
                    step.comment()));
        }
        if (!entries.isEmpty()) {
            var newest = entries.removeFirst();
            var tags = image.tags().stream().map(Reference::familiar).toList();
            entries.addFirst(new HistoryEntry(image.id().toString(), newest.created(), newest.createdBy(), tags,
                    newest.size(), newest.comment()));
        }
        return entries;
    }
}
