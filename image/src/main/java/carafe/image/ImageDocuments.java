package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The documents of images, read once. Any thread; what an index names may be gone when it is not the index any more, see
/// [Images#reading].
final class ImageDocuments {

    private final ContentStore content;
    private final LayerStore layers;
    /// By their manifests' digests.
    private final Map<Digest, Parsed> known = new ConcurrentHashMap<>();

    /// The parsed documents of one image.
    record Parsed(ImageConfig config, Manifest manifest) {}

    /// Adds which layers one manifest of an image claims its blobs to be.
    void claims(Digest id, Descriptor manifest, Map<Digest, Set<Digest>> layersByBlob) throws EngineException {
        var image = of(id, manifest);
        for (int i = 0; i < image.config.diffIds().size(); i++) {
            layersByBlob.computeIfAbsent(image.manifest.layers().get(i).digest(), _ -> new HashSet<>())
                    .add(image.config.diffIds().get(i));
        }
    }

    ImageDocuments(ContentStore content, LayerStore layers) {
        this.content = content;
        this.layers = layers;
    }

    /// The image as it is in `at`, with the manifest that it has under `name` if that is one of its.
    Image image(Digest id, Optional<Reference> name, ImageIndex at) throws EngineException {
        var manifest = at.manifest(id, name).orElseThrow(() -> new EngineException.NotFound("No such image: " + id));
        var found = of(id, manifest);
        var tags = new ArrayList<Reference>();
        var digests = new ArrayList<Reference>();
        at.namesOf(id).forEach(each -> (each.digest().isPresent() ? digests : tags).add(each));
        try {
            long size = 0;
            for (var diffId : found.config.diffIds()) {
                size += layers.sizes(diffId).fileBytes();
            }
            return new Image(id, found.config, manifest.digest(), found.manifest, tags, digests, size);
        } catch (IOException e) {
            throw Failures.of("read image " + id, e);
        }
    }

    /// The documents of an image with the manifest that it has for itself in `at`.
    Parsed of(Digest id, ImageIndex at) throws EngineException {
        return of(id, at.manifest(id, Optional.empty())
                .orElseThrow(() -> new EngineException.NotFound("No such image: " + id)));
    }

    /// The documents of an image with this manifest.
    Parsed of(Digest id, Descriptor manifest) throws EngineException {
        var here = known.get(manifest.digest());
        if (here != null) {
            return here;
        }
        try {
            var read = new Parsed(ImageConfig.parse(content.readAll(id, ImageConfig.MAX_BYTES)),
                    Manifest.parse(content.readAll(manifest.digest(), Manifest.MAX_BYTES)));
            known.put(manifest.digest(), read);
            return read;
        } catch (IOException e) {
            throw Failures.of("read image " + id, e);
        }
    }

    /// The exact bytes of an image's configuration.
    byte[] configBytes(Digest id, ImageIndex at) throws EngineException {
        if (!at.images().containsKey(id)) {
            throw new EngineException.NotFound("No such image: " + id);
        }
        try {
            return content.readAll(id, ImageConfig.MAX_BYTES);
        } catch (IOException e) {
            throw Failures.of("read image " + id, e);
        }
    }

    /// Forgets all but those with these manifests.
    void keepOnly(Set<Digest> manifests) {
        known.keySet().retainAll(manifests);
    }

    /// Whether the manifest that the image has for itself in `at` has the annotations of this one.
    boolean isAnnotatedAs(IncomingImage image, ImageIndex at) throws EngineException {
        return of(image.id(), at).manifest().annotations().equals(image.manifest().annotations());
    }

    /// `next` with an image whose documents are stored. One that is here already keeps its manifest unless that cannot be read
    /// from the disk any more; one that was built has one with its annotations, and names that it had before keep theirs.
    ImageIndex with(IncomingImage image, ImageIndex next) {
        var id = image.id();
        var lost = new HashSet<Digest>();
        for (var manifest : next.manifests(id)) {
            try {
                var read = Manifest.parse(content.readAll(manifest.digest(), Manifest.MAX_BYTES));
                if (!image.built() || read.annotations().equals(image.manifest().annotations())) {
                    return next.withManifest(id, manifest).withoutManifests(lost);
                }
            } catch (IOException | EngineException.Invalid e) {
                lost.add(manifest.digest());
            }
        }
        return next.withManifest(id, image.descriptor()).withoutManifests(lost);
    }
}
