package carafe.engine;

import carafe.engine.store.DataRootLock;
import carafe.spec.build.CacheRules;
import java.nio.file.Path;

/// Where an engine keeps its things: below the data root, which outlives the host's reboot and which nobody touches
/// before the lock is taken, and below `runRoot` (a short path on a tmpfs), which does not. The engine does not close
/// the lock: it is taken before the images are opened, and given back after they are closed. `init` is the program that
/// `--init` puts into a container; `users` are the ids that containers get, `names` how they find others, `networks` what
/// new networks are like, `cache` when what builds keep is collected.
public record EngineConfig(DataRootLock lock, Path runRoot, Path init, UserIds users, NameDefaults names,
        NetworkDefaults networks, CacheRules cache) {
    public EngineConfig {
        if (!lock.dataRoot().isAbsolute() || !runRoot.isAbsolute() || !init.isAbsolute()) {
            throw new IllegalArgumentException(
                    "paths must be absolute: " + lock.dataRoot() + ", " + runRoot + ", " + init);
        }
    }

    /// One whose containers have the host's ids unless they ask for others.
    public EngineConfig(DataRootLock lock, Path runRoot, Path init) {
        this(lock, runRoot, init, UserIds.USUAL, NameDefaults.NONE, NetworkDefaults.NONE, CacheRules.USUAL);
    }

    /// The locked directory.
    Path dataRoot() {
        return lock.dataRoot();
    }
}
