package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;

/// An artifact on its way out, to a registry or an archive: its manifest and its blobs byte for byte, which stay here until
/// this is closed.
public final class OutgoingArtifact implements AutoCloseable {

    private final Artifact artifact;
    private final ContentStore content;
    private final byte[] manifest;
    private final List<ContentStore.Pin> pins = new ArrayList<>();

    OutgoingArtifact(Artifact artifact, ContentStore content) throws IOException {
        this.artifact = artifact;
        this.content = content;
        boolean kept = false;
        try {
            keep(artifact.id());
            this.manifest = content.readAll(artifact.id(), Manifest.MAX_BYTES);
            for (var part : parts()) {
                keep(part.digest());
            }
            kept = true;
        } finally {
            if (!kept) {
                close();
            }
        }
    }

    private void keep(Digest blob) throws IOException {
        pins.add(content.pinIfHere(blob).orElseThrow(() -> new NoSuchFileException("blob " + blob)));
    }

    public Artifact artifact() {
        return artifact;
    }

    /// The exact bytes of the manifest, whose digest is the artifact's id.
    public byte[] manifest() {
        return manifest.clone();
    }

    /// The blobs it is made of, each once.
    public List<Descriptor> parts() {
        return Artifact.parts(artifact.manifest());
    }

    /// One of the blobs; to be closed.
    public InputStream open(Digest part) throws EngineException {
        try {
            return content.read(part);
        } catch (IOException e) {
            throw Failures.of("read blob " + part, e);
        }
    }

    /// Stops keeping the blobs.
    @Override
    public void close() {
        pins.forEach(ContentStore.Pin::close);
    }
}
