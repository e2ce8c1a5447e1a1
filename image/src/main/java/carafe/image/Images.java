package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The images of one state root: load, find, name, remove. The room's entry type.
///
/// Commit order of every change: layers and blobs are written, synced and renamed into place before `index.json` names
/// them, so whatever is named is whole after a crash; what is not named yet is swept, and a retry finds it done again.
public final class Images implements AutoCloseable {

    private Images() {}

    /// Opens the images under `stateRoot`, making the directories that are missing and sweeping what a crash left.
    public static Images open(Path stateRoot) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// Reads a docker-archive or an OCI layout (plain, gzip or zstd) to its end and adds its images. Layers are
    /// unpacked while they arrive. Everything or nothing becomes visible.
    /// @return one element per name, or per image without a name, in the archive's order
    public List<Loaded> load(InputStream archive, LoadProgress progress) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The image that people mean by `name`: a reference, an id or a unique prefix of one.
    /// @throws EngineException.NotFound `No such image: x:tag`
    public Image find(String name) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The image with this id.
    public Optional<Image> byId(Digest id) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// All images, newest first.
    public List<Image> list() throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// Gives the image that `source` means the further name `target` (tag `latest` when it has none), taking it from
    /// the image that had it.
    public Image tag(String source, Reference target) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// Removes the name `name` and, when it was the last, the image; or, by id, the image with all its names.
    /// Files are freed in the background.
    /// @throws EngineException.Conflict in Docker's words, when containers use it or several repositories name it
    public List<Removal> remove(String name, boolean force, ImageUsers users) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// How the image was made, newest step first.
    public List<HistoryEntry> history(String name) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The exact bytes of the image's configuration, for an inspect that shows fields we do not know.
    public byte[] configBytes(Digest id) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The writable directories of containers.
    public Snapshots snapshots() {
        throw new UnsupportedOperationException();
    }

    /// Bytes of all layers on disk, each counted once.
    public long layerBytes() throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// Waits for background deletion and closes what is open.
    @Override
    public void close() {}
}
