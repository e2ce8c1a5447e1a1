package carafe.engine.volume;

import carafe.engine.quota.SizeLimits;
import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.files.ContainerFiles;
import carafe.files.VolumeDirectories;
import carafe.files.VolumeDirectories.ImageContent;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.MountRequest.VolumeWishes;
import carafe.spec.oci.RootfsPlan;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who uses which volume, and the volumes' lives with their containers.
///
/// Order at a crash: a directory is made before the row that names it, and moved to the trash before its row goes. A
/// container's row and the rows of the volumes made for it are one transaction. What a crash leaves in between,
/// [VolumeSettling] puts right when the engine opens.
public final class VolumeBook {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeBook.class);
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]+");
    private static final Pattern GIVEN = Pattern.compile("[0-9a-f]{64}");
    private static final int LONGEST_NAME = 255;

    private final Database database;
    private final VolumeDirectories directories;
    private final SizeLimits limits;
    private final VolumeListener listener;
    private final Clock clock;
    private final VolumesHome home;
    private final SecureRandom random = new SecureRandom();
    private final ConcurrentMap<String, VolumeEntry> entries = new ConcurrentHashMap<>();

    /// Knows no volume before [#settle].
    public VolumeBook(Database database, VolumeDirectories directories, SizeLimits limits, VolumeListener listener,
            Clock clock) {
        this.database = database;
        this.directories = directories;
        this.limits = limits;
        this.listener = listener;
        this.clock = clock;
        this.home = new VolumesHome(database, directories);
    }

    Database database() {
        return database;
    }

    VolumeDirectories directories() {
        return directories;
    }

    SizeLimits limits() {
        return limits;
    }

    VolumesHome home() {
        return home;
    }

    Collection<VolumeEntry> all() {
        return entries.values();
    }

    /// What there is of this name, be it a volume yet or still.
    Optional<VolumeEntry> known(String name) {
        return Optional.ofNullable(entries.get(name));
    }

    void tell(String action, Volume volume, Map<String, String> details) {
        var attributes = new TreeMap<>(details);
        attributes.put("driver", Volume.DRIVER);
        listener.happened(action, volume.name(), attributes);
    }

    /// The volume of this name.
    VolumeEntry find(String name) throws EngineException.NotFound {
        var entry = entries.get(name);
        if (entry == null || !entry.made || entry.gone) {
            throw new EngineException.NotFound("get " + name + ": no such volume");
        }
        return entry;
    }

    /// Where the content of volume `name` lies.
    public java.nio.file.Path mountpoint(String name) {
        return directories.data(name);
    }

    // With the engine's opening.

    /// Reads the rows, counts the users anew (`mounts` of every container by its id), and puts right what a crash left.
    public void settle(Map<String, List<MountRequest>> mounts, Set<String> running) throws EngineException {
        new VolumeSettling(this, entries).run(mounts, running);
    }

    /// What is wrong, with what to do, if the directory of volumes is another one than the database means; no volume is made
    /// there, and none is used.
    public Optional<String> fault() {
        return home.fault();
    }

    /// Takes the directory of volumes that is there for the one that is meant, with all that it holds.
    public void adopt() throws EngineException {
        new VolumeSettling(this, entries).adopt();
    }

    List<Change> renaming(Volume old, Volume renamed) {
        var changes = new ArrayList<Change>(
                List.of(new Change.DeleteVolume(old.name()), new Change.PutVolume(renamed.row())));
        limits.renaming(old.name(), renamed.name()).ifPresent(changes::add);
        return changes;
    }

    /// Keeps what the record of a container may name that nobody can read: better a volume too many than one too few.
    public void keepFor(String container, String document) {
        for (var entry : entries.values()) {
            if (document.contains("\"" + entry.volume.name() + "\"")) {
                entry.users.add(container);
            }
        }
    }

    Volume plain(String name, Map<String, String> labels) {
        return new Volume(name, clock.instant(), labels, Map.of(), directories.data(name));
    }

    static List<MountRequest.Volume> volumes(List<MountRequest> mounts) {
        return mounts.stream()
                .filter(MountRequest.Volume.class::isInstance)
                .map(MountRequest.Volume.class::cast)
                .toList();
    }

    // With a container's life.

    /// Takes the volumes that `container`, in the making, asks for; those that are missing are made.
    public Claim claim(String container, List<MountRequest> mounts) throws EngineException {
        var named = new ArrayList<MountRequest>();
        var rows = new ArrayList<Change>();
        var made = new ArrayList<String>();
        boolean complete = false;
        if (!volumes(mounts).isEmpty()) {
            home.demand("cannot give the container its volumes");
        }
        try {
            for (var mount : mounts) {
                if (!(mount instanceof MountRequest.Volume asked)) {
                    named.add(mount);
                    continue;
                }
                var volume = asked.name().isEmpty() ? asked.named(freshName()) : asked;
                named.add(volume);
                var taken = take(volume, container);
                if (taken.now()) {
                    made.add(volume.name());
                    rows.add(new Change.PutVolume(taken.entry().volume.row()));
                }
            }
            complete = true;
            return new Claim(named, rows, made);
        } finally {
            if (!complete) {
                abandon(container, new Claim(named, rows, made));
            }
        }
    }

    private Made take(MountRequest.Volume wanted, String container) throws EngineException {
        var labels = new TreeMap<>(wanted.wishes().labels());
        if (wanted.anonymous()) {
            labels.putIfAbsent(Volume.ANONYMOUS, "");
        }
        var request = new VolumeRequest(
                wanted.name(), wanted.wishes().driver(), wanted.wishes().options(), labels);
        return make(request, Optional.of(container), entry -> { });
    }

    /// What is done with a new volume before others may see it.
    interface Filling {
        void fill(VolumeEntry entry) throws EngineException;
    }

    /// A volume that was asked for, and whether it was made `now`.
    record Made(VolumeEntry entry, boolean now) {}

    /// Makes the volume unless it is there; `container` is noted as its user either way.
    Made make(VolumeRequest request, Optional<String> container, Filling filling)
            throws EngineException {
        String name = checkName(request.name());
        if (!request.driver().isEmpty() && !request.driver().equals(Volume.DRIVER)) {
            throw new EngineException.NotFound("create " + name + ": error looking up volume plugin "
                    + request.driver() + ": plugin \"" + request.driver() + "\" not found");
        }
        while (true) {
            var entry = entries.computeIfAbsent(name, key -> new VolumeEntry(new Volume(
                    name, clock.instant(), request.labels(), request.options(), directories.data(name))));
            entry.work.lock();
            try {
                if (entry.gone) {
                    continue; // removed while we waited
                }
                if (entry.made) {
                    container.ifPresent(entry.users::add);
                    if (container.isEmpty() && !entry.asked) { // its row may be that of a container in the making only
                        database.write(new Change.PutVolume(entry.volume.row()));
                        entry.asked = true;
                    }
                    return new Made(entry, false);
                }
                boolean begun = false;
                boolean complete = false;
                try {
                    home.demand("create " + name);
                    var limit = limit(entry.volume);
                    entry.found = directories.isThere(name);
                    begun = true;
                    directories.make(name, limit);
                    filling.fill(entry);
                    container.ifPresent(entry.users::add);
                    entry.asked = container.isEmpty();
                    entry.made = true;
                    complete = true;
                } finally {
                    if (!complete && begun) {
                        drop(entry);
                    } else if (!complete) {
                        entry.gone = true;
                        entries.remove(name, entry);
                    }
                }
                tell("create", entry.volume, Map.of());
                return new Made(entry, true);
            } finally {
                entry.work.unlock();
            }
        }
    }

    /// The limit that a volume in the making asks for; refused where it could not be kept.
    private VolumeDirectories.Limit limit(Volume volume) throws EngineException {
        String name = volume.name();
        var limit = SizedVolume.of(limits, volume);
        if (limit instanceof SizedVolume sized) {
            if (volume.driverOptions().needsMount()) {
                throw new EngineException.Invalid("create " + name + ": size is for volumes without a file system of"
                        + " their own; give that one its size by its options, as in o=size=100m");
            }
            sized.demand();
            if (!directories.isEmpty(name)) {
                throw new EngineException.Conflict("create " + name + ": " + directories.data(name) + " is there already and"
                        + " holds files, which would not count for the volume's size; move it away, or create the volume"
                        + " without a size");
            }
        }
        return limit;
    }

    /// Under the entry's lock: it is no volume any more. Its name is free when nothing of it is left.
    private void drop(VolumeEntry entry) {
        entry.gone = true;
        try {
            if (!entry.found) {
                directories.remove(entry.volume.name());
            }
            if (home.fault().isEmpty()) { // else the next start does it, where its disk is there
                limits.release(entry.volume.name());
            }
        } catch (EngineException e) {
            LOG.warn("the directory of volume {} was not removed; the next start of the engine does it",
                    entry.volume.name(), e);
        } finally {
            entries.remove(entry.volume.name(), entry);
        }
    }

    String freshName() {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /// Whether the name is as those that the engine gives.
    static boolean looksGiven(String name) {
        return GIVEN.matcher(name).matches();
    }

    /// Whether a volume may have the name.
    static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    static String checkName(String name) throws EngineException.Invalid {
        if (name.length() == 1) {
            throw new EngineException.Invalid(
                    "create " + name + ": volume name is too short, names should be at least two alphanumeric characters");
        }
        if (!isName(name) || name.length() > LONGEST_NAME) {
            throw new EngineException.Invalid("create " + name + ": \"" + name + "\" includes invalid characters for a"
                    + " local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a"
                    + " host directory, use absolute path");
        }
        return name;
    }

    /// Those made for a container that is not made after all whose rows are to go: nobody else asked for them meanwhile.
    public List<String> unwanted(String container, Claim claim) {
        return claim.made().stream()
                .filter(name -> entries.get(name) instanceof VolumeEntry entry && isUnwanted(entry, container))
                .toList();
    }

    private static boolean isUnwanted(VolumeEntry entry, String container) {
        return !entry.asked && entry.users.stream().allMatch(container::equals);
    }

    /// Gives back what [#claim] took, because the container was not made after all; volumes made for it go, unless somebody
    /// else asked for them meanwhile.
    public void abandon(String container, Claim claim) {
        for (var volume : volumes(claim.mounts())) {
            var entry = entries.get(volume.name());
            if (entry == null) {
                continue;
            }
            entry.work.lock();
            try {
                entry.users.remove(container);
                if (claim.made().contains(volume.name()) && !entry.gone) {
                    if (isUnwanted(entry, container)) {
                        drop(entry);
                    } else { // whoever began to use it meanwhile wrote no row: that was ours to write
                        database.write(new Change.PutVolume(entry.volume.row()));
                    }
                }
            } catch (EngineException e) {
                LOG.warn("the row of volume {} could not be written; the next start of the engine does it", volume.name(), e);
            } finally {
                entry.work.unlock();
            }
        }
    }

    /// The rows that go with a container that is removed with its anonymous volumes: those no one else names. They are
    /// to be deleted in the transaction that deletes the container; afterwards [#release] is called.
    public List<String> leaving(String container, List<MountRequest> mounts) {
        return volumes(mounts).stream()
                .filter(MountRequest.Volume::anonymous)
                .filter(volume -> entries.get(volume.name()) instanceof VolumeEntry entry
                        && entry.users.stream().allMatch(container::equals))
                .map(MountRequest.Volume::name)
                .distinct()
                .toList();
    }

    /// The container is gone, and so are the rows of `leaving`, unless somebody began to name them meanwhile.
    public void release(String container, List<MountRequest> mounts, List<String> leaving) {
        for (var volume : volumes(mounts)) {
            var entry = entries.get(volume.name());
            if (entry == null) {
                continue;
            }
            entry.users.remove(container);
            if (!leaving.contains(volume.name())) {
                continue; // its lock may be long in coming
            }
            entry.work.lock();
            try {
                if (!entry.gone) {
                    if (entry.users.isEmpty()) {
                        drop(entry);
                        tell("destroy", entry.volume, Map.of());
                    } else {
                        database.begin(new Change.PutVolume(entry.volume.row()));
                    }
                }
            } catch (EngineException e) {
                LOG.warn("the row of volume {} could not be written again; the next start of the engine does it",
                        volume.name(), e);
            } finally {
                entry.work.unlock();
            }
        }
    }

    /// Copies what the image of a container in the making has at its volumes into those that are empty. Volumes with a
    /// filesystem of their own wait until that is mounted.
    public void copyUp(ContainerFiles files, RootfsPlan root, List<MountRequest> mounts) throws EngineException {
        for (var volume : volumes(mounts)) {
            var entry = entries.get(volume.name());
            if (entry != null && copies(volume.wishes()) && !entry.volume.driverOptions().needsMount()) {
                entry.work.lock();
                try {
                    directories.copyUp(new ImageContent(files, root, volume.target()), volume.name(),
                            SizedVolume.of(limits, entry.volume));
                } finally {
                    entry.work.unlock();
                }
            }
        }
    }

    static boolean copies(VolumeWishes wishes) {
        return wishes.copy() && wishes.subpath().isEmpty();
    }

    /// Removes a volume that no container names: its directory first, then its row.
    void remove(VolumeEntry entry) throws EngineException {
        entry.work.lock();
        try {
            if (entry.gone) {
                throw new EngineException.NotFound("get " + entry.volume.name() + ": no such volume");
            }
            refuseUsed("remove", entry);
            home.demand("remove " + entry.volume.name());
            directories.remove(entry.volume.name());
            entry.gone = true;
            try {
                database.write(new Change.DeleteVolume(entry.volume.name()));
                limits.release(entry.volume.name());
            } finally {
                entries.remove(entry.volume.name(), entry); // whoever wants the name waited
            }
        } finally {
            entry.work.unlock();
        }
        tell("destroy", entry.volume, Map.of());
    }

    /// Under the entry's lock.
    static void refuseUsed(String what, VolumeEntry entry) throws EngineException.Conflict {
        if (!entry.users.isEmpty()) {
            throw new EngineException.Conflict(what + " " + entry.volume.name() + ": volume is in use - ["
                    + String.join(", ", entry.users.stream().sorted().toList()) + "]");
        }
    }

    /// Under the lock of `entry`, which nobody uses: it is called `next` from now on. The row says so first, then the
    /// directory moves, then the row gets its name: a death in between leaves what the next start finishes or takes back.
    void rename(VolumeEntry entry, String next) throws EngineException {
        var old = entry.volume;
        home.demand("rename " + old.name());
        var renamed = old.renamed(next, directories.data(next));
        var place = new VolumeEntry(renamed);
        place.work.lock(); // whoever wants the new name waits
        boolean begun = false;
        try {
            if (entries.putIfAbsent(next, place) != null) {
                throw new EngineException.Conflict(
                        "rename " + old.name() + ": a volume named " + next + " exists already");
            }
            database.write(new Change.PutVolume(old.rowOnTheWayTo(next)));
            begun = true;
            directories.rename(old.name(), next);
            database.write(renaming(old, renamed).toArray(Change[]::new));
            limits.renamed(old.name(), next);
            place.made = true;
            entry.gone = true;
            entries.remove(old.name(), entry);
        } finally {
            if (!place.made) {
                if (begun) {
                    takeBack(old, next);
                }
                place.gone = true;
                entries.remove(next, place);
            }
            place.work.unlock();
        }
    }

    private void takeBack(Volume old, String next) {
        try {
            if (!directories.isThere(old.name())) {
                directories.rename(next, old.name());
            }
            database.write(new Change.PutVolume(old.row()));
        } catch (EngineException e) {
            LOG.warn("volume {} was not renamed to {}, and that could not be taken back; the next start of the engine settles"
                    + " it: {}", old.name(), next, e.getMessage());
        }
    }
}
