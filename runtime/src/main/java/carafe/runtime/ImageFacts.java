package carafe.runtime;

import carafe.spec.oci.ProcessSpec.User;
import java.util.Map;
import java.util.Set;

/// What a plan must know of the image and of the bind sources; found while preparing. `files` are destinations whose
/// bind source is a file; `destinations` has those that links in the image lead elsewhere, `modes` those
/// where a tmpfs without a mode of its own covers a directory, with that directory's mode. `user` is who the process
/// runs as, `home` where that user lives.
record ImageFacts(User user, String home, Set<String> files, Map<String, String> destinations,
        Map<String, Integer> modes) {
    ImageFacts {
        files = Set.copyOf(files);
        destinations = Map.copyOf(destinations);
        modes = Map.copyOf(modes);
    }

    /// Before anything was looked at: numbers as configured, every source a directory, no links.
    static ImageFacts unknown(User user) {
        return new ImageFacts(user, "/", Set.of(), Map.of(), Map.of());
    }
}
