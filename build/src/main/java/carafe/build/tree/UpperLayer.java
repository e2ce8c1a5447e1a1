package carafe.build.tree;

import carafe.kernel.Directory;
import carafe.kernel.DirectoryEntry;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileStat;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The layer that a program's run on a snapshot left in its upper directory: no tree is compared, the kernel has
/// already written down what changed. What only the mounts of the run made (empty mount points that were not there
/// before) is left out by not looking at it; nothing is deleted.
public final class UpperLayer {

    private static final int MAX_DEPTH = 2048;

    private final MountedTree upper;
    private final FileSource below;
    private final Set<String> points;
    private final Set<String> touched = new HashSet<>();
    private final Optional<Node.Time> latest;
    private final Map<String, String> inodes = new HashMap<>();
    private final List<LayerMember> members = new ArrayList<>();

    private UpperLayer(MountedTree upper, FileSource below, Set<String> points, Optional<Node.Time> latest) {
        this.upper = upper;
        this.below = below;
        this.points = points;
        this.latest = latest;
        for (String point : points) {
            for (int slash = point.lastIndexOf('/'); slash > 0; slash = point.lastIndexOf('/', slash - 1)) {
                touched.add(point.substring(0, slash));
            }
        }
    }

    /// The members of the layer. `points` are the paths of mount points that `below` does not have; no time is later
    /// than `latest`. Contents are read while the members are, so `upper` must stay open.
    /// @throws EngineException.Invalid a file has a name that would delete another one
    public static List<LayerMember> of(MountedTree upper, FileSource below, Set<String> points,
            Optional<Node.Time> latest) throws IOException, EngineException.Invalid {
        var layer = new UpperLayer(upper, below, points, latest);
        try (var root = upper.tree().directory("/")) {
            layer.walk(root, "", 0);
            layer.root(root);
        }
        return layer.members;
    }

    /// The root's own permissions, where the run changed them.
    private void root(Directory root) throws IOException {
        var stat = Inodes.stat(root.fd());
        var old = below.find("");
        boolean same = old.isEmpty() || old.get().mode() == (stat.mode() & 07777)
                && old.get().owner().equals(new Node.Owner(stat.uid(), stat.gid()));
        if (!same) {
            members.addFirst(LayerMember.of(node("", root.fd(), stat, Node.Type.DIRECTORY, ""), LayerMember.Content.NONE));
        }
    }

    private void walk(Directory directory, String prefix, int depth) throws IOException, EngineException.Invalid {
        if (depth > MAX_DEPTH) {
            throw new IOException("directories are nested deeper than " + MAX_DEPTH);
        }
        var entries = new ArrayList<>(directory.list());
        entries.sort(Comparator.comparing(DirectoryEntry::name));
        for (var entry : entries) {
            String path = prefix.isEmpty() ? entry.name() : prefix + "/" + entry.name();
            LayerMember.refuseWhiteout(path);
            try (var fd = directory.node(entry.name())) {
                entry(directory, path, fd, depth);
            }
        }
    }

    private void entry(Directory parent, String path, Fd fd, int depth) throws IOException, EngineException.Invalid {
        var stat = Inodes.stat(fd);
        switch (stat.type()) {
            case DIRECTORY -> directory(parent, path, fd, stat, depth);
            case REGULAR -> {
                if (points.contains(path) && stat.sizeBytes() == 0) {
                    return;
                }
                var node = node(path, fd, stat, Node.Type.FILE, "");
                if (stat.links() > 1) {
                    String first = inodes.putIfAbsent(stat.deviceId() + ":" + stat.inode(), path);
                    if (first != null) {
                        members.add(new LayerMember(node, LayerMember.Content.NONE, Optional.of(first), Optional.empty()));
                        return;
                    }
                }
                members.add(LayerMember.of(node,
                        () -> FdStream.adoptInput(upper.tree().openRegular(path, Linux.O_RDONLY))));
            }
            case SYMLINK -> members.add(LayerMember.of(node(path, fd, stat, Node.Type.SYMLINK,
                    parent.readLink(path.substring(path.lastIndexOf('/') + 1))), LayerMember.Content.NONE));
            case CHARACTER_DEVICE -> {
                if (stat.rdevMajor() == 0 && stat.rdevMinor() == 0) {
                    members.add(LayerMember.whiteout(path, time(stat)));
                } else {
                    device(path, fd, stat, '3');
                }
            }
            case BLOCK_DEVICE -> device(path, fd, stat, '4');
            case FIFO -> device(path, fd, stat, '6');
            case SOCKET, UNKNOWN -> { } // a socket means nothing without its process
        }
    }

    private void device(String path, Fd fd, FileStat stat, char kind) throws IOException {
        members.add(new LayerMember(node(path, fd, stat, Node.Type.SPECIAL, ""), LayerMember.Content.NONE, Optional.empty(),
                Optional.of(new LayerMember.Device(kind, stat.rdevMajor(), stat.rdevMinor()))));
    }

    private void directory(Directory parent, String path, Fd fd, FileStat stat, int depth)
            throws IOException, EngineException.Invalid {
        int at = members.size();
        var node = node(path, fd, stat, Node.Type.DIRECTORY, "");
        members.add(LayerMember.of(node, LayerMember.Content.NONE));
        boolean opaque = Inodes.xattr(fd, "trusted.overlay.opaque").filter(value -> value.length == 1 && value[0] == 'y')
                .isPresent();
        if (opaque && below.find(path).filter(Node::isDirectory).isPresent()) {
            members.add(LayerMember.opaque(path, time(stat)));
        }
        try (var inside = parent.directory(path.substring(path.lastIndexOf('/') + 1))) {
            walk(inside, path, depth + 1);
        }
        boolean empty = members.size() == at + 1;
        if (empty && (points.contains(path) || touched.contains(path) && isUnchanged(node))) {
            members.remove(at);
        }
    }

    private boolean isUnchanged(Node node) throws IOException {
        var old = below.find(node.path());
        return old.isPresent() && old.get().isDirectory() && old.get().mode() == node.mode()
                && old.get().owner().equals(node.owner());
    }

    private Node.Time time(FileStat stat) {
        var own = new Node.Time(stat.modifiedSeconds(), stat.modifiedNanos());
        return latest.isPresent() && own.seconds() >= latest.get().seconds() ? latest.get() : own;
    }

    private Node node(String path, Fd fd, FileStat stat, Node.Type type, String target) throws IOException {
        return new Node(path, type, new Node.Owner(stat.uid(), stat.gid()), stat.mode() & 07777,
                type == Node.Type.FILE && stat.type() == FileType.REGULAR ? stat.sizeBytes() : 0, time(stat), target,
                MountedTree.xattrs(fd));
    }
}
