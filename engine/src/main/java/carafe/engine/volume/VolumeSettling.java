package carafe.engine.volume;

import carafe.engine.store.Change;
import carafe.files.VolumeDirectories;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Puts right, when the engine opens, what a crash left of volumes. One is for one opening, on one thread.
///
/// Users are counted anew from the rows of containers, mounts of volumes that nobody runs with are taken off, an anonymous
/// directory without a row goes. A rename that was cut off is finished if the directory has its new name, and taken back if
/// not. A named directory without a row that holds anything is taken in, for it may be all that is left of somebody's data.
/// It keeps a limit that it has. What has no volume's name, as a disk's `lost+found`, is nobody's.
///
/// Where the directory of volumes is another one than the database means ([VolumesHome]), all rows stay, and nothing that
/// lies there is touched. Of one that the database is only getting to know nothing is removed, and all that holds files is
/// taken in.
final class VolumeSettling {

    private static final Logger LOG = LoggerFactory.getLogger(VolumeSettling.class);

    private final VolumeBook book;
    private final ConcurrentMap<String, VolumeEntry> entries;
    private final VolumeDirectories directories;
    private final List<Change> changes = new ArrayList<>();
    private final Map<String, String> renames = new HashMap<>();

    /// Fills `entries`, those of `book`.
    VolumeSettling(VolumeBook book, ConcurrentMap<String, VolumeEntry> entries) {
        this.book = book;
        this.entries = entries;
        this.directories = book.directories();
    }

    /// `mounts` of every container by its id; `running` are the ids of those that run.
    void run(Map<String, List<MountRequest>> mounts, Set<String> running) throws EngineException {
        for (var row : book.database().volumes()) {
            var entry = new VolumeEntry(Volume.of(row, directories.data(row.name())));
            entry.made = true;
            entries.put(row.name(), entry);
            Volume.onTheWay(row).ifPresent(next -> renames.put(row.name(), next));
        }
        book.limits().read();
        var there = names();
        var used = new HashSet<String>();
        mounts.values().forEach(all -> VolumeBook.volumes(all).forEach(volume -> used.add(volume.name())));
        var opened = book.home().open(entries.isEmpty() && used.isEmpty() && there.isEmpty());
        changes.addAll(opened.changes());
        var fault = book.home().fault();
        if (fault.isEmpty()) {
            directories.tidy();
            settleRenames(there, used);
        }
        count(mounts, running);
        if (fault.isEmpty()) {
            settleDirectories(there, opened.unknown());
        } else {
            LOG.warn("all volumes are kept as they were last known: {}", fault.get());
        }
        for (var entry : entries.values()) {
            if (!entry.made) {
                changes.add(new Change.PutVolume(entry.volume.row()));
                entry.made = true;
            }
        }
        for (var name : directories.mounted()) {
            var entry = entries.get(name);
            if (entry != null && entry.live.isEmpty()) {
                LOG.info("unmounting volume {} that no container runs with", name);
                directories.unmount(name);
            }
        }
        if (!changes.isEmpty()) {
            book.database().write(changes.toArray(Change[]::new));
        }
        if (fault.isEmpty()) {
            book.limits().settle(Set.copyOf(entries.keySet()));
            entries.values().forEach(entry -> verify(entry.volume));
        }
    }

    private void verify(Volume volume) {
        try {
            book.limits().verify(volume.name(), directories.directory(volume.name()), volume.driverOptions().sizeBytes());
        } catch (EngineException.Invalid e) {
            LOG.warn("the size of volume {} is not known: {}", volume.name(), e.getMessage());
        }
    }

    private void count(Map<String, List<MountRequest>> mounts, Set<String> running) {
        mounts.forEach((container, all) -> VolumeBook.volumes(all).forEach(volume -> {
            var entry = entries.computeIfAbsent(volume.name(), name -> new VolumeEntry(book.plain(name, Map.of())));
            entry.users.add(container);
            if (running.contains(container)) {
                entry.live.add(container);
            }
        }));
    }

