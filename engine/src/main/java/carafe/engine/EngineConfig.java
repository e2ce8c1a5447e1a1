package carafe.engine;

import java.nio.file.Path;

/// Where an engine keeps its things: `dataRoot` outlives the host's reboot, `runRoot` (a short path on a tmpfs) does
/// not.
public record EngineConfig(Path dataRoot, Path runRoot) {
    public EngineConfig {
        if (!dataRoot.isAbsolute() || !runRoot.isAbsolute()) {
            throw new IllegalArgumentException("roots must be absolute: " + dataRoot + ", " + runRoot);
        }
    }
}
