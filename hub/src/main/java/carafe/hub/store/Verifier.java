package carafe.hub.store;

import carafe.hub.store.Content.Examined;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads everything that is stored and compares it with its digests, while pushes, pulls and collections go on: no lock
/// is held while it reads. What is damaged is taken away only when repairs are wanted, and brought back from memory or
/// from an upstream where one has it; else the next push brings it.
public final class Verifier {

    private static final Logger LOG = LoggerFactory.getLogger(Verifier.class);

    private final Repositories repositories;
    private final Source source;
    private final ReentrantLock running = new ReentrantLock();

    /// Brings bytes anew that are linked in a repository and gone.
    public interface Source {
        /// Fetches the manifest or blob for `repository`. False when it is nowhere to be had.
        boolean fetch(Repository repository, Digest digest) throws IOException, Refusal;
    }

    /// One thing that is, or was, damaged: `kind` is `manifest`, `blob` or, for a repository whose facts cannot be read,
    /// `repository` with its name in the place of the digest; `repositories` are those that link it.
    public record Fault(String kind, String subject, String what, List<String> repositories, boolean repaired) {
        public Fault {
            repositories = List.copyOf(repositories);
        }
    }

    /// What was read and what was found.
    public record Report(int blobs, long bytes, List<Fault> faults) {
        public Report {
            faults = List.copyOf(faults);
        }
    }

    /// Over `repositories`; repairs come from `source`.
    public Verifier(Repositories repositories, Source source) {
        this.repositories = repositories;
        this.source = source;
    }

    private record Damage(Digest digest, Optional<Examined> found) {
        private String what() {
            return found.flatMap(Examined::fault).orElse("its bytes are not here");
        }
    }

    /// Reads all of it; blocks until that is done, a second caller waits for the first. With `repair`, what is damaged is
    /// set aside and fetched anew; what cannot be read, when it failed twice.
    /// @throws InterruptedIOException the thread was interrupted; nothing sound was set aside
    public Report run(boolean repair) throws IOException, Refusal {
        running.lock();
        try {
            return read(repair);
        } catch (ClosedByInterruptException e) {
            throw interrupted();
        } finally {
            running.unlock();
        }
    }

    private static InterruptedIOException interrupted() {
        return new InterruptedIOException("the verification was interrupted before all was read");
    }

    private static void requireGoing() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw interrupted();
        }
    }

    private Report read(boolean repair) throws IOException, Refusal {
        var content = repositories.content();
        var faults = new ArrayList<Fault>();
        var open = open(faults);
        var damaged = new ArrayList<Damage>();
        var digests = new ArrayList<Digest>();
        content.blobs().each(digests::add);
        long bytes = 0;
        for (var digest : digests) {
            requireGoing();
            var found = content.examine(digest);
            if (found.filter(Examined::unreadable).isPresent()) {
                found = content.examine(digest); // once is the disk's bad moment
            }
            bytes += found.map(Examined::size).orElse(0L);
            if (found.flatMap(Examined::fault).isPresent()) {
                damaged.add(new Damage(digest, found));
            }
        }
        missing(open, new LinkedHashSet<>(digests)).forEach(digest -> damaged.add(new Damage(digest, Optional.empty())));
        // Manifests first: what they are made of is known at an upstream by them.
        damaged.sort((one, other) -> Boolean.compare(isManifest(open, other), isManifest(open, one)));
        if (repair) {
            for (var each : damaged) {
                requireGoing();
                if (each.found().isPresent()) {
                    content.takeAway(each.digest(), each.found().get().stamp());
                }
            }
        }
        for (var each : damaged) {
            requireGoing();
            faults.add(fault(open, each, repair && repaired(open, each)));
        }
        return new Report(digests.size(), bytes, faults);
    }

    private List<Repository> open(List<Fault> faults) {
        var open = new ArrayList<Repository>();
        for (String name : repositories.all()) {
            try {
                open.add(repositories.open(name));
            } catch (IOException e) {
                faults.add(new Fault("repository", name, String.valueOf(e.getMessage()), List.of(name), false));
            }
        }
        return open;
    }

    /// What is linked, now and before, and not here: whoever links puts the bytes there first.
    private List<Digest> missing(List<Repository> open, LinkedHashSet<Digest> here) throws IOException {
        var linked = new LinkedHashSet<Digest>();
        open.forEach(repository -> repository.eachDigest(linked::add));
        linked.removeAll(here);
        var missing = new ArrayList<Digest>();
        for (var digest : linked) {
            if (repositories.content().blobs().size(digest).isEmpty() && !users(open, digest).isEmpty()) {
                missing.add(digest);
            }
        }
        return missing;
    }

    private static List<Repository> users(List<Repository> open, Digest digest) {
        return open.stream()
                .filter(repository -> repository.blob(digest).isPresent() || repository.manifest(digest).isPresent())
                .toList();
    }

    private static boolean isManifest(List<Repository> open, Damage damage) {
        return open.stream().anyMatch(repository -> repository.manifest(damage.digest()).isPresent());
    }

    private static Fault fault(List<Repository> open, Damage damage, boolean repaired) {
        return new Fault(isManifest(open, damage) ? "manifest" : "blob", damage.digest().toString(), damage.what(),
                users(open, damage.digest()).stream().map(Repository::name).toList(), repaired);
    }

    /// What nothing links is repaired by being gone.
    private boolean repaired(List<Repository> open, Damage damage) {
        var digest = damage.digest();
        var users = users(open, digest);
        try {
            if (users.isEmpty() || repositories.content().restore(digest, users.getFirst().name())) {
                return true;
            }
        } catch (IOException | Refusal e) {
            LOG.warn("{} cannot be stored anew: {}", digest, e.getMessage());
        }
        for (var user : users) {
            try {
                if (source.fetch(user, digest)) {
                    return true;
                }
            } catch (IOException | Refusal e) {
                LOG.warn("{} cannot be had for {}: {}", digest, user.name(), e.getMessage());
            }
        }
        return false;
    }
}
