package carafe.engine.volume;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.files.VolumeDirectories;
import carafe.spec.EngineException;
import java.util.Optional;
import java.util.UUID;

/// Whether the directory of volumes is the one that the database means. When the disk of volumes is not mounted the path
/// leads to another directory, where everything seems to be gone, though it is not. So the directory has an id, in a file
/// of its own, and the database has the same one.
///
/// Asked anew each time, so a disk that goes or comes while the engine runs is noticed. The file is written first: after
/// a crash before the database has the id, that of the file is taken.
final class VolumesHome {

    private static final String SETTING = "volumes-id";

    private final Database database;
    private final VolumeDirectories directories;
    private volatile String known = "";

    /// Knows no id before [#open].
    VolumesHome(Database database, VolumeDirectories directories) {
        this.database = database;
        this.directories = directories;
    }

    /// At the engine's opening. What was there before there were ids, and is there the first time, is the one that is
    /// meant; so is another one if `nothing` is known of the one before.
    void open(boolean nothing) throws EngineException {
        var written = database.setting(SETTING);
        if (written.isPresent()) {
            known = written.get();
        }
        if (written.isEmpty()) {
            var there = directories.id().filter(id -> !id.isEmpty());
            known = there.isPresent() ? there.get() : mark();
            database.write(new Change.Put(SETTING, known));
        } else if (nothing && directories.id().isEmpty()) {
            adopt();
        }
    }

    private String mark() throws EngineException {
        String id = UUID.randomUUID().toString();
        directories.mark(id);
        return id;
    }

    /// The directory that is there now is the one that is meant from now on. One that has an id keeps it.
    void adopt() throws EngineException {
        var there = directories.id().filter(id -> !id.isEmpty());
        String id = there.isPresent() ? there.get() : mark();
        database.write(new Change.Put(SETTING, id));
        known = id;
    }

    /// What is wrong if it is another one: the end of a sentence, with what to do.
    Optional<String> fault() {
        String why;
        try {
            var there = directories.id();
            if (there.isPresent() && there.get().equals(known)) {
                return Optional.empty();
            }
            why = there.isPresent() ? "it has the mark of another one" : "it has no mark";
        } catch (EngineException e) {
            why = String.valueOf(e.getMessage());
        }
        return Optional.of(directories.root() + " is not the directory of volumes that this engine knows (" + why
                + "): mount the disk of volumes there and restart the engine, or, if this directory is to be used from now"
                + " on: carafe system check --repair");
    }

    /// Refuses to do something with volumes in another directory than the one that is meant.
    void demand(String doing) throws EngineException.Unavailable {
        var fault = fault();
        if (fault.isPresent()) {
            throw new EngineException.Unavailable(doing + ": " + fault.get());
        }
    }
}