    private Set<String> names() throws EngineException {
        var names = new HashSet<>(directories.names());
        names.removeIf(name -> !VolumeBook.isName(name));
        return names;
    }

    private void settleDirectories(Set<String> there, boolean unknown) throws EngineException {
        for (var entry : List.copyOf(entries.values())) {
            String name = entry.volume.name();
            if (there.contains(name)) {
                continue;
            }
            if (entry.made && entry.users.isEmpty()) {
                entries.remove(name); // its removal had begun
                changes.add(new Change.DeleteVolume(name));
            } else {
                makeAgain(entry.volume);
            }
        }
        for (var name : there) {
            if (!entries.containsKey(name)) {
                try {
                    if (unknown) {
                        keep(name);
                    } else {
                        strange(name);
                    }
                } catch (EngineException e) {
                    LOG.warn("{}, which no record names, is left as it is: {}", directories.directory(name), e.getMessage());
                }
            }
        }
    }

    /// A volume is `used` by a container that took it after its rename had failed and could not be taken back.
    private void settleRenames(Set<String> there, Set<String> used) throws EngineException {
        for (var rename : renames.entrySet()) {
            String old = rename.getKey();
            String next = rename.getValue();
            var entry = Objects.requireNonNull(entries.get(old));
            boolean moved = there.contains(next) && !there.contains(old) && !entries.containsKey(next);
            if (moved && !used.contains(old)) {
                LOG.info("finishing the rename of volume {} to {}", old, next);
                var renamed = new VolumeEntry(entry.volume.renamed(next, directories.data(next)));
                renamed.made = true;
                entries.remove(old);
                entries.put(next, renamed);
                changes.addAll(book.renaming(entry.volume, renamed.volume));
                book.limits().renamed(old, next);
                continue;
            }
            LOG.info("taking back the rename of volume {} to {}", old, next);
            if (moved) {
                directories.rename(next, old);
                there.remove(next);
                there.add(old);
            }
            changes.add(new Change.PutVolume(entry.volume.row()));
        }
    }

    /// A volume whose directory is missing has the limit that it had, where there still are limits.
    private void makeAgain(Volume volume) throws EngineException {
        try {
            directories.make(volume.name(), SizedVolume.of(book.limits(), volume));
        } catch (EngineException e) {
            LOG.warn("the directory of volume {}, which was missing, is made anew without the volume's size: {}",
                    volume.name(), e.getMessage());
            directories.make(volume.name(), VolumeDirectories.Limit.NONE);
        }
    }

    private void strange(String name) throws EngineException {
        if (VolumeBook.looksGiven(name) || directories.isEmpty(name)) {
            LOG.info("removing the directory of volume {} that no record names", name);
            directories.remove(name);
        } else {
            takeIn(name, Map.of());
        }
    }

    private void keep(String name) throws EngineException {
        if (!directories.isEmpty(name)) {
            takeIn(name, VolumeBook.looksGiven(name) ? Map.of(Volume.ANONYMOUS, "") : Map.of());
        }
    }

    private void takeIn(String name, Map<String, String> labels) {
        var entry = new VolumeEntry(book.plain(name, labels));
        entry.made = true;
        if (entries.putIfAbsent(name, entry) == null) {
            LOG.warn("taking in the directory {} as volume {}: it holds files and no record names it",
                    directories.data(name), name);
            changes.add(new Change.PutVolume(entry.volume.row()));
        }
    }

    /// Later than at the opening: the directory that is there is the one that is meant from now on. Somebody says so, so
    /// nothing is removed: what holds files becomes a volume, also what nobody named, and every volume that is known and is
    /// missing there is made, empty, so that the next start does not take it for one whose removal had begun.
    void adopt() throws EngineException {
        String id = book.home().claim();
        directories.dropHalfCopies();
        var there = names();
        for (var entry : entries.values()) {
            if (!there.contains(entry.volume.name())) {
                makeAgain(entry.volume);
            }
        }
        for (var name : there) {
            keep(name);
        }
        book.home().adopt(id, changes);
    }
}
