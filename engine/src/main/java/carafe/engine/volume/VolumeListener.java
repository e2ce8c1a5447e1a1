package carafe.engine.volume;

import java.util.Map;

/// Hears what happens to volumes. It must not block.
@FunctionalInterface
public interface VolumeListener {

    /// `action` is Docker's word: create, destroy, mount, unmount, prune.
    void happened(String action, String volume, Map<String, String> details);
}
