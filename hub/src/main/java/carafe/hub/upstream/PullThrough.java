package carafe.hub.upstream;

import carafe.hub.notice.Metrics;
import carafe.hub.store.Document;
import carafe.hub.store.Overwrite;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Repositories;
import carafe.hub.store.Repository;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings what is asked for from upstreams into the hub's own repositories: `PREFIX/NAME` is `NAME` at the upstream of
/// that prefix. A tag taken over is asked for again when it is older than `fresh`; when the upstream cannot be reached,
/// what is here is served. A tag that was pushed here stays as it was pushed.
public final class PullThrough {

    private static final Logger LOG = LoggerFactory.getLogger(PullThrough.class);
    private static final int MOST_TRANSFERS = 256;

    private final List<Mirror> mirrors;
    private final Repositories repositories;
    private final Metrics metrics;
    private final Clock clock;
    private final Map<String, Transfer> transfers = new ConcurrentHashMap<>();

    /// The upstream of the repositories below `prefix`, whose tags are believed for `fresh`.
    public record Mirror(String prefix, Upstream upstream, Duration fresh) {}

    /// With these upstreams; none is fine.
    public PullThrough(List<Mirror> mirrors, Repositories repositories, Metrics metrics, Clock clock) {
        this.mirrors = List.copyOf(mirrors);
        this.repositories = repositories;
        this.metrics = metrics;
        this.clock = clock;
    }

    /// Whether there is an upstream for the prefix, as the `ns` parameter of a mirror's client names it.
    public boolean serves(String prefix) {
        return mirrors.stream().anyMatch(mirror -> mirror.prefix().equals(prefix));
    }

    private Optional<Mirror> mirror(String repository) {
        return mirrors.stream().filter(mirror -> repository.startsWith(mirror.prefix() + "/")).findFirst();
    }

    private static String there(Mirror mirror, String repository) {
        return repository.substring(mirror.prefix().length() + 1);
    }

    /// Makes sure that the manifest under `tag` is as new as it has to be, if an upstream has it.
    public void freshen(String repository, String tag) throws IOException, Refusal {
        var mirror = mirror(repository);
        if (mirror.isEmpty()) {
            return;
        }
        var known = repositories.find(repository).map(here -> here.tags().get(tag));
        if (known.isPresent()) {
            boolean fresh = known.get().at().plus(mirror.get().fresh()).isAfter(clock.instant());
            if (!known.get().cached() || fresh && holds(known.get().manifest())) {
                count("hit");
                return;
            }
        }
        try {
            String there = there(mirror.get(), repository);
            var digest = mirror.get().upstream().resolve(there, tag);
            if (digest.isPresent() && retag(repository, tag, digest.get())) {
                count("revalidated");
            } else if (!fetch(mirror.get(), repository, tag, List.of(tag)) && known.isPresent()) {
                repositories.open(repository).untag(tag); // no answer to HEAD says too little: some registries give none
            }
        } catch (IOException e) {
            if (known.isEmpty()) {
                throw new Refusal(Reason.UNAVAILABLE, "the upstream of " + repository + " cannot be reached: " + e.getMessage());
            }
            count("stale");
            LOG.warn("{}:{} is served as it was: {}", repository, tag, e.getMessage());
        }
    }

    /// Whether the bytes of a manifest are here; they may be gone because they were damaged.
    private boolean holds(Digest manifest) throws IOException {
        return repositories.content().document(manifest).isPresent();
    }

    /// False when the manifest is not here.
    private boolean retag(String repository, String tag, Digest digest) throws IOException, Refusal {
        var here = repositories.open(repository);
        var document = here.document(digest);
        if (document.isPresent()) {
            here.put(document.get(), List.of(tag), Overwrite.CACHED);
        }
        return document.isPresent();
    }

    /// Makes sure that the manifest `digest` is here, if an upstream has it.
    public void freshen(String repository, Digest digest) throws IOException, Refusal {
        var mirror = mirror(repository);
        if (mirror.isEmpty() || repositories.find(repository).flatMap(here -> here.manifest(digest)).isPresent()
                && holds(digest)) {
            return;
        }
        try {
            fetch(mirror.get(), repository, digest.toString(), List.of());
        } catch (IOException e) {
            throw new Refusal(Reason.UNAVAILABLE, "the upstream of " + repository + " cannot be reached: " + e.getMessage());
        }
    }

