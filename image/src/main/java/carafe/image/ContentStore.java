package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;

/// Blobs by digest, in the directory form of an OCI layout. A blob is visible only when it is whole and verified, and
/// durable unless [Ingest#commitUnsynced] left that to [#sync]: an [Ingest] writes it below `ingest/`, syncs, compares
/// with what was promised, then renames it into `blobs/`. Equal blobs may be written by several threads at once; the last
/// rename wins and changes nothing.
///
/// What was broken off can be gone on with: the bytes of an ingest that has a key (or a promised digest, which is one)
/// stay below `ingest/` until it is committed, aborted or a week old.
///
/// A collection takes what nothing needs and nobody pinned, whatever its age (ADR 45); a blob's time says when it was last
/// used.
/// Source: OCI image-spec image-layout.md.
public final class ContentStore {

    private static final byte[] LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);
    private static final String DAMAGED = "damaged";
    private static final Duration KEPT_INGESTS = Duration.ofDays(7);
    private static final Duration GRAIN = Duration.ofSeconds(1);

    private final Path root;
    private final CommitSteps steps;
    private final AtomicLong temporaries = new AtomicLong();
    private final Set<String> busyKeys = ConcurrentHashMap.newKeySet();
    private final Map<Digest, Integer> pins = new HashMap<>(); // guarded by itself

    /// Held for reading while a blob's presence is relied on, for writing while blobs are deleted.
    private final ReentrantReadWriteLock exclusion = new ReentrantReadWriteLock();

    private ContentStore(Path root, CommitSteps steps) {
        this.root = root;
        this.steps = steps;
    }

    /// Opens the store in `root`, making it where it is missing. One store per directory at a time.
    public static ContentStore open(Path root) throws IOException {
        return open(root, CommitSteps.REAL);
    }

    /// As [#open(Path)], telling `steps` of each step.
    public static ContentStore open(Path root, CommitSteps steps) throws IOException {
        for (var algorithm : Digest.Algorithm.values()) {
            Durable.makeDirectory(root.resolve("blobs").resolve(algorithm.label()));
        }
        var store = new ContentStore(root, steps);
        Durable.makeDirectory(store.ingests());
        store.sweep(Clock.systemUTC().instant().minus(KEPT_INGESTS), true);
        if (!Files.exists(root.resolve("oci-layout"))) {
            Durable.replace(root.resolve("oci-layout"), store.temporary(), LAYOUT, CommitSteps.REAL);
        }
        return store;
    }

    private Path ingests() {
        return root.resolve("ingest");
    }

    /// Deletes ingests with a key that nobody wrote to since `before` and nobody has open.
    public void sweepIngests(Instant before) throws IOException {
        sweep(before, false);
    }

    /// `all` when nobody can be writing yet: then what has no key goes too, for nobody can go on with it.
    private void sweep(Instant before, boolean all) throws IOException {
        try (var files = Files.newDirectoryStream(ingests())) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                boolean keyed = name.startsWith(Ingest.KEYED);
                if (keyed ? !busyKeys.contains(name) && olderThan(file, before) : all) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static boolean olderThan(Path file, Instant before) throws IOException {
        try {
            return Files.getLastModifiedTime(file).toInstant().isBefore(before);
        } catch (NoSuchFileException e) {
            return false; // committed or aborted just now
        }
    }

    /// The store's directory, an OCI layout.
    public Path root() {
        return root;
    }

    /// A fresh name for a file that is not yet anything.
    Path temporary() {
        return ingests().resolve("tmp-" + temporaries.incrementAndGet());
    }

    Path path(Digest digest) {
        return root.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
    }

    CommitSteps steps() {
        return steps;
    }

    /// True when the blob is here, whole.
    public boolean has(Digest digest) {
        return Files.exists(path(digest));
    }

    /// The blob's length in bytes; empty when it is not here.
    public Optional<Long> size(Digest digest) throws IOException {
        try {
            return Optional.of(Files.size(path(digest)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// The blob as a stream that the caller closes.
    /// @throws NoSuchFileException it is not here
    public InputStream read(Digest digest) throws IOException {
        return Files.newInputStream(path(digest));
    }

    /// What is different when the blob's file is another one or was written to: which file it is, its length and when it
    /// was last written. Empty when it is not here.
    public Optional<String> stamp(Digest digest) throws IOException {
        try {
            var facts = Files.readAttributes(path(digest), BasicFileAttributes.class);
            return Optional.of(facts.fileKey() + " " + facts.size() + " " + facts.lastModifiedTime());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// The blob as a channel that reads anywhere in it, to be closed by the caller; a blob that is deleted meanwhile
    /// stays readable.
    /// @throws NoSuchFileException it is not here
    public FileChannel open(Digest digest) throws IOException {
        return FileChannel.open(path(digest), StandardOpenOption.READ);
    }

    /// The whole of a small blob, at most `limitBytes`, verified.
    public byte[] readAll(Digest digest, int limitBytes) throws IOException {
        steps.reading(digest);
        try (var in = read(digest)) {
            byte[] bytes = in.readNBytes(limitBytes + 1);
            if (bytes.length > limitBytes || !digest.matches(bytes)) {
                throw new IOException("blob " + digest + " is damaged");
            }
            return bytes;
        }
    }

    /// Stores `bytes` by sha256 unless they are here already.
    public Digest put(byte[] bytes) throws IOException, EngineException.Invalid {
        var digest = Digest.sha256(bytes);
        if (!touch(digest)) {
            replace(bytes);
        }
        return digest;
    }

    /// Stores `bytes` by sha256 unless they are here already, whole: what is damaged is replaced.
    Digest putWhole(byte[] bytes) throws IOException, EngineException.Invalid {
        var digest = put(bytes);
        try {
            readAll(digest, bytes.length);
        } catch (IOException e) {
            replace(bytes);
        }
        return digest;
    }

    /// Stores `bytes` by sha256, in the place of what is here under that name, which may be damaged.
    private void replace(byte[] bytes) throws IOException, EngineException.Invalid {
        try (var ingest = Ingest.fresh(this, Digest.sha256(bytes), bytes.length)) {
            ingest.write(bytes);
            ingest.commit();
        }
    }

    /// Begins to write the blob that will have `digest` and `size` bytes, or goes on with it: [Ingest#offset] says how
    /// many bytes are here. While somebody else writes the same blob, begins anew.
    public Ingest ingest(Digest digest, long size) throws IOException {
        String name = Ingest.KEYED + digest.algorithm().label() + "-" + digest.hex();
        return busyKeys.add(name)
                ? Ingest.keyed(this, name, Optional.of(new Ingest.Promise(digest, size)))
                : Ingest.fresh(this, digest, size);
    }

    /// Begins to write, or goes on with, a blob whose digest only [Ingest#commit(Digest)] will tell. `key` is the
    /// caller's: letters, digits and dashes.
    /// @throws EngineException.Conflict somebody else has the ingest open
    public Ingest upload(String key) throws IOException, EngineException {
        if (!key.matches("[A-Za-z0-9-]{1,128}")) {
            throw new EngineException.Invalid("invalid upload \"" + key + "\"");
        }
        String name = Ingest.KEYED + "upload-" + key;
        if (!busyKeys.add(name)) {
            throw new EngineException.Conflict("upload " + key + " is being written to by somebody else");
        }
        return Ingest.keyed(this, name, Optional.empty());
    }

    /// How many bytes of the upload `key` are here; empty when it was never begun, committed or aborted.
    public Optional<Long> uploaded(String key) throws IOException {
        try {
            return Optional.of(Files.size(ingests().resolve(Ingest.KEYED + "upload-" + key)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// The bytes of the upload `key` that are here and those that come while they are read; ends where they end just
    /// then. Stays readable when the upload is over. The caller closes it.
    /// @throws NoSuchFileException it was never begun, is committed or aborted
    public FileChannel openUpload(String key) throws IOException {
        return FileChannel.open(ingests().resolve(Ingest.KEYED + "upload-" + key), StandardOpenOption.READ);
    }

    Path ingestFile(String name) {
        return ingests().resolve(name);
    }

    void release(String ingestName) {
        busyKeys.remove(ingestName);
    }

    /// Says that the blob is used now, which is written down at most once in a second; see [#modified].
    /// @return false when it is not here
    public boolean touch(Digest digest) throws IOException {
        exclusion.readLock().lock();
        try {
            Path file = path(digest);
            var now = Clock.systemUTC().instant();
            if (Duration.between(Files.getLastModifiedTime(file).toInstant(), now).abs().compareTo(GRAIN) > 0) {
                Files.setLastModifiedTime(file, FileTime.from(now));
            }
            return true;
        } catch (NoSuchFileException e) {
            return false;
        } finally {
            exclusion.readLock().unlock();
        }
    }

    /// When the blob was last written or touched; empty when it is not here.
    public Optional<Instant> modified(Digest digest) throws IOException {
        try {
            return Optional.of(Files.getLastModifiedTime(path(digest)).toInstant());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// Keeps a blob, here or yet to come, from collections until it is closed.
    public Pin pin(Digest digest) {
        synchronized (pins) {
            pins.merge(digest, 1, Integer::sum);
        }
        return new Pin(digest);
    }

    /// The same for a blob that is here; empty when it is not.
    Optional<Pin> pinIfHere(Digest digest) {
        exclusion.readLock().lock();
        try {
            return has(digest) ? Optional.of(pin(digest)) : Optional.empty();
        } finally {
            exclusion.readLock().unlock();
        }
    }

    /// What [#pin] gives.
    public final class Pin implements AutoCloseable {
        private final Digest digest;
        private boolean closed;

        private Pin(Digest digest) {
            this.digest = digest;
        }

        @Override
        public void close() {
            synchronized (pins) {
                if (!closed) {
                    closed = true;
                    pins.computeIfPresent(digest, (_, count) -> count == 1 ? null : count - 1);
                }
            }
        }
    }

    /// Deletes every blob that `needed` does not want and nobody pinned. Whoever calls sees to it that nobody stores what
    /// is to be named later, unless it is pinned.
    /// @return the bytes set free
    public long collect(Predicate<Digest> needed) throws IOException {
        long freed = 0;
        for (var digest : list()) {
            if (!needed.test(digest)) {
                freed += deleteUnpinned(digest);
            }
        }
        return freed;
    }

    private long deleteUnpinned(Digest digest) throws IOException {
        exclusion.writeLock().lock();
        try {
            synchronized (pins) {
                if (pins.containsKey(digest)) {
                    return 0;
                }
            }
            Path file = path(digest);
            long size = Files.size(file);
            Files.delete(file);
            return size;
        } catch (NoSuchFileException e) {
            return 0;
        } finally {
            exclusion.writeLock().unlock();
        }
    }

    /// Removes a blob now, whoever relies on it; one that is not here is fine.
    public void delete(Digest digest) throws IOException {
        steps.before("delete blob");
        Files.deleteIfExists(path(digest));
    }

    /// Makes blobs durable that [Ingest#commitUnsynced] made visible; those that are not here are passed over.
    public void sync(Collection<Digest> digests) throws IOException {
        var directories = new LinkedHashSet<Path>();
        for (var digest : digests) {
            Path file = path(digest);
            steps.before("sync blob");
            try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
                channel.force(true);
                directories.add(file.getParent());
            } catch (NoSuchFileException e) {
                continue;
            }
        }
        for (Path directory : directories) {
            steps.before("sync blob directory");
            Durable.syncDirectory(directory);
        }
    }

    /// Whether somebody may rely on the blob across a power cut.
    boolean mayBeNamed(Digest digest) {
        return has(digest) || Files.exists(aside(digest));
    }

    private Path aside(Digest digest) {
        return root.resolve(DAMAGED).resolve(digest.algorithm().label() + "-" + digest.hex());
    }

    /// Takes a damaged blob away from where it is found by its digest and keeps its file below `damaged/` for
    /// [#sweepDamaged]; one that is not here is fine.
    public void setAside(Digest digest) throws IOException {
        Path file = path(digest);
        Durable.makeDirectory(root.resolve(DAMAGED));
        Path aside = aside(digest);
        steps.before("set blob aside");
        try {
            Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
            return;
        }
        Files.setLastModifiedTime(aside, FileTime.from(Clock.systemUTC().instant()));
        Durable.syncNameOf(file);
    }

    /// Deletes the files of blobs that were set aside before `limit`.
    public void sweepDamaged(Instant limit) throws IOException {
        if (!Files.isDirectory(root.resolve(DAMAGED))) {
            return;
        }
        try (var files = Files.newDirectoryStream(root.resolve(DAMAGED))) {
            for (Path file : files) {
                if (olderThan(file, limit)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /// All blobs; files with other names are none.
    public List<Digest> list() throws IOException {
        var digests = new ArrayList<Digest>();
        for (var algorithm : Digest.Algorithm.values()) {
            try (var files = Files.newDirectoryStream(root.resolve("blobs").resolve(algorithm.label()))) {
                for (Path file : files) {
                    try {
                        digests.add(Digest.parse(algorithm.label() + ":" + file.getFileName()));
                    } catch (EngineException.Invalid e) {
                        // not ours; left alone
                    }
                }
            }
        }
        return digests;
    }
}
