package carafe.runtime;

import carafe.spec.oci.IdMaps;
import java.util.List;

/// A file that the engine made for one container, bound into it with its owner mapped. Where its filesystem cannot show
/// another owner than it has (tmpfs before Linux 6.3, as /run is), it is given to that owner on the disk.
public final class OwnFile {

    /// Says of a bind mount that its source is such a file, with the owner's ids on the host.
    static final String OPTION = "X-carafe.own";

    private OwnFile() {}

    /// The options of its bind mount for a container with users of its own, whose `uid`:`gid` owns it.
    public static List<String> options(IdMaps ids, long uid, long gid) {
        return List.of("idmap", OPTION + "=" + ids.hostUid(uid) + ":" + ids.hostGid(gid));
    }
}
