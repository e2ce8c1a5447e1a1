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

    /// The result of the step with this key, if it is here; counts as a use.
    Optional<StepRecord> find(Digest key) {
        var record = records.computeIfPresent(key, (_, old) -> old.usedAt(clock.instant()));
        if (record != null) {
            newest.put(record.description(), record);
        }
        return Optional.ofNullable(record);
    }

    /// What the step of this description last came from.
    Optional<StepRecord> last(String description) {
        return Optional.ofNullable(newest.get(description));
    }

    /// Keeps a result whose layer is in the store, durably.
    void put(StepRecord record) throws EngineException {
        try {
            synchronized (this) { // not while another keeper is made
                if (holds(record)) {
                    write(record);
                    remember(record);
                }
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the result of a build's step cannot be kept: " + e.getMessage());
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
                    layer.map(LayerUse::fileBytes).orElse(0L), false, shared, record.created(), record.used(),
                    record.uses());
            all.add(new Held(use, layer.map(LayerUse::diffId), layer.filter(LayerUse::isNeeded).isPresent()));
        }
        return all.reversed();
    }

    /// Drops the records with these keys (hexadecimal), then lets go of the layers that no other record names.
    public void remove(Set<String> hexes) throws IOException, EngineException {
        for (var victim : List.copyOf(records.values())) {
            if (hexes.contains(victim.key().hex())) {
                Files.deleteIfExists(root.resolve(victim.key().hex()));
                records.remove(victim.key());
                newest.computeIfPresent(victim.description(),
                        (_, old) -> old.key().equals(victim.key()) ? null : old);
            }
        }
        synchronized (this) {
            var next = images.intake();
            for (var record : records.values()) {
                if (record.layer().isPresent()) {
                    next.has(record.layer().get().diffId());
                }
            }
            keeper.close();
            keeper = next;
        }
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
