package carafe.engine.volume;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.files.VolumeDirectories;
import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether the directory of volumes is the one that the database means. When the disk of volumes is not mounted the path
/// leads to another directory, where everything seems to be gone, though it is not. So the directory has an id, in a file
/// of its own, and the database has the same one.
///
/// Asked anew each time, so a disk that goes or comes while the engine runs is noticed. The file is written first: after
/// a crash before the database has the id, that of the file is taken. The database has the id no sooner than the rows of
/// what was found there, or the next start would take that for leavings.
final class VolumesHome {

    private static final Logger LOG = LoggerFactory.getLogger(VolumesHome.class);
    private static final String SETTING = "volumes-id";

    private final Database database;
    private final VolumeDirectories directories;
    private volatile String known = "";
    private volatile boolean unmarked;

    /// Knows no id before [#open].
    VolumesHome(Database database, VolumeDirectories directories) {
        this.database = database;
        this.directories = directories;
    }

    /// What an opening found: `changes` are to be written together with the rows of what lies there. `unknown` is a directory
    /// that the database never knew: it may be a new database, and nothing there is a crash's leavings.
    record Opened(List<Change> changes, boolean unknown) {}

    /// At the engine's opening. What was there before there were ids, and is there the first time, is the one that is
    /// meant; so is an empty one that has no id if `nothing` is known of the one before. One that cannot be marked is used
    /// without, until a start can.
    Opened open(boolean nothing) throws EngineException {
        var written = database.setting(SETTING);
        known = written.orElse("");
        try {
            if (written.isEmpty()) {
                known = claim();
                return new Opened(List.of(new Change.Put(SETTING, known)), true);
            }
            if (nothing && directories.id().isEmpty()) {
                known = mark();
                return new Opened(List.of(new Change.Put(SETTING, known)), false);
            }
        } catch (EngineException e) {
            unmarked = written.isEmpty();
            LOG.warn("the directory of volumes got no mark, so that a start without its disk would not be noticed; the next"
                    + " start tries again: {}", e.getMessage());
        }
        return new Opened(List.of(), unmarked);
    }

    private String mark() throws EngineException {
        String id = UUID.randomUUID().toString();
        directories.mark(id);
        return id;
    }

    /// The id by which the directory that is there now is to be the one that is meant: its own, if it has one.
    String claim() throws EngineException {
        String there = directories.id().orElse("");
        return there.isEmpty() ? mark() : there;
    }

    /// Writes down, with `rows`, that the directory with this id is the one that is meant from now on.
    void adopt(String id, List<Change> rows) throws EngineException {
        var changes = new ArrayList<>(rows);
        changes.add(new Change.Put(SETTING, id));
        database.write(changes.toArray(Change[]::new));
        known = id;
    }

    /// What is wrong if it is another one: the end of a sentence, with what to do.
    Optional<String> fault() {
        if (unmarked) {
            return Optional.empty();
        }
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
                + " on: carafe system check --take-volumes");
    }

    /// Refuses to do something with volumes in another directory than the one that is meant.
    void demand(String doing) throws EngineException.Unavailable {
        var fault = fault();
        if (fault.isPresent()) {
            throw new EngineException.Unavailable(doing + ": " + fault.get());
        }
    }
}
