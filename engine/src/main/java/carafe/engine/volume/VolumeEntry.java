package carafe.engine.volume;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/// One volume alive in this engine. `work` is held while its directory, mount or row is changed, so that two such
/// changes of one volume never overlap; that is work on the disk, but nobody else's waits for it. Under it: `volume`,
/// `found`, `asked`, `gone`, `made`.
final class VolumeEntry {

    final ReentrantLock work = new ReentrantLock();

    /// Ids of containers whose rows name it, also those in the making.
    final Set<String> users = ConcurrentHashMap.newKeySet();

    /// Ids of containers that run with it.
    final Set<String> live = ConcurrentHashMap.newKeySet();

    /// Ids of containers that are about to run with it, and may still wait for its mount.
    final Set<String> coming = ConcurrentHashMap.newKeySet();

    /// Whether its directory was there before the volume was made: what is in it is not the engine's to remove when the
    /// making fails.
    volatile boolean found;

    /// Whether somebody asked for the volume itself, not for a container with it: then its row is written, and it stays
    /// when the container that it was made with is not made after all.
    volatile boolean asked;

    volatile Volume volume;
    volatile boolean made;
    volatile boolean gone;

    VolumeEntry(Volume volume) {
        this.volume = volume;
    }
}