    /// Whether the upstream has it.
    private boolean fetch(Mirror mirror, String repository, String reference, List<String> tags) throws IOException, Refusal {
        var found = mirror.upstream().manifest(there(mirror, repository), reference);
        if (found.isEmpty()) {
            return false;
        }
        boolean pinned = tags.isEmpty();
        var algorithm = pinned && reference.startsWith("sha512:") ? Digest.Algorithm.SHA512 : Digest.Algorithm.SHA256;
        var document = Document.parse(found.get().bytes(), found.get().mediaType(), algorithm);
        if (pinned && !document.digest().toString().equals(reference)) {
            throw new Refusal(Reason.UNAVAILABLE, "the upstream of " + repository + " sent something else than " + reference);
        }
        repositories.open(repository).put(document, tags, Overwrite.CACHED);
        count("miss");
        return true;
    }

    /// How long the blob is that an upstream is said to have; empty when no manifest here names it.
    public OptionalLong size(String repository, Digest digest) throws IOException, Refusal {
        var here = mirror(repository).isEmpty() ? Optional.<Repository>empty() : repositories.find(repository);
        var blob = here.isEmpty() ? Optional.<Descriptor>empty() : named(here.get(), digest);
        return blob.isEmpty() ? OptionalLong.empty() : OptionalLong.of(blob.get().size());
    }

    /// A blob on its way from an upstream; empty when no manifest here names it. Several may follow one transfer.
    public Optional<Transfer> blob(String repository, Digest digest) throws IOException, Refusal {
        var mirror = mirror(repository);
        var here = mirror.isEmpty() ? Optional.<Repository>empty() : repositories.find(repository);
        var blob = here.isEmpty() ? Optional.<Descriptor>empty() : named(here.get(), digest);
        if (blob.isEmpty() || mirror.isEmpty()) {
            return Optional.empty();
        }
        String key = repository + "@" + digest;
        synchronized (transfers) {
            var running = transfers.get(key);
            if (running != null) {
                return Optional.of(running);
            }
            if (transfers.size() >= MOST_TRANSFERS) {
                throw new Refusal(Reason.TOO_MANY_REQUESTS, "too many blobs are being fetched from upstreams");
            }
            var transfer = new Transfer(repositories.content().blobs(), repository, blob.get());
            transfers.put(key, transfer);
            Thread.ofVirtual().name("carafe-hub-fetch").start(() -> run(transfer, mirror.get(), here.get()));
            return Optional.of(transfer);
        }
    }

    /// Fetches anew what `here` links and has no more; blocks until it is here. False when no upstream has it.
    public boolean fetchAnew(Repository here, Digest digest) throws IOException, Refusal {
        if (here.manifest(digest).isPresent()) {
            freshen(here.name(), digest);
            return holds(digest);
        }
        var transfer = blob(here.name(), digest);
        if (transfer.isEmpty()) {
            return false;
        }
        transfer.get().awaitEnd();
        return repositories.content().blobs().size(digest).isPresent();
    }

    /// How a manifest here describes the blob: nothing else is fetched, and its length is known before it comes.
    private static Optional<Descriptor> named(Repository here, Digest digest) throws IOException, Refusal {
        for (var manifest : here.manifests().keySet()) {
            var document = here.document(manifest);
            for (var part : document.isPresent() ? document.get().blobs() : List.<Descriptor>of()) {
                if (part.digest().equals(digest)) {
                    return Optional.of(part);
                }
            }
        }
        return Optional.empty();
    }

    private void run(Transfer transfer, Mirror mirror, Repository here) {
        var blob = transfer.blob();
        try (var incoming = mirror.upstream().blob(there(mirror, here.name()), blob)) {
            transfer.receive(incoming, repositories.room(here.name(), Optional.of(blob.digest())));
            here.fill(transfer.upload(), blob.digest());
            transfer.complete();
            metrics.add("carafe_hub_upstream_bytes_total", blob.size());
        } catch (IOException | Refusal | RuntimeException e) {
            LOG.warn("fetching {} of {} failed: {}", blob.digest(), here.name(), e.getMessage());
            transfer.failed(String.valueOf(e.getMessage()));
        } finally {
            synchronized (transfers) {
                transfers.remove(here.name() + "@" + blob.digest());
            }
            transfer.end();
        }
    }

    private void count(String result) {
        metrics.add("carafe_hub_upstream_manifests_total{result=\"" + result + "\"}", 1);
    }
}
