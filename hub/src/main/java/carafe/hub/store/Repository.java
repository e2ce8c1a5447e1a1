package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One repository: which blobs, manifests and tags it has. Readers take no lock; changes are durable in the journal
/// before they can be seen, but for links to blobs that no manifest here names yet (ADR 43).
///
/// Invariants: a tag names a manifest of the repository; what a pushed manifest is made of is here as long as it is.
/// Lock order: a digest's lock (see [Content]), then the repository's.
public final class Repository {

    private static final Logger LOG = LoggerFactory.getLogger(Repository.class);

    private final String name;
    private final Content content;
    private final Journal journal;
    private final List<Quota> quotas;
    private final Clock clock;

    /// Guards every change, the journal's write included: the order of the lines is the order of the changes.
    private final ReentrantLock lock = new ReentrantLock();

    private final Map<Digest, Links.Blob> blobs = new ConcurrentHashMap<>();
    /// Those of `blobs` that are not written down, as no manifest here names them yet: they and their bytes become
    /// durable with the first that does. Under the lock.
    private final Set<Digest> pending = new HashSet<>();

    private final Map<Digest, Links.Manifest> manifests = new ConcurrentHashMap<>();
    private final NavigableMap<String, Links.Tag> tags = new ConcurrentSkipListMap<>();
    private final Map<Digest, Set<Digest>> referrers = new ConcurrentHashMap<>();

    Repository(String name, Content content, Journal.Opened opened, List<Quota> quotas, Clock clock) {
        this.name = name;
        this.content = content;
        this.journal = opened.journal();
        this.quotas = quotas.stream().filter(quota -> quota.namespace().holds(name)).toList();
        this.clock = clock;
        opened.facts().forEach(this::apply);
        blobs.forEach((digest, link) -> this.quotas.forEach(quota -> quota.count(digest, link.size())));
        manifests.forEach((digest, link) -> this.quotas.forEach(quota -> quota.count(digest, link.size())));
    }

    private void apply(Fact fact) {
        switch (fact) {
            case Fact.Linked(var blob, long size, var _) -> blobs.put(blob, new Links.Blob(size, clock.instant()));
            case Fact.Unlinked(var blob) -> blobs.remove(blob);
            case Fact.Stored(var digest, var type, long size, var at, var subject) -> {
                manifests.put(digest, new Links.Manifest(type, size, at, subject));
                subject.ifPresent(to -> referrers.computeIfAbsent(to, _ -> ConcurrentHashMap.newKeySet()).add(digest));
            }
            case Fact.Removed(var digest) -> {
                var gone = manifests.remove(digest);
                if (gone != null) {
                    gone.subject().ifPresent(to -> referrers.getOrDefault(to, Set.of()).remove(digest));
                }
            }
            case Fact.Tagged(var tag, var digest, var at, boolean cached) ->
                tags.put(tag, new Links.Tag(digest, at, cached));
            case Fact.Untagged(var tag) -> tags.remove(tag);
        }
    }

    /// Writes `facts` down, then makes them seen. Under the lock. What was never written down is not unwritten.
    private void change(List<Fact> facts) throws IOException {
        var written = facts.stream()
                .filter(fact -> !(fact instanceof Fact.Unlinked(var blob) && pending.contains(blob)))
                .toList();
        if (!written.isEmpty()) {
            journal.append(written);
        }
        for (var fact : facts) {
            apply(fact);
            switch (fact) {
                case Fact.Linked(var blob, long _, var _) -> pending.remove(blob);
                case Fact.Unlinked(var blob) -> pending.remove(blob);
                case Fact.Stored _, Fact.Removed _, Fact.Tagged _, Fact.Untagged _ -> { }
            }
        }
        if (journal.wasteful(blobs.size() + manifests.size() + tags.size())) {
            journal.rewrite(facts());
        }
    }

    private List<Fact> facts() {
        var all = new ArrayList<Fact>();
        blobs.forEach((digest, link) -> {
            if (!pending.contains(digest)) {
                all.add(new Fact.Linked(digest, link.size(), link.wanted()));
            }
        });
        manifests.forEach((digest, link) ->
                all.add(new Fact.Stored(digest, link.mediaType(), link.size(), link.at(), link.subject())));
        tags.forEach((tag, link) -> all.add(new Fact.Tagged(tag, link.manifest(), link.at(), link.cached())));
        return all;
    }

    /// Its path, as `library/busybox`.
    public String name() {
        return name;
    }

    /// Whether nothing can be pulled from it.
    public boolean isEmpty() {
        return manifests.isEmpty() && blobs.isEmpty();
    }

    /// The tags in order; a live view.
    public NavigableMap<String, Links.Tag> tags() {
        return java.util.Collections.unmodifiableNavigableMap(tags);
    }

