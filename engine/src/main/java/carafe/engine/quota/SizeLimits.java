package carafe.engine.quota;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.ProjectRow;
import carafe.files.DirectoryQuotas;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which project belongs to which owner of one kind, all on one file system.
///
/// A number is written down before a directory gets it, so that after a crash it is known whose it was. It is taken from
/// a range of the engine's own, at random, and only if no file has it and no limit is set for it: so a number whose
/// files are still being deleted is not used again, and that of another engine on the same file system is not either.
/// Two engines may choose the same at the same moment: whoever then finds more than the one new directory under the
/// number leaves it before setting a limit. A number that is written down for an owner of another kind, perhaps on another
/// file system, is not taken either. The object's lock guards `projects`; the disk is never asked under it.
public final class SizeLimits {

    private static final Logger LOG = LoggerFactory.getLogger(SizeLimits.class);

    /// The range: hosts give small numbers by hand (/etc/projid), other engines count from one.
    static final int FIRST = 0x43000000;
    static final int COUNT = 1 << 24;
    private static final int ATTEMPTS = 64;

    /// File systems keep limits in blocks of their own, which are smaller.
    private static final int ROUNDED_BYTES = 1 << 16;

    private final Database database;
    private final DirectoryQuotas quotas;
    private final String kind;
    private final RandomGenerator random;
    private final Failpoints failpoints;
    private final Map<String, Integer> projects = new HashMap<>();

    /// The limits of owners of this kind on the file system of `quotas`. Knows none before [#read].
    public SizeLimits(Database database, DirectoryQuotas quotas, String kind, RandomGenerator random,
            Failpoints failpoints) {
        this.database = database;
        this.quotas = quotas;
        this.kind = kind;
        this.random = random;
        this.failpoints = failpoints;
    }

    /// Reads what was written down.
    public void read() throws EngineException {
        for (var row : database.projects()) {
            if (row.kind().equals(kind)) {
                put(row.owner(), row.project());
            }
        }
    }

    private synchronized void put(String owner, int project) {
        projects.put(owner, project);
    }

    /// Gives numbers back whose owner is not among `owners` any more.
    public void settle(Set<String> owners) {
        for (var owner : known().keySet()) {
            if (!owners.contains(owner)) {
                release(owner);
            }
        }
    }

    private synchronized Map<String, Integer> known() {
        return Map.copyOf(projects);
    }

    /// Tells of a directory that has a limit by our notes and has none on the disk: mounted without quotas, or copied. A
    /// limit that is another than `bytes`, because somebody changed it, say, is set again; 0 is one that nobody knows.
    public void verify(String owner, Path directory, long bytes) {
        var project = project(owner);
        if (project.isEmpty()) {
            return;
        }
        try {
            if (!quotas.enforced()) {
                LOG.warn("the size of {} {} is not limited any more: {}", kind, owner, quotas.advice());
            } else if (quotas.project(directory) != project.getAsInt()) {
                LOG.warn("the size of {} {} is not limited any more: {} has lost its project {}; a clone of it has a limit"
                        + " again", kind, owner, directory, project.getAsInt());
            } else if (bytes > 0) {
                verifyLimit(owner, project.getAsInt(), bytes);
            }
        } catch (EngineException e) {
            LOG.warn("whether the size of {} {} is limited is not known: {}", kind, owner, e.getMessage());
        }
    }

    private void verifyLimit(String owner, int project, long bytes) throws EngineException {
        long now = quotas.usage(project).limitBytes();
        if (now < bytes || now >= bytes + ROUNDED_BYTES) {
            quotas.limit(project, bytes);
            LOG.warn("the size of {} {} was limited to {} bytes by somebody else (0 is no limit); it is {} again",
                    kind, owner, now, bytes);
        }
    }

    /// Whether sizes can be limited now.
    public boolean available() throws EngineException {
        return quotas.enforced();
    }

    /// What is to be done so that sizes can be limited: the end of a sentence.
    public String advice() {
        return quotas.advice();
    }

