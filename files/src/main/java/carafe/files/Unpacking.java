package carafe.files;

import carafe.spec.oci.IdMaps;
import java.util.Optional;

/// How an archive is unpacked: whether directories and other things may not replace each other, and to whom all
/// unpacked files are given instead of the archive's owners. All these are the container's; `ids` says which the host has
/// for them where the files are written.
public record Unpacking(boolean keepKinds, Optional<Owner> owner, IdMaps ids) {

    /// Where the host's ids are the container's.
    public Unpacking(boolean keepKinds, Optional<Owner> owner) {
        this(keepKinds, owner, IdMaps.NONE);
    }

    Unpacking in(IdMaps other) {
        return new Unpacking(keepKinds, owner, other);
    }

    /// As the archive says.
    public static final Unpacking PLAIN = new Unpacking(false, Optional.empty());

    /// A user and a group by number.
    public record Owner(int uid, int gid) {}
}
