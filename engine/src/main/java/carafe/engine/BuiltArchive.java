package carafe.engine;

import carafe.spec.build.BlobForm;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An archive of what a build made, as its client asks for it: the ids of the images, that for this machine first; the
/// index over them if there are several; the names, and the annotations, that its entry in the archive's table gets; and
/// what the manifests of the images, by id, are annotated with, where the client says it; the form of the layers.
public record BuiltArchive(List<String> ids, Optional<byte[]> index, List<String> names, Map<String, String> annotations,
        Map<String, Map<String, String>> ofManifests, BlobForm form) {

    public BuiltArchive {
        ids = List.copyOf(ids);
        names = List.copyOf(names);
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        ofManifests = Map.copyOf(ofManifests);
    }
}
