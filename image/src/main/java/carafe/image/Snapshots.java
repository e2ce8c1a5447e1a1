package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.RootfsPlan;
import java.util.Set;

/// The writable directories of containers, each on top of an image's layers. Nothing is mounted here: [#prepare] makes
/// the directories and says which to join. A snapshot keeps the layers below it, even when their image is removed.
public final class Snapshots {

    Snapshots() {}

    /// Makes the directories of `containerId` on top of `image`, or finds them made before: a repeated call changes
    /// nothing, so the engine may call it again before every start. Costs a few system calls, no fsync.
    public RootfsPlan.Overlay prepare(String containerId, Image image) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// Removes the directories of `containerId`: out of sight at once, freed in the background. Nothing there is fine.
    public void remove(String containerId) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The bytes of what `containerId` has written; reads the whole upper directory.
    public long writableBytes(String containerId) throws EngineException {
        throw new UnsupportedOperationException();
    }

    /// The containers that have directories; for the engine's reconciler.
    public Set<String> list() throws EngineException {
        throw new UnsupportedOperationException();
    }
}
