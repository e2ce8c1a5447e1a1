package carafe.build.tree;

import carafe.kernel.Directory;
import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// Puts a part of a source into a directory of ours, for mounts that need real files. Only names of single files are
/// ever used, in directories held open. Names of one file stay names of one file, so a copy takes no more
/// room than what it is of; devices, FIFOs and sockets are left out.
public final class TreeCopy {

    private static final int MAX_DEPTH = 512;

    private final FileSource source;
    private final FileTree into;
    private final String from;
    /// Where the first name of each file lies in `into`.
    private final Map<Node.Inode, String> copied = new HashMap<>();

    private TreeCopy(FileSource source, FileTree into, String from) {
        this.source = source;
        this.into = into;
        this.from = from;
    }

    /// Copies what `from` is: the content of a directory into `directory`, or one file into it.
    public static void into(Path directory, FileSource source, Node from) throws IOException {
        try (var tree = FileTree.open(directory); var root = tree.directory("/")) {
            var copy = new TreeCopy(source, tree, from.isDirectory() ? from.path() : parent(from.path()));
            if (from.isDirectory()) {
                copy.children(root, from, 0);
                Inodes.chown(root.fd(), from.owner().uid(), from.owner().gid());
                Inodes.chmod(root.fd(), from.mode());
            } else {
                copy.node(root, from, 0);
            }
        }
    }

    private static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    private void children(Directory to, Node from, int depth) throws IOException {
        if (depth > MAX_DEPTH) {
            throw new IOException("directories are nested deeper than " + MAX_DEPTH);
        }
        for (var child : source.list(from.path())) {
            node(to, child, depth);
        }
    }

    private void node(Directory to, Node node, int depth) throws IOException {
        switch (node.type()) {
            case DIRECTORY -> {
                to.mkdir(node.name(), 0700);
                try (var inside = to.directory(node.name())) {
                    children(inside, node, depth + 1);
                }
                to.chown(node.name(), node.owner().uid(), node.owner().gid());
                to.chmod(node.name(), node.mode());
            }
            case FILE -> {
                if (linked(node)) {
                    return;
                }
                try (var file = to.create(node.name(), 0600); var in = source.open(node)) {
                    byte[] buffer = new byte[64 << 10];
                    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                        FdStream.write(file, buffer, 0, count);
                    }
                    Inodes.chown(file, node.owner().uid(), node.owner().gid());
                    Inodes.chmod(file, node.mode());
                }
            }
            case SYMLINK -> {
                to.symlink(node.name(), node.target());
                to.chown(node.name(), node.owner().uid(), node.owner().gid());
            }
            case SPECIAL -> {
                return; // nothing that a mount of files would need
            }
        }
        to.setModified(node.name(), node.modified().seconds(), node.modified().nanos());
    }

    /// Gives a file that is copied already this further name.
    private boolean linked(Node node) throws IOException {
        if (node.inode().isEmpty()) {
            return false;
        }
        String place = from.isEmpty() ? node.path() : node.path().substring(from.length() + 1);
        String first = copied.putIfAbsent(node.inode().get(), place);
        if (first == null) {
            return false;
        }
        into.link(place, first);
        return true;
    }
}
