package carafe.files;

import java.util.Optional;

/// How an archive is unpacked: whether directories and other things may not replace each other, and to whom all
/// unpacked files are given instead of the archive's owners.
public record Unpacking(boolean keepKinds, Optional<Owner> owner) {

    /// As the archive says.
    public static final Unpacking PLAIN = new Unpacking(false, Optional.empty());

    /// A user and a group by number.
    public record Owner(int uid, int gid) {}
}
