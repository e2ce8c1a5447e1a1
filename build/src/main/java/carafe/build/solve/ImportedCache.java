package carafe.build.solve;

import carafe.build.cache.CacheDocument;
import carafe.build.cache.CacheImage;
import carafe.build.step.CacheMounts;
import carafe.build.tree.MountedTree;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The results that the images named as caches of one build hold. They serve this build and are never put into the
/// engine's own cache: whoever names a cache trusts it for his image, nobody else has to.
///
/// An image with a document is asked by key. Any other is asked by its history, as Docker's classic builder does: where
/// it began with the same layers and instructions, its next layer counts for the next instruction; a copied one only
/// when it holds exactly the files that the copy would make.
public final class ImportedCache {

    private record Entry(CacheDocument.Step step, CacheImage image) {}

    private final List<CacheImage> images;
    private final Map<Digest, Entry> entries = new HashMap<>();

    private ImportedCache(List<CacheImage> images) {
        this.images = List.copyOf(images);
    }

    /// No cache.
    public static final ImportedCache NONE = new ImportedCache(List.of());

    /// What `images` hold, the first one first.
    /// @throws EngineException.Invalid one holds a document that is at fault
    public static ImportedCache of(List<CacheImage> images) throws EngineException.Invalid {
        var cache = new ImportedCache(images);
        for (var image : images) {
            var document = CacheDocument.of(image.configBytes());
            if (document.isPresent()) {
                document.get().steps().forEach(step -> cache.entries.putIfAbsent(step.key(), new Entry(step, image)));
            }
        }
        return cache;
    }

    /// The result of the step with this key, its layer here and kept by `intake`.
    Optional<StepRecord> find(Digest key, Intake intake) throws EngineException, InterruptedException {
        var entry = entries.get(key);
        if (entry == null) {
            return Optional.empty();
        }
        Optional<Layer> layer = Optional.empty();
        if (entry.step.layer().isPresent()) {
            var diffId = entry.step.layer().get();
            if (!entry.image.layers().fetch(diffId, intake)) {
                return Optional.empty();
            }
            layer = Optional.of(new Layer(diffId, intake.blob(diffId, blob(entry.image, diffId))));
        }
        var created = entry.step.created();
        return Optional.of(new StepRecord(key, entry.step.kind(), "", layer, created, created, 0, Map.of()));
    }

    private static Descriptor blob(CacheImage image, Digest diffId) {
        return image.manifest().layers().get(image.config().diffIds().indexOf(diffId));
    }

    /// What the images' histories have for the next instruction of a stage; its text is `text`, as histories tell it.
    List<Candidate> after(StageResult state, String text) {
        var found = new ArrayList<Candidate>();
        for (var image : images) {
            var history = image.config().history();
            int next = state.history().size();
            if (next < history.size() && begins(image, state) && said(history.get(next)).equals(said(text))) {
                int layer = state.layers().size();
                boolean empty = history.get(next).emptyLayer();
                if (empty || layer < image.config().diffIds().size()) {
                    found.add(new Candidate(image, empty ? -1 : layer,
                            history.get(next).created().orElse(Instant.EPOCH)));
                }
            }
        }
        return found;
    }

    private static boolean begins(CacheImage image, StageResult state) {
        var diffIds = image.config().diffIds();
        if (diffIds.size() < state.layers().size()
                || !diffIds.subList(0, state.layers().size()).equals(state.diffIds())) {
            return false;
        }
        var history = image.config().history();
        for (int i = 0; i < state.history().size(); i++) {
            var own = state.history().get(i);
            if (own.emptyLayer() != history.get(i).emptyLayer() || !said(own).equals(said(history.get(i)))) {
                return false;
            }
        }
        return true;
    }

    private static String said(History history) {
        return said(history.createdBy());
    }

    /// An instruction as every builder's history tells it; of copies only that they are.
    private static String said(String createdBy) {
        String text = createdBy.strip();
        String classic = "/bin/sh -c #(nop)";
        if (text.startsWith(classic)) {
            text = text.substring(classic.length()).strip();
        } else if (text.startsWith("/bin/sh -c ") || text.startsWith("|")) {
            text = "RUN " + text;
        }
        if (text.endsWith("# buildkit")) {
            text = text.substring(0, text.length() - 10).strip();
        }
        String word = text.substring(0, Math.max(0, text.indexOf(' '))).toUpperCase(Locale.ROOT);
        return word.equals("COPY") || word.equals("ADD") ? word : text;
    }

    /// A layer that may be an instruction's result; none (-1) where it changed no file.
    record Candidate(CacheImage image, int position, Instant created) {

        /// The layer, here and kept by `intake`; empty when it is not to be had.
        Optional<StepRecord> take(Digest key, String kind, Intake intake) throws EngineException, InterruptedException {
            Optional<Layer> layer = Optional.empty();
            if (position >= 0) {
                var diffId = image.config().diffIds().get(position);
                if (!image.layers().fetch(diffId, intake)) {
                    return Optional.empty();
                }
                layer = Optional.of(new Layer(diffId, intake.blob(diffId, image.manifest().layers().get(position))));
            }
            return Optional.of(new StepRecord(key, kind, "", layer, created, created, 0, Map.of()));
        }
    }

    /// Fills the cache mounts that `image` holds and that are not there yet.
    /// @return the ids of those that were filled
    public static List<String> mounts(CacheImage image, Workshop workshop, Intake intake)
            throws EngineException, IOException, InterruptedException {
        var filled = new ArrayList<String>();
        var document = CacheDocument.of(image.configBytes());
        if (document.isEmpty()) {
            return filled;
        }
        CacheMounts caches = workshop.place().caches();
        for (var mount : document.get().mounts()) {
            if (caches.has(mount.id()) || !image.layers().fetch(mount.layer(), intake)) {
                continue;
            }
            var state = new StageResult(List.of(new Layer(mount.layer(), blob(image, mount.layer()))), List.of(),
                    Optional.empty());
            try (MountedTree files = Sources.root(workshop, state)) {
                if (caches.adopt(mount.id(), files)) {
                    filled.add(mount.id());
                }
            }
        }
        return filled;
    }
}
