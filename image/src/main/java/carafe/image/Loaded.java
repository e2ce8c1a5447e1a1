package carafe.image;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// One image, or one of its names, that came out of an archive; without a name when the archive gave it none.
public record Loaded(Optional<Reference> name, Digest id) {

    /// The names that images had in `before` and that were taken from them for these, with the image people saw there.
    static List<Loaded> lost(List<IncomingImage> images, ImageIndex before, ImageIndex after) {
        var names = new LinkedHashSet<Reference>();
        images.forEach(image -> names.addAll(image.names()));
        var lost = new ArrayList<Loaded>();
        for (var name : names) {
            before.named(name).filter(old -> !after.meaning(name).contains(old))
                    .ifPresent(old -> lost.add(new Loaded(Optional.of(name), old)));
        }
        return lost;
    }
}
