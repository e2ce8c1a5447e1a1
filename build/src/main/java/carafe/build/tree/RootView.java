package carafe.build.tree;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.Overlay;
import carafe.spec.oci.RootfsPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Optional;

/// Mounts the layers of a root, detached: seen by nobody but who has the descriptor, gone when it is closed.
public final class RootView {

    private RootView() {}

    /// The root read-only, without what is written on top.
    public static MountedTree readOnly(RootfsPlan.Overlay plan) throws KernelException {
        return MountedTree.adopt(mount(plan, false));
    }

    /// The same of a plan whose layers stay where they are as long as the view is in use, so that others can mount them too.
    public static MountedTree ofLayers(RootfsPlan.Overlay plan) throws KernelException {
        return MountedTree.adopt(mount(plan, false), plan.lowers());
    }

    /// The root with its upper directory, writable.
    public static MountedTree writable(RootfsPlan.Overlay plan) throws KernelException {
        return MountedTree.adopt(mount(plan, true));
    }

    /// The upper directory alone: what was written on top.
    public static MountedTree upper(RootfsPlan.Overlay plan) throws KernelException {
        return MountedTree.adopt(directory(plan.upper()));
    }

    private static Fd mount(RootfsPlan.Overlay plan, boolean writable) throws KernelException {
        var opened = new ArrayList<Fd>();
        try {
            for (Path lower : plan.lowers()) {
                opened.add(directory(lower));
            }
            Optional<Overlay.Upper> upper = Optional.empty();
            int lowers = opened.size();
            if (writable) {
                opened.add(directory(plan.upper()));
                opened.add(directory(plan.work()));
                upper = Optional.of(new Overlay.Upper(opened.get(lowers), opened.get(lowers + 1)));
            }
            return new Overlay(opened.subList(0, lowers), upper, false).mount(writable ? 0 : Linux.MOUNT_ATTR_RDONLY);
        } finally {
            opened.forEach(Fd::close);
        }
    }

    private static Fd directory(Path path) throws KernelException {
        return Descriptors.open(path, Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }
}
