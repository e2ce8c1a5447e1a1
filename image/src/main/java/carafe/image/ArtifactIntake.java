package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An artifact on its way in: first its blobs, in any order and at once, then [#commit] names it. What came in is kept
/// from collections until this is closed. May be used by several threads.
public final class ArtifactIntake implements AutoCloseable {

    private static final int BUFFER = 256 << 10;

    /// Where the bytes of a blob come from, beginning at an offset; opened only when they are needed, read to their end
    /// and closed.
    @FunctionalInterface
    public interface Source {
        InputStream open(long from) throws IOException, EngineException;
    }

    private final Images images;
    private final ContentStore content;
    private final byte[] bytes;
    private final Manifest manifest;
    private final Descriptor descriptor;
    private final List<ContentStore.Pin> pins = new ArrayList<>();

    ArtifactIntake(Images images, ContentStore content, byte[] bytes) throws EngineException.Invalid {
        this.images = images;
        this.content = content;
        this.bytes = bytes.clone();
        this.manifest = Manifest.parse(bytes);
        String type = manifest.artifact().orElseThrow(
                () -> new EngineException.Invalid("the manifest is a container image's, not an artifact's"));
        var bare = Descriptor.of(manifest.mediaType(), bytes);
        this.descriptor = new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.empty(),
                bare.annotations(), Optional.of(type));
        pins.add(content.pin(bare.digest()));
        parts().forEach(part -> pins.add(content.pin(part.digest())));
    }

    /// The artifact's id.
    public Digest id() {
        return descriptor.digest();
    }

    /// The blobs it is made of, each once.
    public List<Descriptor> parts() {
        return Artifact.parts(manifest);
    }

    /// True when the blob is here; then it stays until this is closed.
    public boolean has(Descriptor part) throws EngineException {
        try {
            return content.size(part.digest()).filter(size -> size == part.size()).isPresent()
                    && content.touch(part.digest());
        } catch (IOException e) {
            throw Failures.of("look for blob " + part.digest(), e);
        }
    }

    /// Sees to it that the blob is here, whole and durable: goes on where an earlier intake was broken off.
    /// @throws EngineException.Invalid the bytes are not what `part` says
    public void blob(Descriptor part, Source source) throws EngineException {
        if (has(part)) {
            return;
        }
        try (var ingest = content.ingest(part.digest(), part.size())) {
            if (ingest.offset() < part.size()) {
                try (var in = source.open(ingest.offset())) {
                    byte[] buffer = new byte[BUFFER];
                    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                        ingest.write(buffer, 0, count);
                    }
                }
            }
            ingest.commit();
        } catch (IOException e) {
            throw Failures.of("fetch blob " + part.digest(), e);
        }
    }

    /// Makes the artifact visible under `names`, durably and at once; without a name it stays as long as its subject.
    public void commit(List<Reference> names) throws EngineException {
        for (var part : parts()) {
            if (!has(part)) {
                throw new EngineException.Invalid("blob " + part.digest() + " of the artifact is missing");
            }
        }
        try {
            content.put(bytes);
            images.update(index -> {
                var next = index.withImage(descriptor.digest(), descriptor);
                for (var name : names) {
                    next = next.withName(name, descriptor.digest());
                }
                return next;
            });
        } catch (IOException e) {
            throw Failures.of("store artifact " + descriptor.digest(), e);
        }
    }

    /// Stops keeping what came in.
    @Override
    public void close() {
        pins.forEach(ContentStore.Pin::close);
    }
}
