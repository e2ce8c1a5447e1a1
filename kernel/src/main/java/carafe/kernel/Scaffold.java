package carafe.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A place where detached mounts are attached for a moment: before Linux 6.15 the kernel takes only attached ones for the
/// layers of an overlay and for copies of a part, and only of the mount namespace of who asks. It is a tmpfs in a
/// [MountNamespace] that ends with the work, or with the process: nothing of it is ever seen outside. What comes out is
/// detached, and has copies of its own of what it is made of.
/// Source: move_mount(2), clone_private_mount() of the kernel's fs/namespace.c.
public final class Scaffold {

    private Scaffold() {}

    /// Whether this kernel needs one; found out once.
    public static boolean needed() {
        return !Features.has(Features.DETACHED_SOURCES);
    }

    /// Runs `work` on a thread of its own with all of `mounts`, detached ones of directories, attached somewhere. Afterwards
    /// they are taken off; their descriptors, which stay the caller's, name mounts that are attached nowhere and cannot be
    /// attached again. The thread has the file-system identity of the caller's, so that may be a [FileIdentity].
    public static <T> T with(List<Fd> mounts, MountNamespace.Task<T> work) throws KernelException {
        try (var apart = MountNamespace.open()) {
            return apart.call(() -> inside(mounts, work));
        }
    }

    private static <T> T inside(List<Fd> mounts, MountNamespace.Task<T> work) throws KernelException {
        try (var floor = FileTree.adopt(FsContext.mount("tmpfs", Map.of("mode", "0700"), 0))) {
            Mounts.move(floor.root(), Path.of("/"));
            try {
                for (int i = 0; i < mounts.size(); i++) {
                    try (var place = floor.mkdirs(String.valueOf(i), 0700, 0, 0)) {
                        Mounts.move(mounts.get(i), place.fd());
                    }
                }
                return work.run();
            } finally {
                Mounts.detach(floor.root());
            }
        }
    }

    /// Tries both on two directories of a tmpfs.
    static boolean detachedSourcesServe() {
        var opened = new ArrayList<Fd>();
        try (var tree = FileTree.adopt(FsContext.mount("tmpfs", Map.of(), 0))) {
            for (String name : List.of("top", "bottom")) {
                tree.mkdirs(name, 0700, 0, 0).close();
                opened.add(tree.open(name, Linux.O_PATH | Linux.O_DIRECTORY, 0));
            }
            Mounts.cloneTree(opened.getFirst(), false).close();
            new Overlay(opened, Optional.empty(), false).mount(Linux.MOUNT_ATTR_RDONLY).close();
            return true;
        } catch (KernelException e) {
            return false;
        } finally {
            opened.forEach(Fd::close);
        }
    }
}
