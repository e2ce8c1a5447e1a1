package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The manifests of artifacts, as far as lists and collections need them: without annotations, which may be megabytes.
/// Those looked at first are remembered within a budget, those beyond it read anew: nearly everybody goes through all of
/// them in one order, and whoever would make room for the next had none of them the next time. For several threads.
final class ArtifactManifests {

    /// Descriptors that are remembered, some hundred bytes each.
    static final int MOST_PARTS = 50_000;

    private static final int LONGEST_MOMENT = 64;

    private final ContentStore content;

    /// Guarded by this, as is `parts`.
    private final Map<Digest, Manifest> known = new HashMap<>();

    private int parts;

    ArtifactManifests(ContentStore content) {
        this.content = content;
    }

    /// The manifest `id`, without its annotations but the one that says when it was made.
    Manifest of(Digest id) throws EngineException {
        synchronized (this) {
            var here = known.get(id);
            if (here != null) {
                return here;
            }
        }
        var read = lean(whole(id));
        int weight = weight(read);
        synchronized (this) {
            if (parts + weight <= MOST_PARTS && known.putIfAbsent(id, read) == null) {
                parts += weight;
            }
        }
        return read;
    }

    /// The manifest `id` with all that it says.
    Manifest whole(Digest id) throws EngineException {
        try {
            return Manifest.parse(content.readAll(id, Manifest.MAX_BYTES));
        } catch (IOException e) {
            throw Failures.of("read artifact " + id, e);
        }
    }

    /// Forgets all but these.
    synchronized void keepOnly(Set<Digest> ids) {
        known.keySet().retainAll(ids);
        parts = known.values().stream().mapToInt(ArtifactManifests::weight).sum();
    }

    /// How many descriptors are remembered.
    synchronized int remembered() {
        return parts;
    }

    private static int weight(Manifest manifest) {
        return 2 + manifest.layers().size();
    }

    private static Manifest lean(Manifest whole) {
        var annotations = new HashMap<String, String>();
        Optional.ofNullable(whole.annotations().get(Artifact.CREATED)).filter(moment -> moment.length() <= LONGEST_MOMENT)
                .ifPresent(moment -> annotations.put(Artifact.CREATED, moment));
        return new Manifest(whole.mediaType(), lean(whole.config()),
                whole.layers().stream().map(ArtifactManifests::lean).toList(), annotations,
                whole.subject().map(ArtifactManifests::lean), whole.artifactType());
    }

    private static Descriptor lean(Descriptor part) {
        return Descriptor.of(part.mediaType(), part.digest(), part.size());
    }
}