    /// The manifests; a live view.
    public Map<Digest, Links.Manifest> manifests() {
        return java.util.Collections.unmodifiableMap(manifests);
    }

    /// The blob's link.
    public Optional<Links.Blob> blob(Digest digest) {
        return Optional.ofNullable(blobs.get(digest));
    }

    /// Whether the blob is here, for who is about to push a manifest with it: renews its lease under the lock, so that
    /// the collector either took it before or leaves it.
    public Optional<Links.Blob> want(Digest digest) {
        lock.lock();
        try {
            var link = blobs.get(digest);
            if (link != null) {
                link.want(clock.instant());
            }
            return Optional.ofNullable(link);
        } finally {
            lock.unlock();
        }
    }

    /// The manifest of that digest.
    public Optional<Links.Manifest> manifest(Digest digest) {
        return Optional.ofNullable(manifests.get(digest));
    }

    /// The manifests that name `subject`, in order of their digests.
    public List<Digest> referrers(Digest subject) {
        return referrers.getOrDefault(subject, Set.of()).stream().sorted().toList();
    }

    /// The bytes of all blobs and manifests.
    public long bytes() {
        return blobs.values().stream().mapToLong(Links.Blob::size).sum()
                + manifests.values().stream().mapToLong(Links.Manifest::size).sum();
    }

    /// Ends `upload`: the blob can be pulled from here. A power cut or a crash may take it until a manifest names it.
    public void commit(Upload upload, Digest digest) throws IOException, Refusal {
        content.linking(digest, () -> {
            long size = upload.size();
            content.commit(upload, digest);
            link(digest, size);
            return size;
        });
    }

    /// Ends `upload` of a blob that a manifest here names already: durable at once.
    public void fill(Upload upload, Digest digest) throws IOException, Refusal {
        content.linking(digest, () -> {
            long size = upload.size();
            upload.commit(digest);
            link(digest, size);
            settle(List.of(digest));
            return size;
        });
    }

    /// Makes all links durable, with their bytes: before the hub ends as it should.
    void settle() throws IOException {
        lock.lock();
        try {
            settle(List.copyOf(pending));
        } finally {
            lock.unlock();
        }
    }

    /// Makes those of `digests` durable that are not.
    private void settle(Collection<Digest> digests) throws IOException {
        lock.lock();
        try {
            content.settle(digests);
            var facts = links(digests);
            if (!facts.isEmpty()) {
                change(facts);
            }
        } finally {
            lock.unlock();
        }
    }

    /// What is to be written down so that those of `digests` outlive a crash that would not. Under the lock.
    private List<Fact> links(Collection<Digest> digests) {
        var facts = new ArrayList<Fact>();
        for (var digest : digests) {
            var link = blobs.get(digest);
            if (link != null && pending.contains(digest)) {
                facts.add(new Fact.Linked(digest, link.size(), link.wanted()));
            }
        }
        return facts;
    }

    /// Makes a blob of another repository one of this. False when its bytes are not there.
    public boolean mount(Digest digest) throws IOException, Refusal {
        return content.linking(digest, () -> {
            var size = content.blobs().size(digest);
            if (size.isPresent()) {
                link(digest, size.getAsLong());
            }
            return size.isPresent();
        });
    }

    private void link(Digest digest, long size) throws IOException, Refusal {
        lock.lock();
        try {
            var known = blobs.get(digest);
            if (known != null) {
                known.want(clock.instant());
                return;
            }
            charged(digest, size, () -> {
                apply(new Fact.Linked(digest, size, clock.instant()));
                pending.add(digest);
            });
        } finally {
            lock.unlock();
        }
    }

    /// What a quota is charged for.
    @FunctionalInterface
    private interface Charge {
        void run() throws IOException;
    }

    /// Charges the quotas for `digest` and makes the change, or does neither.
    private void charged(Digest digest, long size, Charge change) throws IOException, Refusal {
        int taken = 0;
        boolean done = false;
        try {
            for (; taken < quotas.size(); taken++) {
                quotas.get(taken).take(digest, size);
            }
            change.run();
            done = true;
        } finally {
            for (int i = 0; i < taken && !done; i++) {
                quotas.get(i).giveBack(digest, size);
            }
        }
    }

    /// Stores a manifest or index and names it by `tags`. What it is made of must be here, with the sizes it says; that
    /// and what the writer may do to tags is decided under the lock of the write.
    /// @throws Refusal MANIFEST_BLOB_UNKNOWN, SIZE_INVALID, DENIED
    public void put(Document document, List<String> names, Overwrite may) throws IOException, Refusal {
        if (!may.cached()) {
            requireParts(document, true); // before bytes are stored for nothing; what counts is the question under the lock
        }
        content.settle(document.blobs().stream().map(Descriptor::digest).toList());
        content.linking(document.digest(), () -> {
            content.store(document, manifests.containsKey(document.digest()), name);
            lock.lock();
            try {
                if (!may.cached()) {
                    requireParts(document, false);
                }
                record(document, names, may);
                return document;
            } finally {
                lock.unlock();
            }
        });
    }

