package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The index that holds a name's images of several platforms together: byte for byte as it is kept, and the same over
/// other manifests, since an image gets another one where its layers are compressed anew (ADR 12).
public final class SharedIndex {

    private final byte[] bytes;
    private final Index index;

    private SharedIndex(byte[] bytes, Index index) {
        this.bytes = bytes;
        this.index = index;
    }

    /// An image of the index, and the manifest that it has where the index goes to.
    public record Part(Image image, Descriptor manifest) {}

    /// Reads a kept index.
    static SharedIndex of(byte[] bytes) throws EngineException.Invalid {
        return new SharedIndex(bytes.clone(), Index.parse(bytes));
    }

    /// Whether it is whole with so many images: then what it lists is here.
    boolean isOnly(int images) {
        return index.manifests().size() == images;
    }

    /// Whether it has annotations, or an entry has.
    boolean isAnnotated() {
        return !index.annotations().isEmpty() || index.manifests().stream().anyMatch(entry -> !entry.annotations().isEmpty());
    }

    /// The same as a document of Docker's.
    byte[] dockersOver(List<Part> parts) throws EngineException.Invalid {
        var made = Index.parse(over(parts));
        return new Index(MediaTypes.DOCKER_INDEX, made.manifests(), made.annotations(), made.subject(), made.artifactType())
                .toJson().printBytes();
    }

    /// The index over these manifests, entries in their order: the kept bytes where nothing differs. What it lists and
    /// is not among `parts` is left out.
    public byte[] over(List<Part> parts) {
        var left = new ArrayList<>(parts);
        var entries = new ArrayList<Descriptor>();
        for (var entry : index.manifests()) {
            claimed(entry, left).ifPresent(part -> {
                left.remove(part);
                entries.add(of(part, entry));
            });
        }
        left.forEach(part -> entries.add(of(part, Descriptor.of(part.manifest.mediaType(), part.manifest.digest(),
                part.manifest.size()))));
        if (entries.equals(index.manifests())) {
            return bytes.clone();
        }
        boolean docker = entries.stream().allMatch(entry -> entry.mediaType().equals(MediaTypes.DOCKER_MANIFEST));
        return new Index(docker ? index.mediaType() : MediaTypes.OCI_INDEX, entries, index.annotations(), index.subject(),
                index.artifactType()).toJson().printBytes();
    }

    /// The part that an entry lists: the one with its manifest, else the one for its platform whose manifest is another now.
    private Optional<Part> claimed(Descriptor entry, List<Part> parts) {
        var same = parts.stream().filter(part -> part.image.manifestDigest().equals(entry.digest())
                || part.manifest.digest().equals(entry.digest())).findFirst();
        return same.or(() -> entry.platform().flatMap(platform -> parts.stream()
                .filter(part -> part.image.config().platform().toString().equals(platform.toString()) && !isListed(part))
                .findFirst()));
    }

    private boolean isListed(Part part) {
        return index.manifests().stream().map(Descriptor::digest)
                .anyMatch(digest -> digest.equals(part.image.manifestDigest()) || digest.equals(part.manifest.digest()));
    }

    private static Descriptor of(Part part, Descriptor entry) {
        var now = part.manifest;
        return new Descriptor(now.mediaType(), now.digest(), now.size(),
                Optional.of(entry.platform().orElse(part.image.config().platform())), entry.annotations(),
                entry.artifactType());
    }
}
