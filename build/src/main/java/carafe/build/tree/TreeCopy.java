package carafe.build.tree;

import carafe.kernel.Directory;
import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import java.io.IOException;
import java.nio.file.Path;

/// Puts a part of a source into a directory of ours, for mounts that need real files. Only names of single files are
/// ever used, in directories held open.
public final class TreeCopy {

    private static final int MAX_DEPTH = 512;

    private final FileSource source;

    private TreeCopy(FileSource source) {
        this.source = source;
    }

    /// Copies what `from` is: the content of a directory into `directory`, or one file into it.
    public static void into(Path directory, FileSource source, Node from) throws IOException {
        var copy = new TreeCopy(source);
        try (var tree = FileTree.open(directory); var root = tree.directory("/")) {
            if (from.isDirectory()) {
                copy.children(root, from, 0);
                Inodes.chown(root.fd(), from.owner().uid(), from.owner().gid());
                Inodes.chmod(root.fd(), from.mode());
            } else {
                copy.node(root, from, 0);
            }
        }
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
            case SPECIAL -> { } // nothing that a mount of files would need
        }
        to.setModified(node.name(), node.modified().seconds(), node.modified().nanos());
    }
}