    private void record(Document document, List<String> names, Overwrite may) throws IOException, Refusal {
        Instant now = clock.instant();
        var parts = document.blobs().stream().map(Descriptor::digest).toList();
        content.settle(parts); // nothing, but for what was stored again since
        var facts = new ArrayList<Fact>(links(parts));
        for (String tag : names) {
            var old = tags.get(tag);
            if (may.cached() && old != null && !old.cached()) {
                continue;
            }
            boolean same = old != null && old.manifest().equals(document.digest());
            if (old == null ? !may.create() : !same && !may.replace()) {
                throw new Refusal(Reason.DENIED, old == null
                        ? "you may not create the tag " + tag + " in " + name
                        : "the tag " + tag + " of " + name + " exists and you may not replace it");
            }
            if (old == null || !same || may.cached() || old.cached()) {
                facts.add(new Fact.Tagged(tag, document.digest(), now, may.cached()));
            }
        }
        if (manifests.containsKey(document.digest())) {
            if (!facts.isEmpty()) {
                change(facts);
            }
            return;
        }
        if (!may.create()) {
            throw new Refusal(Reason.DENIED, "you may not push to " + name);
        }
        facts.addFirst(new Fact.Stored(
                document.digest(), document.mediaType(), document.bytes().length, now, document.subject()));
        charged(document.digest(), document.bytes().length, () -> change(facts));
    }

    /// `stored` when the storage is asked as well: what was damaged is gone there although it is linked here.
    private void requireParts(Document document, boolean stored) throws IOException, Refusal {
        var missing = new ArrayList<Json>();
        for (var part : document.blobs()) {
            var link = blobs.get(part.digest());
            if (link == null || stored && content.blobs().size(part.digest()).isEmpty()) {
                missing.add(Json.of(part.digest().toString()));
            } else {
                link.want(clock.instant());
                requireSize(part, link.size());
            }
        }
        for (var part : document.manifests()) {
            var link = manifests.get(part.digest());
            if (link == null || stored && content.document(part.digest()).isEmpty()) {
                missing.add(Json.of(part.digest().toString()));
            } else {
                requireSize(part, link.size());
            }
        }
        if (!missing.isEmpty()) {
            throw new Refusal(Reason.MANIFEST_BLOB_UNKNOWN, "the manifest names " + missing.size()
                    + " blobs or manifests that are not in " + name + "; push them first", Json.ofAll(missing));
        }
    }

    private static void requireSize(Descriptor part, long size) throws Refusal {
        if (part.size() != size) {
            throw new Refusal(Reason.SIZE_INVALID, "the manifest says that " + part.digest() + " has " + part.size()
                    + " bytes; it has " + size);
        }
    }

    /// Removes a tag and leaves its manifest.
    /// @throws Refusal MANIFEST_UNKNOWN there is none
    public Digest untag(String tag) throws IOException, Refusal {
        lock.lock();
        try {
            var link = tags.get(tag);
            if (link == null) {
                throw new Refusal(Reason.MANIFEST_UNKNOWN, name + " has no tag " + tag);
            }
            change(List.of(new Fact.Untagged(tag)));
            return link.manifest();
        } finally {
            lock.unlock();
        }
    }

    /// Removes a manifest and the tags that name it.
    /// @throws Refusal MANIFEST_UNKNOWN there is none; UNSUPPORTED an index here is made of it
    public void remove(Digest digest) throws IOException, Refusal {
        lock.lock();
        try {
            if (!manifests.containsKey(digest)) {
                throw new Refusal(Reason.MANIFEST_UNKNOWN, name + " has no manifest " + digest);
            }
            var user = userOf(digest, true);
            if (user.isPresent()) {
                throw new Refusal(Reason.UNSUPPORTED, "the manifest is part of the index " + user.get()
                        + " of " + name + "; delete that first");
            }
            removeUnused(digest);
        } finally {
            lock.unlock();
        }
    }

    private void removeUnused(Digest digest) throws IOException {
        var facts = new ArrayList<Fact>();
        tags.forEach((tag, link) -> {
            if (link.manifest().equals(digest)) {
                facts.add(new Fact.Untagged(tag));
            }
        });
        facts.add(new Fact.Removed(digest));
        long size = manifests.containsKey(digest) ? manifests.get(digest).size() : 0;
        change(facts);
        quotas.forEach(quota -> quota.giveBack(digest, size));
    }

