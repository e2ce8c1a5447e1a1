package carafe.engine.volume;

import carafe.files.ContainerFiles;
import carafe.files.VolumeDirectories;
import carafe.files.VolumeDirectories.ImageContent;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.oci.RootfsPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Volumes with a filesystem of their own are mounted while a container runs with them. The mount may wait for another
/// machine. Nobody holds the volume's lock meanwhile, so that every start waits for itself and can be given up alone; what
/// has come of it is looked at under the lock.
public final class VolumeMounts {

    private static final Logger LOG = LoggerFactory.getLogger(VolumeMounts.class);

    private final VolumeBook book;
    private final VolumeDirectories directories;
    private final Patience patience = new Patience();

    public VolumeMounts(VolumeBook book) {
        this.book = book;
        this.directories = book.directories();
    }

    /// Mounts what the volumes of a container that is about to start need; who is first gets the image's content too.
    public void mount(String container, List<MountRequest> mounts, ContainerFiles files, RootfsPlan root)
            throws EngineException {
        for (var volume : VolumeBook.volumes(mounts)) {
            book.home().demand("cannot mount volume " + volume.name());
            var entry = book.find(volume.name());
            mount(container, entry, VolumeBook.copies(volume.wishes())
                    ? Optional.of(new ImageContent(files, root, volume.target())) : Optional.empty());
            book.tell("mount", entry.volume, Map.of(
                    "container", container,
                    "destination", volume.target(),
                    "propagation", "",
                    "read/write", Boolean.toString(!volume.readOnly())));
        }
    }

    private void mount(String container, VolumeEntry entry, Optional<ImageContent> content) throws EngineException {
        String sentence = "cannot mount volume " + entry.volume.name();
        boolean taken = false;
        entry.coming.add(container);
        try {
            while (!taken) {
                if (!isMounted(entry)) {
                    patience.with(container, sentence,
                            () -> directories.mount(entry.volume.name(), entry.volume.driverOptions()));
                }
                taken = take(container, entry, content);
            }
        } finally {
            entry.coming.remove(container);
            if (!taken && entry.volume.driverOptions().needsMount()) {
                leave(entry);
            }
        }
    }

    private boolean isMounted(VolumeEntry entry) throws EngineException {
        return !entry.volume.driverOptions().needsMount() || directories.isMounted(entry.volume.name());
    }

    /// Notes that the container runs with the volume, unless that is not mounted any more.
    private boolean take(String container, VolumeEntry entry, Optional<ImageContent> content) throws EngineException {
        String name = entry.volume.name();
        if (entry.volume.driverOptions().needsMount() || !entry.work.tryLock()) { // a local one is not waited for
            patience.with(container, "cannot mount volume " + name, () -> lock(entry));
        }
        try {
            if (entry.gone) {
                throw new EngineException.NotFound("get " + name + ": no such volume");
            }
            if (!isMounted(entry)) {
                return false;
            }
            if (entry.volume.driverOptions().needsMount() && entry.live.isEmpty() && content.isPresent()) {
                fillUp(content.get(), name);
            }
            entry.live.add(container);
            return true;
        } finally {
            entry.work.unlock();
        }
    }

    private static void lock(VolumeEntry entry) throws EngineException {
        try {
            entry.work.lockInterruptibly();
        } catch (InterruptedException e) {
            throw new EngineException.Unavailable("cannot mount volume " + entry.volume.name()
                    + ": given up while another container's start waited for it", e);
        }
    }

    /// Under the entry's lock: what was just mounted gets the image's content, or is unmounted, so that the next start
    /// tries again.
    private void fillUp(ImageContent content, String name) throws EngineException {
        boolean filled = false;
        try {
            directories.fillUp(content, name);
            filled = true;
        } finally {
            if (!filled) {
                directories.unmount(name);
            }
        }
    }

    /// The container does not run any more: what nobody else runs with, or is about to, is unmounted.
    public void unmount(String container, List<MountRequest> mounts) {
        for (var volume : VolumeBook.volumes(mounts)) {
            var entry = book.known(volume.name());
            if (entry.isPresent() && entry.get().live.contains(container) && leave(entry.get(), container)) {
                book.tell("unmount", entry.get().volume, Map.of("container", container));
            }
        }
    }

    private boolean leave(VolumeEntry entry, String container) {
        entry.work.lock();
        try {
            boolean left = entry.live.remove(container);
            if (left) {
                unmountUnused(entry);
            }
            return left;
        } finally {
            entry.work.unlock();
        }
    }

    /// Somebody was about to run with it, and is not any more. Who has its lock now may have it for long: then that is
    /// waited for beside the container's queue.
    private void leave(VolumeEntry entry) {
        if (entry.work.tryLock()) {
            leaveLocked(entry);
        } else {
            Thread.ofVirtual().name("end of a wait for " + entry.volume.name()).start(() -> {
                entry.work.lock();
                leaveLocked(entry);
            });
        }
    }

    /// Unlocks it.
    private void leaveLocked(VolumeEntry entry) {
        try {
            if (!entry.gone) {
                unmountUnused(entry);
            }
        } finally {
            entry.work.unlock();
        }
    }

    /// Under the entry's lock.
    private void unmountUnused(VolumeEntry entry) {
        String name = entry.volume.name();
        try {
            if (entry.volume.driverOptions().needsMount() && entry.live.isEmpty() && entry.coming.isEmpty()
                    && directories.isMounted(name)) {
                directories.unmount(name);
            }
        } catch (EngineException e) {
            LOG.warn("volume {} was not unmounted; the next start of the engine does it", name, e);
        }
    }

    /// In force until it is closed.
    public interface GiveUp extends AutoCloseable {
        @Override
        void close();
    }

    /// Nobody wants the start of the container any more: if it waits for a filesystem to be mounted, or comes to that before
    /// the answer is closed, it fails.
    public GiveUp giveUp(String container) {
        return patience.giveUp(container);
    }

    /// The engine closes: no start waits any more.
    public void close() {
        patience.end();
    }
}
