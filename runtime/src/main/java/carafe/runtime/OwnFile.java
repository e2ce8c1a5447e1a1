package carafe.runtime;

/// A file that the engine made for one container and its root, bound into it with `idmap` and the option [#OPTION]. Where
/// its filesystem cannot show other owners (tmpfs before Linux 6.3, as /run is), it is given to that root on the disk.
public final class OwnFile {

    /// Says of a bind mount that its source is such a file.
    public static final String OPTION = "X-carafe.own";

    private OwnFile() {}
}
