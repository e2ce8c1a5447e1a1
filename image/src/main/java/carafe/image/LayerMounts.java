package carafe.image;

import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.ImageMount;
import carafe.kernel.KernelException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// One detached mount per layer, made when the layer is first looked into and shared by all that stack it. It goes with
/// the layer or with this process; overlays that were made of it keep what they need, so after a restart of the process
/// layers are simply mounted again. A layer is found under a path of this process, `/proc/self/fd/N`, whose number
/// stays as long as the layer does.
final class LayerMounts implements AutoCloseable {

    private final ImageMount.Way way;
    private final Map<Digest, Fd> mounts = new HashMap<>(); // guarded by this

    LayerMounts(ImageMount.Way way) {
        this.way = way;
    }

    /// How they are mounted.
    ImageMount.Way way() {
        return way;
    }

    /// The root of the layer in `file`, mounted.
    synchronized Path root(Digest diffId, Path file) throws IOException {
        var mount = mounts.get(diffId);
        if (mount == null) {
            mount = mount(file);
            mounts.put(diffId, mount);
        }
        return Path.of(mount.path());
    }

    private Fd mount(Path file) throws IOException {
        try {
            return ImageMount.erofs(file, way);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT)) {
                throw new NoSuchFileException("layer " + file.getFileName() + " is missing");
            }
            throw e;
        }
    }

    /// Looks at `file` anew from now on, under the same path; nothing happens if the layer is not mounted.
    synchronized void renew(Digest diffId, Path file) throws IOException {
        var mount = mounts.get(diffId);
        if (mount != null) {
            try (var other = mount(file)) {
                mount.become(other);
            }
        }
    }

    /// Lets go of a layer that is removed.
    synchronized void forget(Digest diffId) {
        var mount = mounts.remove(diffId);
        if (mount != null) {
            mount.close();
        }
    }

    @Override
    public synchronized void close() {
        mounts.values().forEach(Fd::close);
        mounts.clear();
    }
}