    private synchronized OptionalInt project(String owner) {
        var known = projects.get(owner);
        return known == null ? OptionalInt.empty() : OptionalInt.of(known);
    }

    /// Limits the empty `directory` of `owner` and all that will be made below it. Who has a number gets no other: a
    /// second directory counts with the first.
    public void place(String owner, Path directory, long bytes) throws EngineException {
        var known = project(owner);
        if (known.isPresent()) {
            quotas.assign(directory, known.getAsInt());
            quotas.limit(known.getAsInt(), bytes);
            return;
        }
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            var chosen = choose(owner);
            if (chosen.isEmpty()) {
                continue;
            }
            int project = chosen.get();
            if (!note(owner, project)) {
                continue;
            }
            pass("quota.noted");
            quotas.assign(directory, project);
            pass("quota.assigned");
            var usage = quotas.usage(project);
            if (usage.files() == 1 && usage.limitBytes() == 0) {
                quotas.limit(project, bytes);
                pass("quota.limited");
                return;
            }
            LOG.info("project {} was chosen by another engine at the same moment", project);
            forget(owner);
            database.write(new Change.DeleteProject(project));
        }
        throw new EngineException.Unavailable("no free project number was found for " + kind + " " + owner + " in "
                + ATTEMPTS + " attempts: of the " + COUNT + " from " + FIRST + " on almost all have files or limits;"
                + " see them with repquota -P");
    }

    private void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (IOException e) {
            throw new EngineException.Internal("cannot limit the size of a " + kind + ": " + e.getMessage(), e);
        }
    }

    private Optional<Integer> choose(String owner) throws EngineException {
        int candidate = FIRST + random.nextInt(COUNT);
        var usage = quotas.usage(candidate);
        boolean unused = usage.files() == 0 && usage.bytes() == 0 && usage.limitBytes() == 0;
        return unused && claim(owner, candidate) ? Optional.of(candidate) : Optional.empty();
    }

    private synchronized boolean claim(String owner, int candidate) {
        if (projects.containsValue(candidate)) {
            return false;
        }
        projects.put(owner, candidate);
        return true;
    }

    /// False where the number is another kind's. What cannot be written is forgotten.
    private boolean note(String owner, int project) throws EngineException {
        boolean noted = false;
        try {
            database.write(new Change.PutProject(new ProjectRow(project, kind, owner)));
            noted = database.projects().contains(new ProjectRow(project, kind, owner));
        } finally {
            if (!noted) {
                forget(owner);
            }
        }
        return noted;
    }

    private synchronized void forget(String owner) {
        projects.remove(owner);
    }

    /// Whether what `owner` has is more than it may be, and what it takes.
    public Optional<Long> excessive(String owner) throws EngineException {
        var project = project(owner);
        if (project.isEmpty() || !quotas.exceeded(project.getAsInt())) {
            return Optional.empty();
        }
        return Optional.of(quotas.usage(project.getAsInt()).bytes());
    }

    /// `owner` is called `next` from now on: what is to be written with its new name, if it has a limit.
    public Optional<Change> renaming(String owner, String next) {
        var project = project(owner);
        return project.isEmpty()
                ? Optional.empty()
                : Optional.of(new Change.PutProject(new ProjectRow(project.getAsInt(), kind, next)));
    }

    /// The change of [#renaming] is durable.
    public synchronized void renamed(String owner, String next) {
        var project = projects.remove(owner);
        if (project != null) {
            projects.put(next, project);
        }
    }

    /// `owner` is gone: its number is free once its files are. What cannot be given back now is at the next start.
    public void release(String owner) {
        var project = project(owner);
        if (project.isEmpty()) {
            return;
        }
        try {
            pass("quota.release");
            quotas.limit(project.getAsInt(), 0);
            pass("quota.unlimited");
            database.write(new Change.DeleteProject(project.getAsInt()));
            forget(owner);
        } catch (EngineException e) {
            LOG.warn("project {} of {} {} was not given back; the next start of the engine does it: {}",
                    project.getAsInt(), kind, owner, e.getMessage());
        }
    }
}
