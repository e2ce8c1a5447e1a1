package carafe.build.tree;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/// A tree of files to read from. Paths have no slash in front; `""` is the root.
public interface FileSource extends AutoCloseable {

    /// What `path` leads to once every link on the way and at the end is followed inside the tree; its `path` is where
    /// that is. Empty when it leads nowhere.
    Optional<Node> follow(String path) throws IOException;

    /// The file at `path` itself; links are followed in its parents only. Its `path` is where it really is.
    Optional<Node> find(String path) throws IOException;

    /// What the directory holds, by name. `directory` is a path as [Node#path] gives it.
    List<Node> list(String directory) throws IOException;

    /// The content of a regular file that this tree gave; to be closed.
    InputStream open(Node file) throws IOException;

    /// The digest of a regular file's content.
    Digest content(Node file) throws IOException;

    @Override
    void close() throws IOException;
}
