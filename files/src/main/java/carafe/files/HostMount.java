package carafe.files;

import carafe.kernel.MountEntry;
import carafe.kernel.Mounts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// A mount of the host: the directory it is on, whether what is mounted below it appears in its copies and the other way
/// round (`shared`), and whether it follows another one (`slave`). Source: mount_namespaces(7).
public record HostMount(String target, boolean shared, boolean slave) {

    /// The one that shows `path`, which is resolved and absolute. Reads the host's list of mounts.
    public static HostMount over(Path path) throws IOException {
        Optional<MountEntry> over = Optional.empty();
        for (var entry : Mounts.list()) { // later ones hide earlier ones at the same place
            boolean closer = over.isEmpty() || entry.target().length() >= over.get().target().length();
            if (closer && path.startsWith(Path.of(entry.target()))) {
                over = Optional.of(entry);
            }
        }
        String fields = over.map(MountEntry::optionalFields).orElse("");
        return new HostMount(over.map(MountEntry::target).orElse("/"), fields.contains("shared:"), fields.contains("master:"));
    }
}
