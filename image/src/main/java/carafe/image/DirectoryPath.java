package carafe.image;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The chain of directories from a layer's root to the one being written, each open. Tars list a directory's members
/// together, so most members find their parent here; moving on closes what is left and gives directories that were
/// written into their old time back, so no list of directories grows with the layer.
///
/// Only the deepest [#MAX_OPEN] are open; one above is opened again by its path when it is needed. A name that is a
/// symbolic link leads where it leads inside the layer.
final class DirectoryPath implements AutoCloseable {

    private static final int MAX_OPEN = 64;
    private static final int IMPLIED_MODE = 0755;
    private static final int SET_GID = 02000;

    /// One directory on the way; `seconds` and `nanos` are the time it shall have.
    private static final class Level {
        final String name;
        @Nullable Directory directory;
        long seconds;
        int nanos;
        boolean written;
        boolean givesGroup;

        Level(String name, Directory directory) throws KernelException {
            this.name = name;
            this.directory = directory;
            var stat = Inodes.stat(directory.fd());
            this.seconds = stat.modifiedSeconds();
            this.nanos = stat.modifiedNanos();
            this.givesGroup = (stat.mode() & SET_GID) != 0;
        }
    }

    private final FileTree tree;
    private final ArrayList<Level> levels = new ArrayList<>();

    DirectoryPath(FileTree tree) throws KernelException {
        this.tree = tree;
        push("", tree.directory("/"));
    }

    /// Goes to the directory with these names from the root, making what is missing; borrowed, until the next call.
    Directory enter(List<String> names) throws KernelException {
        int common = 0;
        while (common < names.size() && common + 1 < levels.size()
                && levels.get(common + 1).name.equals(names.get(common))) {
            common++;
        }
        while (levels.size() > common + 1) {
            leave();
        }
        for (int i = common; i < names.size(); i++) {
            push(names.get(i), child(names.get(i)));
        }
        return current();
    }

    /// Something in the current directory is about to change, which must not show in its time.
    void written() {
        levels.getLast().written = true;
    }

    /// Whether what is made in the current directory gets its group, as below one with the set-group-id bit.
    boolean givesGroup() {
        return levels.getLast().givesGroup;
    }

    /// The root, which is the current directory, was given this mode and shall have this time.
    void changedRoot(int mode, long seconds, int nanos) {
        var level = levels.getLast();
        level.givesGroup = (mode & SET_GID) != 0;
        level.seconds = seconds;
        level.nanos = nanos;
        level.written = true;
    }

    /// Sees to it that `name` in the current directory is a directory itself, replacing what is none.
    void makeDirectory(String name, int mode) throws KernelException {
        var parent = current();
        written();
        try {
            parent.mkdir(name, mode);
        } catch (KernelException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
            var existing = parent.stat(name);
            if (!existing.isDirectory()) {
                parent.unlink(name);
                parent.mkdir(name, mode);
                if (LayerWriter.isWhiteout(existing)) {
                    LayerWriter.makeOpaque(parent, name); // what lower layers have stays hidden
                }
            }
        }
    }

    private Directory child(String name) throws KernelException {
        var parent = current();
        try {
            return parent.directory(name);
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                throw e;
            }
        }
        var existing = parent.find(name);
        if (existing.isPresent() && existing.get().isSymlink()) {
            return tree.mkdirs(pathTo(levels.size()) + "/" + name, IMPLIED_MODE, 0, 0);
        }
        if (existing.isEmpty() || LayerWriter.isWhiteout(existing.get())) {
            makeDirectory(name, IMPLIED_MODE);
            if (givesGroup()) {
                parent.chown(name, 0, 0);
                parent.chmod(name, IMPLIED_MODE);
            }
        }
        return parent.directory(name); // ENOTDIR when a file is in the way
    }

    private void push(String name, Directory directory) throws KernelException {
        try {
            levels.add(new Level(name, directory));
        } catch (KernelException e) {
            directory.close();
            throw e;
        }
        int far = levels.size() - 1 - MAX_OPEN;
        if (far > 0) {
            shut(levels.get(far));
        }
    }

    private Directory current() throws KernelException {
        var level = levels.getLast();
        if (level.directory == null) {
            level.directory = tree.directory(pathTo(levels.size()));
        }
        return level.directory;
    }

    private String pathTo(int depth) {
        var path = new StringBuilder();
        for (int i = 1; i < depth; i++) {
            path.append('/').append(levels.get(i).name);
        }
        return path.isEmpty() ? "/" : path.toString();
    }

    private void leave() throws KernelException {
        var level = levels.getLast();
        try {
            if (level.written) {
                Inodes.setModified(current().fd(), level.seconds, level.nanos);
            }
        } finally {
            shut(level);
            levels.removeLast();
        }
    }

    private static void shut(Level level) {
        if (level.directory != null) {
            level.directory.close();
            level.directory = null;
        }
    }

    /// Goes back above the root: every time is set, nothing is open, and there is no current directory any more.
    void leaveAll() throws KernelException {
        while (!levels.isEmpty()) {
            leave();
        }
    }

    @Override
    public void close() {
        levels.forEach(DirectoryPath::shut);
        levels.clear();
    }
}
