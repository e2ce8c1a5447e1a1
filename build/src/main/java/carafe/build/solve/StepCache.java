package carafe.build.solve;

import carafe.image.Images;
import carafe.image.Intake;
import carafe.image.LayerUse;
import carafe.spec.EngineException;
import carafe.spec.build.CacheUse;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The results of steps, by key, durable: `steps/HEX`, a file per record. The layers that records name are kept from
/// the image store's collections; a record whose layer is not there is dropped when the cache is opened.
public final class StepCache implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.build");
    private static final int MAX_RECORD_BYTES = 16 << 20;

    private final Path root;
    private final Clock clock;
    private final Images images;
    private final Map<Digest, StepRecord> records = new ConcurrentHashMap<>();
    /// The newest record of each description, for explanations.
    private final Map<String, StepRecord> newest = new ConcurrentHashMap<>();
    /// How many builds that go on found or made a result, by its key; a record that has any is not removed.
    private final Map<Digest, Integer> users = new ConcurrentHashMap<>();
    /// Keeps the records' layers; replaced when some are dropped. Guarded by `this`.
    private Intake keeper;

    private StepCache(Path root, Images images, Clock clock) {
        this.root = root;
        this.images = images;
        this.clock = clock;
        this.keeper = images.intake();
    }

    /// Opens the cache in `root`, making it where it is missing.
    public static StepCache open(Path root, Images images, Clock clock) throws IOException, EngineException {
        Files.createDirectories(root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var cache = new StepCache(root, images, clock);
        try (var files = Files.newDirectoryStream(root)) {
            for (Path file : files) {
                cache.read(file);
            }
        }
        return cache;
    }

    private void read(Path file) throws IOException, EngineException {
        Optional<StepRecord> record = Optional.empty();
        if (Files.size(file) <= MAX_RECORD_BYTES) {
            record = StepRecord.parse(Files.readAllBytes(file))
                    .filter(read -> read.key().hex().equals(String.valueOf(file.getFileName())));
        }
        if (record.isPresent() && holds(record.get())) {
            remember(record.get());
        } else {
            Files.deleteIfExists(file);
        }
    }

    private synchronized boolean holds(StepRecord record) throws EngineException {
        return record.layer().isEmpty() || keeper.has(record.layer().get().diffId());
    }

    private void remember(StepRecord record) {
        records.put(record.key(), record);
        newest.merge(record.description(), record, (a, b) -> a.used().isAfter(b.used()) ? a : b);
    }

    /// Begins a build's use of the cache.
    public Use use() {
        return new Use();
    }

    /// The cache as one build uses it: what it found or made is not removed until this is closed. For several threads.
    public final class Use implements AutoCloseable {
        private final Set<Digest> keys = ConcurrentHashMap.newKeySet();

        private Use() {}

        /// The result of the step with this key, if it is here; counts as a use.
        Optional<StepRecord> find(Digest key) {
            var record = records.computeIfPresent(key, (_, old) -> {
                add(key); // under the map's lock of the key, as a removal looks
                return old.usedAt(clock.instant());
            });
            if (record != null) {
                newest.put(record.description(), record);
            }
            return Optional.ofNullable(record);
        }

        /// Keeps a result whose layer is in the store, durably.
        void put(StepRecord record) throws EngineException {
            try {
                add(record.key());
                StepCache.this.put(record);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "the result of a build's step cannot be kept: " + e.getMessage());
            }
        }

        /// Shares the use of a result that another build made.
        void share(Digest key) {
            records.computeIfPresent(key, (_, record) -> {
                add(key);
                return record;
            });
        }

        private void add(Digest key) {
            if (keys.add(key)) {
                users.merge(key, 1, Integer::sum);
            }
        }

        @Override
        public void close() {
            for (var key : keys) {
                users.computeIfPresent(key, (_, count) -> count == 1 ? null : count - 1);
            }
        }
    }

    /// What the step of this description last came from.
    Optional<StepRecord> last(String description) {
        return Optional.ofNullable(newest.get(description));
    }

    /// Not while another keeper is made.
    private synchronized void put(StepRecord record) throws IOException, EngineException {
        if (holds(record)) {
            write(record);
            remember(record);
        }
    }

    private void write(StepRecord record) throws IOException {
        Path temporary = Files.createTempFile(root, "new-", "");
        try {
            Files.write(temporary, record.print());
            Files.move(temporary, root.resolve(record.key().hex()), StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /// A result, and the layer that it keeps; `needed` where an image or a container has that too.
    public record Held(CacheUse use, Optional<Digest> layer, boolean needed) {}

    /// All results, those unused longest first. Of those that have the same layer the last used counts its bytes, the
    /// others share them.
    public List<Held> held() throws EngineException {
        var layers = new HashMap<Digest, LayerUse>();
        images.layerUses().forEach(use -> layers.put(use.diffId(), use));
        var counted = new HashSet<Digest>();
        var sorted = new ArrayList<>(records.values());
        sorted.sort(Comparator.comparing(StepRecord::used).reversed());
        var all = new ArrayList<Held>();
        for (var record : sorted) {
            String kind = record.kind().equals("run") ? "regular" : "source.local";
            var layer = record.layer().map(Layer::diffId).map(layers::get);
            boolean shared = layer.filter(use -> use.isNeeded() || !counted.add(use.diffId())).isPresent();
            var use = new CacheUse(record.key().hex(), kind, record.description(),
                    layer.map(LayerUse::fileBytes).orElse(0L), users.containsKey(record.key()), shared, record.created(),
                    record.used(), record.uses());
            all.add(new Held(use, layer.map(LayerUse::diffId), layer.filter(LayerUse::isNeeded).isPresent()));
        }
        return all.reversed();
    }

    /// Drops the records with these keys (hexadecimal) that no build uses, then lets go of the layers that no other record
    /// names.
    /// @return the keys of those that are gone
    public synchronized Set<String> remove(Set<String> hexes) throws IOException, EngineException {
        var gone = new HashSet<String>();
        for (var victim : List.copyOf(records.values())) {
            var key = victim.key();
            if (hexes.contains(key.hex())
                    && records.computeIfPresent(key, (_, record) -> users.containsKey(key) ? record : null) == null) {
                gone.add(key.hex());
                Files.deleteIfExists(root.resolve(key.hex()));
                newest.computeIfPresent(victim.description(), (_, old) -> old.key().equals(key) ? null : old);
            }
        }
        var next = images.intake();
        for (var record : records.values()) {
            if (record.layer().isPresent()) {
                next.has(record.layer().get().diffId());
            }
        }
        keeper.close();
        keeper = next;
        return gone;
    }

    /// Writes down which records were used, so that a later prune knows.
    @Override
    public synchronized void close() {
        for (var record : records.values()) {
            if (record.uses() > 0) {
                try {
                    write(record);
                } catch (IOException e) {
                    LOG.log(Level.WARNING, "the use of a build's step cannot be noted: " + e.getMessage());
                    break;
                }
            }
        }
        keeper.close();
    }
}
