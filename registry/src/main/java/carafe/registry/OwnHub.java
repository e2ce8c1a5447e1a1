package carafe.registry;

import carafe.spec.oci.Reference;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// The hub of this host, which is asked before mirrors and registries, through its socket.
///
/// @param socket   where it listens; no redirect leads there
/// @param prefixes below which path it keeps a registry's repositories; of a registry that is not in it, below the
///                 registry's name, in which `_` stands for the colon before a port
public record OwnHub(Path socket, Map<String, String> prefixes) {

    /// Copies the prefixes.
    public OwnHub {
        prefixes = Map.copyOf(prefixes);
    }

    /// What the hub puts in front of the paths of the registry `domain`, with a slash at its end; empty when it can have
    /// none of them, as of `[::1]:5000`.
    Optional<String> prefix(String domain) {
        String prefix = prefixes.getOrDefault(domain, domain.replace(':', '_'));
        return Reference.isPath(prefix) ? Optional.of(prefix + "/") : Optional.empty();
    }
}
