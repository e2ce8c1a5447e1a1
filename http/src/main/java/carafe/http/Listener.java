package carafe.http;

import java.nio.file.Path;
import java.util.Optional;

/// One place for a server to listen at. `mode` and `group` (a name or a number) are the socket file's, for unix
/// sockets.
public record Listener(Address address, int mode, Optional<String> group) {

    private static final int OWNER_AND_GROUP = 0660;

    /// Checks that `mode` is nothing but permission bits.
    public Listener {
        if ((mode & ~0777) != 0) {
            throw new IllegalArgumentException("not a file mode: " + Integer.toOctalString(mode));
        }
    }

    /// At `address`; a unix socket gets mode 0660 and keeps the process's group.
    public static Listener at(Address address) {
        return new Listener(address, OWNER_AND_GROUP, Optional.empty());
    }

    /// At the unix socket `path` with that mode and group.
    public static Listener unix(Path path, int mode, Optional<String> group) {
        return new Listener(new Address.Unix(path), mode, group);
    }
}
