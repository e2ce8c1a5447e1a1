package carafe.engine;

import carafe.engine.quota.SizeLimits;
import carafe.files.Sizes;
import carafe.image.Image;
import carafe.image.Images;
import carafe.image.Snapshots;
import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RootfsPlan;
import java.util.Collection;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The writable layers of containers, with the limit that `--storage-opt size=` sets.
final class WritableLayers {
    private static final Logger LOG = LoggerFactory.getLogger(WritableLayers.class);

    private final Images images;
    private final Snapshots snapshots;
    private final SizeLimits limits;

    WritableLayers(Images images, SizeLimits limits) {
        this.images = images;
        this.snapshots = images.snapshots();
        this.limits = limits;
    }

    /// Refuses storage options that are none, and a limit that nobody would keep.
    void check(HostConfig host) throws EngineException {
        if (bytes(host) > 0 && !limits.available()) {
            throw new EngineException.Invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount"
                    + " option, or over ext4 with 'prjquota': " + limits.advice());
        }
    }

    /// What the container may write; 0 is all the disk has.
    private static long bytes(HostConfig host) throws EngineException.Invalid {
        long bytes = 0;
        for (var option : host.document().textMap("StorageOpt").entrySet()) {
            if (!option.getKey().equalsIgnoreCase("size")) {
                throw new EngineException.Invalid("unknown option " + option.getKey()
                        + ": --storage-opt knows size, as in --storage-opt size=10g");
            }
            bytes = Sizes.parse("--storage-opt: ", option.getValue());
        }
        return bytes;
    }

    /// Makes the writable layer of `container` over its image, or finds it made.
    RootfsPlan.Overlay prepare(ContainerSnapshot container, Image image) throws EngineException {
        long bytes = bytes(container.host());
        return snapshots.prepare(container.id(), image, bytes == 0
                ? Snapshots.PLAIN
                : directory -> limits.place(container.id(), directory, bytes));
    }

    /// Notes that the container's image is used now. A failure is told, not thrown: it keeps nobody from a start or a
    /// removal.
    void used(ContainerSnapshot container) {
        try {
            images.use(Digest.parse(container.image().id()));
        } catch (EngineException e) {
            LOG.warn("the use of the image of container {} was not noted", container.id(), e);
        }
    }

    /// Removes what a container wrote, or what keeps an image that it mounts.
    void remove(String id) throws EngineException {
        snapshots.remove(id);
        limits.release(id);
    }

    /// Everybody who has a layer, or what keeps an image.
    Set<String> list() throws EngineException {
        return snapshots.list();
    }

    /// When the engine opens: `containers` are all there are, `known` those whose records can be read.
    void settle(Set<String> containers, Collection<ContainerSnapshot> known) throws EngineException {
        limits.read();
        limits.settle(containers);
        for (var container : known) {
            try {
                limits.verify(container.id(), snapshots.directory(container.id()), bytes(container.host()));
            } catch (EngineException e) {
                LOG.warn("the size of container {} is not known: {}", container.id(), e.getMessage());
            }
        }
    }
}
