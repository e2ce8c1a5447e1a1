package carafe.build.tree;

import carafe.kernel.Directory;
import carafe.kernel.DirectoryEntry;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A tree behind a directory's descriptor: a mounted root, an upper directory. Every path is resolved by openat2(2) in
/// it; devices and FIFOs are never opened.
public final class MountedTree implements FileSource {

    private final FileTree tree;
    private final List<Path> layers;

    private MountedTree(FileTree tree, List<Path> layers) {
        this.tree = tree;
        this.layers = List.copyOf(layers);
    }

    /// Takes ownership of `root`.
    public static MountedTree adopt(Fd root) {
        return adopt(root, List.of());
    }

    /// The same of a root that is a mount of `layers`, the topmost first.
    static MountedTree adopt(Fd root, List<Path> layers) {
        return new MountedTree(FileTree.adopt(root), layers);
    }

    /// What it is a mount of, the topmost first; none if it is something else.
    public List<Path> layers() {
        return layers;
    }

    /// The tree itself, borrowed.
    public FileTree tree() {
        return tree;
    }

    @Override
    public Optional<Node> follow(String path) throws IOException {
        return node(path, Linux.O_PATH);
    }

    @Override
    public Optional<Node> find(String path) throws IOException {
        return node(path, Linux.O_PATH | Linux.O_NOFOLLOW);
    }

    private Optional<Node> node(String path, int flags) throws IOException {
        try (var fd = tree.open(path.isEmpty() ? "/" : path, flags, 0)) {
            String place = path.isEmpty() ? "" : place(path, (flags & Linux.O_NOFOLLOW) != 0);
            return Optional.of(node(place, fd, Inodes.stat(fd)));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private String place(String path, boolean itself) throws KernelException {
        if (!itself) {
            return tree.resolve(path).substring(1);
        }
        int slash = path.lastIndexOf('/');
        String parent = slash < 0 ? "" : tree.resolve(path.substring(0, slash)).substring(1);
        String name = path.substring(slash + 1);
        return parent.isEmpty() ? name : parent + "/" + name;
    }

    private Node node(String path, Fd fd, FileStat stat) throws KernelException {
        var type = switch (stat.type()) {
            case REGULAR -> Node.Type.FILE;
            case DIRECTORY -> Node.Type.DIRECTORY;
            case SYMLINK -> Node.Type.SYMLINK;
            default -> Node.Type.SPECIAL;
        };
        String target = type == Node.Type.SYMLINK ? tree.readLink(path) : "";
        return new Node(path, type, new Node.Owner(stat.uid(), stat.gid()), stat.mode() & 07777,
                type == Node.Type.FILE ? stat.sizeBytes() : 0,
                new Node.Time(stat.modifiedSeconds(), stat.modifiedNanos()), target, xattrs(fd),
                type == Node.Type.FILE && stat.links() > 1
                        ? Optional.of(new Node.Inode(stat.deviceId(), stat.inode())) : Optional.empty());
    }

    /// What belongs to a file wherever it is: capabilities, ACLs, users' own attributes.
    static Map<String, byte[]> xattrs(Fd fd) throws KernelException {
        var names = Inodes.xattrs(fd);
        if (names.isEmpty()) {
            return Map.of();
        }
        var values = new HashMap<String, byte[]>();
        for (String name : names) {
            if (name.startsWith("user.") || name.equals("security.capability")
                    || name.startsWith("system.posix_acl_")) {
                var value = Inodes.xattr(fd, name);
                if (value.isPresent()) {
                    values.put(name, value.get());
                }
            }
        }
        return values;
    }

    @Override
    public List<Node> list(String directory) throws IOException {
        var nodes = new ArrayList<Node>();
        try (Directory open = tree.directory(directory.isEmpty() ? "/" : directory)) {
            var entries = new ArrayList<>(open.list());
            entries.sort(Comparator.comparing(DirectoryEntry::name));
            for (var entry : entries) {
                String path = directory.isEmpty() ? entry.name() : directory + "/" + entry.name();
                try (var fd = open.node(entry.name())) {
                    nodes.add(node(path, fd, Inodes.stat(fd)));
                }
            }
        }
        return nodes;
    }

    @Override
    public InputStream open(Node file) throws IOException {
        return FdStream.adoptInput(tree.openRegular(file.path(), Linux.O_RDONLY));
    }

    @Override
    public Digest content(Node file) throws IOException {
        var hasher = Digest.Algorithm.SHA256.hasher();
        byte[] buffer = new byte[64 << 10];
        try (var in = open(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hasher.update(buffer, 0, count);
            }
        }
        return Digest.finish(Digest.Algorithm.SHA256, hasher.digest());
    }

    @Override
    public void close() {
        tree.close();
    }
}