    /// Makes a blob unknown here.
    /// @throws Refusal BLOB_UNKNOWN it is not here; UNSUPPORTED a manifest here is made of it
    public void unlink(Digest digest) throws IOException, Refusal {
        lock.lock();
        try {
            var link = blobs.get(digest);
            if (link == null) {
                throw new Refusal(Reason.BLOB_UNKNOWN, name + " has no blob " + digest);
            }
            var user = userOf(digest, false);
            if (user.isPresent()) {
                throw new Refusal(Reason.UNSUPPORTED, "the blob is part of the manifest " + user.get()
                        + " of " + name + "; delete that first");
            }
            change(List.of(new Fact.Unlinked(digest)));
            quotas.forEach(quota -> quota.giveBack(digest, link.size()));
        } finally {
            lock.unlock();
        }
    }

    /// Which manifest is made of `part`.
    /// @throws Refusal UNAVAILABLE nobody can say, as the bytes of a manifest are gone
    private Optional<Digest> userOf(Digest part, boolean manifest) throws IOException, Refusal {
        for (var digest : manifests.keySet()) {
            if (digest.equals(part)) {
                continue;
            }
            var document = document(digest);
            if (document.isEmpty()) {
                throw new Refusal(Reason.UNAVAILABLE, "the bytes of the manifest " + digest + " of " + name
                        + " were damaged and are gone: what it is made of cannot be deleted; push it again, or delete it");
            }
            if (parts(document.get(), manifest).stream()
                    .anyMatch(descriptor -> descriptor.digest().equals(part))) {
                return Optional.of(digest);
            }
        }
        return Optional.empty();
    }

    private static List<Descriptor> parts(Document document, boolean manifests) {
        return manifests ? document.manifests() : document.blobs();
    }

    /// A manifest of this repository, read; empty when its bytes are gone.
    public Optional<Document> document(Digest digest) throws IOException, Refusal {
        var link = manifests.get(digest);
        var bytes = link == null ? Optional.<byte[]>empty() : content.document(digest);
        return bytes.isEmpty()
                ? Optional.empty()
                : Optional.of(Document.parse(bytes.get(), link == null ? "" : link.mediaType(), digest.algorithm()));
    }

    /// The collector's part: forgets blobs that no manifest here is made of and that nobody wanted since `limit`.
    /// Documents are read before the lock is taken; what came since is read under it.
    int forgetUnused(Instant limit) throws IOException, Refusal {
        var read = new HashSet<Digest>();
        var used = new HashSet<Digest>();
        boolean all = addParts(manifests.keySet(), read, used);
        lock.lock();
        try {
            if (!addParts(manifests.keySet(), read, used) || !all) {
                LOG.warn("{} keeps all its blobs, as the bytes of one of its manifests are gone", name);
                return 0;
            }
            var facts = new ArrayList<Fact>();
            blobs.forEach((digest, link) -> {
                if (!used.contains(digest) && link.wanted().isBefore(limit)) {
                    facts.add(new Fact.Unlinked(digest));
                }
            });
            if (!facts.isEmpty()) {
                var gone = Map.copyOf(blobs);
                change(facts);
                for (var fact : facts) {
                    var digest = ((Fact.Unlinked) fact).blob();
                    var link = gone.get(digest);
                    quotas.forEach(quota -> quota.giveBack(digest, link == null ? 0 : link.size()));
                }
            }
            return facts.size();
        } finally {
            lock.unlock();
        }
    }

    /// False when the bytes of a manifest are gone, so that nobody knows what it is made of.
    private boolean addParts(Collection<Digest> from, Set<Digest> read, Set<Digest> used) throws IOException, Refusal {
        boolean all = true;
        for (var digest : from) {
            if (read.add(digest)) {
                var found = document(digest);
                all &= found.isPresent() || !manifests.containsKey(digest);
                found.ifPresent(document -> document.blobs().forEach(part -> used.add(part.digest())));
            }
        }
        return all;
    }

    /// The retention's part: removes those of `victims` that still stand as they were when it chose them.
    int expire(Map<String, Links.Tag> victims, Set<Digest> untagged) throws IOException, Refusal {
        lock.lock();
        try {
            int gone = 0;
            for (var victim : victims.entrySet()) {
                if (victim.getValue().equals(tags.get(victim.getKey()))) {
                    change(List.of(new Fact.Untagged(victim.getKey())));
                    gone++;
                }
            }
            for (var digest : untagged) {
                boolean tagged = tags.values().stream().anyMatch(tag -> tag.manifest().equals(digest));
                if (!tagged && manifests.containsKey(digest) && userOf(digest, true).isEmpty()) {
                    removeUnused(digest);
                    gone++;
                }
            }
            return gone;
        } finally {
            lock.unlock();
        }
    }

    /// Shows all digests whose bytes must stay.
    void eachDigest(java.util.function.Consumer<Digest> visitor) {
        blobs.keySet().forEach(visitor);
        manifests.keySet().forEach(visitor);
    }
}
