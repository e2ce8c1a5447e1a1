package carafe.files;

import carafe.kernel.FileTree;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// A directory of the host that somebody names and that may be missing: the source of a bind.
public final class HostDirectory {

    private HostDirectory() {}

    /// Makes `path`, which is absolute, and what is missing above it, with mode 0755 and given to `uid`:`gid`. The nearest that
    /// is there is opened once, and what is made below it is made and given by descriptors: whoever may write there, and puts a
    /// link into the place of what was just made, leads nothing out of it (R1, R2).
    /// @throws IOException something in the way is no directory, or a link that leads nowhere
    public static void make(Path path, int uid, int gid) throws IOException {
        Path there = path;
        Path missing = path;
        while (!Files.exists(there)) {
            missing = there;
            there = Objects.requireNonNull(there.getParent(), "the root is always there");
        }
        if (!missing.equals(there) && Files.isSymbolicLink(missing)) {
            throw new FileSystemException(missing.toString(), null, missing + " is a link that leads nowhere");
        }
        try (var tree = FileTree.open(there)) {
            tree.mkdirs("/" + there.relativize(path), 0755, uid, gid).close();
        }
    }
}
