package carafe.build.tree;

import carafe.spec.EngineException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;

/// One member of a layer to be written: a file at its place, with where its content comes from. `hardLink` is the path
/// of an earlier member that it is another name of; a `device` has numbers.
public record LayerMember(Node node, Content content, Optional<String> hardLink, Optional<Device> device) {

    private static final String WHITEOUT = ".wh.";

    /// Refuses a file that as a member of a layer would delete another one.
    /// @throws EngineException.Invalid its name begins so
    public static void refuseWhiteout(String path) throws EngineException.Invalid {
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (name.startsWith(WHITEOUT)) {
            throw new EngineException.Invalid("a file called " + name + " cannot be part of an image: in layers the name"
                    + " means that another file is deleted; /" + path + " wants another name, or to be removed");
        }
    }

    /// Where content comes from.
    @FunctionalInterface
    public interface Content {
        /// Opens it; to be closed.
        InputStream open() throws IOException;

        /// Nothing.
        Content NONE = () -> new ByteArrayInputStream(new byte[0]);
    }

    /// A device node (or, with kind `6`, a FIFO), by the kind that tars write.
    public record Device(char kind, int major, int minor) {}

    /// A file, link or directory with its content.
    public static LayerMember of(Node node, Content content) {
        return new LayerMember(node, content, Optional.empty(), Optional.empty());
    }

    /// A file with content that is here.
    public static LayerMember of(Node node, byte[] content) {
        return of(node, () -> new ByteArrayInputStream(content));
    }

    /// What takes the file at `path` of the layers below away.
    public static LayerMember whiteout(String path, Node.Time time) {
        int slash = path.lastIndexOf('/');
        String place = path.substring(0, slash + 1) + WHITEOUT + path.substring(slash + 1);
        return of(new Node(place, Node.Type.FILE, Node.Owner.ROOT, 0, 0, time, "", Map.of()), Content.NONE);
    }

    /// What hides everything that the layers below have in the directory `path`.
    public static LayerMember opaque(String path, Node.Time time) {
        String place = path.isEmpty() ? ".wh..wh..opq" : path + "/.wh..wh..opq";
        return of(new Node(place, Node.Type.FILE, Node.Owner.ROOT, 0, 0, time, "", Map.of()), Content.NONE);
    }
}
