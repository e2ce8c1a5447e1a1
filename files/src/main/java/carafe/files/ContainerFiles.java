package carafe.files;

import carafe.kernel.Descriptors;
import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileIdentity;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.MountChange;
import carafe.kernel.MountChange.Propagation;
import carafe.kernel.MountNamespace;
import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Opens the files of containers. Of one that runs, what its first process sees; of one that does not, its root with
/// its volumes and binds put together in a mount namespace that ends with the view, so that also a killed daemon leaves
/// no mount behind.
public final class ContainerFiles {

    private final RootMounter roots;

    /// Roots are put together by `roots`.
    public ContainerFiles(RootMounter roots) {
        this.roots = roots;
    }

    /// What lies at `target`: a directory or file of the host, or what `subpath` names inside it (`""`: itself).
    public record Place(String target, Path source, String subpath, boolean readOnly) {}

    /// Opens the files of `container`, which does not run and must not be started meanwhile. Places are in the order in
    /// which they are mounted.
    public FileView stopped(String container, RootfsPlan plan, List<Place> places, boolean readOnlyRoot)
            throws EngineException {
        String doing = "cannot put together the files of container " + container;
        Fd root;
        try {
            root = roots.mount(plan);
        } catch (IOException e) {
            throw Trouble.of(doing, e);
        }
        var tree = FileTree.adopt(root);
        Optional<MountNamespace> namespace = Optional.empty();
        boolean complete = false;
        try {
            if (!places.isEmpty()) {
                namespace = Optional.of(MountNamespace.open());
                namespace.get().call(() -> {
                    Mounts.move(root, Path.of("/"));
                    for (var place : places) {
                        put(tree, place);
                    }
                    seal(root, readOnlyRoot); // only from inside: it is the namespace's now
                    return true;
                });
            } else {
                seal(root, readOnlyRoot);
            }
            complete = true;
            return new FileView(tree, container, namespace, FileView.Users.HOST);
        } catch (KernelException e) {
            throw Trouble.of(doing, e);
        } finally {
            if (!complete) {
                tree.close();
                namespace.ifPresent(MountNamespace::close);
            }
        }
    }

    private static void seal(Fd root, boolean readOnly) throws KernelException {
        if (readOnly) {
            Mounts.change(root, MountChange.setting(Linux.MOUNT_ATTR_RDONLY), false);
        }
    }

    private static void put(FileTree tree, Place place) throws KernelException {
        try (var mount = clone(place)) {
            Mounts.change(mount, MountChange.to(Propagation.PRIVATE), true);
            if (place.readOnly) {
                Mounts.change(mount, MountChange.setting(Linux.MOUNT_ATTR_RDONLY), true);
            }
            boolean file = !Inodes.stat(mount).isDirectory();
            if (tree.find(place.target).isEmpty()) {
                int slash = place.target.lastIndexOf('/');
                try (var parent = tree.mkdirs(file ? place.target.substring(0, slash + 1) : place.target, 0755, 0, 0)) {
                    if (file) {
                        parent.create(FileTree.nameOf(place.target), 0755).close();
                    }
                }
            }
            try (var target = tree.open(place.target, Linux.O_PATH, 0)) {
                Mounts.move(mount, target);
            }
        }
    }

    private static Fd clone(Place place) throws KernelException {
        if (place.subpath.isEmpty()) {
            return Mounts.cloneTree(place.source, true);
        }
        try (var volume = FileTree.open(place.source); var inside = volume.open(place.subpath, Linux.O_PATH, 0)) {
            return Mounts.cloneTree(inside, true);
        }
    }

    /// Opens the files that process `pid` sees. The number may have become another process's: the caller makes sure
    /// afterwards that the one it means still ran.
    /// `ids` are the container's: on the host its files belong to those.
    public FileView running(String container, int pid, IdMaps ids) throws EngineException {
        try {
            var root = Descriptors.open(Path.of("/proc/" + pid + "/root"), Linux.O_PATH | Linux.O_DIRECTORY, 0);
            return new FileView(FileTree.adopt(root), container, Optional.empty(), ids.none()
                    ? FileView.Users.HOST
                    : new FileView.Users(ids, Optional.of(FileIdentity.open(ids.hostUid(0), ids.hostGid(0)))));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ESRCH)) {
                throw new EngineException.Conflict("container " + container + " is not running");
            }
            throw Trouble.of("cannot open the files of container " + container, e);
        }
    }

    /// Copies what the root of `plan` has at `path` into the directory `data`, with owner, mode and attributes of the
    /// directory itself, if `data` is empty and there is a directory to copy.
    /// @return whether anything was copied
    public boolean copyUp(RootfsPlan plan, String path, Path data) throws EngineException {
        try (var target = FileTree.open(data)) {
            try (var directory = target.directory("/")) {
                if (!directory.list().isEmpty()) {
                    return false;
                }
            }
            try (var root = FileTree.adopt(roots.mount(plan)); var source = source(root, path)) {
                return source != null && TreeCopy.into(source, target) >= 0;
            }
        } catch (IOException e) {
            throw Trouble.of("cannot copy the image's content at " + path + " to the volume", e);
        }
    }

    /// Copies what `data` lacks of what the root of `plan` has at `path`; nothing that others wrote there is changed, but
    /// owner, mode and attributes of the directory itself.
    /// @return whether there was a directory to copy
    public boolean fillUp(RootfsPlan plan, String path, Path data) throws EngineException {
        try (var target = FileTree.open(data);
                var root = FileTree.adopt(roots.mount(plan));
                var source = source(root, path)) {
            return source != null && TreeCopy.missing(source, target) >= 0;
        } catch (IOException e) {
            throw Trouble.of("cannot copy the image's content at " + path + " to the volume", e);
        }
    }

    /// Opens a directory or file of the host, for a place that is looked at, given away and mounted as one thing.
    public HeldPath hold(Path source) throws EngineException {
        return HeldPath.open(source);
    }

    /// Gives what a place shows, with all below it, to `owner`.
    public void give(Place place, Unpacking.Owner owner) throws EngineException {
        try (var source = Descriptors.open(place.source, Linux.O_PATH, 0)) {
            if (place.subpath.isEmpty()) {
                TreeOwner.give(source, owner);
                return;
            }
            try (var volume = FileTree.adopt(source.duplicate());
                    var inside = volume.open(place.subpath, Linux.O_PATH, 0)) {
                TreeOwner.give(inside, owner);
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot give " + place.source + " to the container's user", e);
        }
    }

    private static @org.jspecify.annotations.Nullable Directory source(FileTree root, String path)
            throws KernelException {
        try {
            return root.directory(path);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                return null;
            }
            throw e;
        }
    }
}
