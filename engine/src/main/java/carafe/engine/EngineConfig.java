package carafe.engine;

import carafe.engine.store.DataRootLock;
import java.nio.file.Path;

/// Where an engine keeps its things: below the data root, which outlives the host's reboot and which nobody touches
/// before the lock is taken, and below `runRoot` (a short path on a tmpfs), which does not. The engine does not close
/// the lock: it is taken before the images are opened, and given back after they are closed.
public record EngineConfig(DataRootLock lock, Path runRoot) {
    public EngineConfig {
        if (!lock.dataRoot().isAbsolute() || !runRoot.isAbsolute()) {
            throw new IllegalArgumentException("roots must be absolute: " + lock.dataRoot() + ", " + runRoot);
        }
    }

    /// The locked directory.
    Path dataRoot() {
        return lock.dataRoot();
    }
}
