package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Frees what nothing names any more, while pushes and pulls go on.
///
/// First each repository forgets, under its own lock, the blobs that none of its manifests is made of and whose lease is
/// over (`grace` after they were last pushed, mounted or asked for by a pusher). Then bytes that no repository links
/// are deleted, each under its digest's lock; see [Content] for why a push cannot lose that race.
/// A repository that cannot be read ends the round: what it links is not known.
public final class Collector {

    private static final Logger LOG = LoggerFactory.getLogger(Collector.class);
    private static final Duration DAMAGED_KEPT = Duration.ofDays(7);

    private final Repositories repositories;
    private final Retention retention;
    private final Duration grace;
    private final Duration uploadLife;
    private final Clock clock;
    private final ReentrantLock running = new ReentrantLock();

    /// What one round did.
    public record Round(int expired, int forgotten, int deleted, int uploads) {}

    /// Leases last `grace`, idle uploads `uploadLife`.
    public Collector(Repositories repositories, Retention retention, Duration grace, Duration uploadLife, Clock clock) {
        this.repositories = repositories;
        this.retention = retention;
        this.grace = grace;
        this.uploadLife = uploadLife;
        this.clock = clock;
    }

    /// One round; a second caller waits for the first. Blocks on the disk.
    public Round run() throws IOException, Refusal {
        running.lock();
        try {
            Instant now = clock.instant();
            int expired = 0;
            int forgotten = 0;
            for (String name : repositories.all()) {
                var repository = repositories.open(name);
                expired += expired(repository, now);
                forgotten += repository.forgetUnused(now.minus(grace));
            }
            int uploads = repositories.content().blobs().dropUploads(now.minus(uploadLife));
            repositories.content().blobs().dropDamaged(now.minus(DAMAGED_KEPT));
            int deleted = deleteUnlinked();
            var round = new Round(expired, forgotten, deleted, uploads);
            if (expired + forgotten + deleted + uploads > 0) {
                LOG.info("collected: {} tags and manifests expired, {} blobs unlinked, {} deleted, {} uploads dropped",
                        expired, forgotten, deleted, uploads);
            }
            return round;
        } finally {
            running.unlock();
        }
    }

    /// A repository of which nobody can say what a manifest is made of keeps what the rules would take; the others do not.
    private int expired(Repository repository, Instant now) throws IOException, Refusal {
        try {
            return retention.apply(repository, now);
        } catch (Refusal e) {
            if (e.reason() != Refusal.Reason.UNAVAILABLE) {
                throw e;
            }
            LOG.warn("the retention of {} ended early: {}", repository.name(), e.getMessage());
            return 0;
        }
    }

    private int deleteUnlinked() throws IOException {
        var content = repositories.content();
        content.openEpoch();
        try {
            Set<Digest> linked = new HashSet<>();
            for (String name : repositories.all()) {
                repositories.open(name).eachDigest(linked::add);
            }
            var unlinked = new HashSet<Digest>();
            content.blobs().each(digest -> {
                if (!linked.contains(digest)) {
                    unlinked.add(digest);
                }
            });
            int deleted = 0;
            for (var digest : unlinked) {
                deleted += content.deleteUnlinked(digest) ? 1 : 0;
            }
            return deleted;
        } finally {
            content.closeEpoch();
        }
    }
}
