package carafe.image;

import carafe.spec.build.BlobForm;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What somebody wants an archive of who knows what he made, whatever it is called here: images by their ids, the one
/// first that readers of one platform get; the index that lists them, where they are of several platforms; the names that
/// the archive gives to the index or, without one, to the image; what its entry is annotated with; and what the images'
/// manifests are, where he says it: somebody else may have built the same with others since; the form of the layers.
public record MadeArchive(List<Digest> ids, Optional<byte[]> index, List<Reference> names, Map<String, String> annotations,
        Map<Digest, Map<String, String>> ofManifests, BlobForm form) {

    public MadeArchive {
        ids = ids.stream().distinct().toList();
        names = List.copyOf(names);
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        ofManifests = Map.copyOf(ofManifests);
        if (ids.isEmpty() || index.isEmpty() && ids.size() > 1) {
            throw new IllegalArgumentException("several images, " + ids.size() + ", need an index, and one at least is needed");
        }
    }

    /// The image as he made it.
    Image own(Image image) {
        var said = ofManifests.get(image.id());
        return said == null ? image : image.annotated(said);
    }
}
