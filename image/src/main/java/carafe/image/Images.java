package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;

/// The images of one state root: load, find, name, remove. The room's entry type.
///
/// Commit order of every change: layers and blobs are written, synced and renamed into place before `index.json` names
/// them, so whatever is named is whole after a crash. What is not named yet is used by a retry of the load or removed
/// with the next image.
public final class Images implements AutoCloseable {

    private final ContentStore content;
    private final LayerStore layers;
    private final LayerCollector collector;
    private final Snapshots snapshots;
    private final Trash trash;
    private final CommitSteps steps;
    private final KnownBlobs known;
    private final Spare spare;
    private final LayerFlights flights = new LayerFlights();
    private final Semaphore loading = ArchiveReader.budget();
    private final Platform host = Platform.host();
    private final ImageDocuments documents;
    private final Artifacts artifacts;
    private final Departures departures;

    /// One writer at a time changes `index` and the blobs that it names, on disk and here; readers take what is there.
    private final Object writing = new Object();
    private volatile ImageIndex index;

    private Images(ContentStore content, LayerStore layers, Path snapshotRoot, Trash trash, CommitSteps steps)
            throws IOException, EngineException {
        this.content = content;
        this.layers = layers;
        this.documents = new ImageDocuments(content, layers);
        this.trash = trash;
        this.steps = steps;
        this.collector = new LayerCollector(layers);
        this.known = KnownBlobs.open(content.root().resolve("layers"));
        this.spare = new Spare(content.root().resolve("spare"));
        trash.afterwards(spare::keep);
        this.snapshots = Snapshots.open(snapshotRoot, layers, collector, trash, content);
        this.index = ImageIndex.read(content.root());
        this.artifacts = new Artifacts(this, content);
        this.departures = new Departures(this, content, layers, collector, known);
        trash.afterwards(() -> known.forgetAllUnless(layers::has)); // what a removal did not come to before a crash
    }

    /// Opens the images under `stateRoot`, making the directories that are missing; what a crash left half done is
    /// deleted in the background. At most one open per root.
    public static Images open(Path stateRoot) throws EngineException {
        return open(stateRoot, Failpoints.none());
    }

    /// The same, with a fault where a failpoint named `image: STEP` says so.
    public static Images open(Path stateRoot, Failpoints failpoints) throws EngineException {
        CommitSteps steps = failpoints.active() ? step -> failpoints.pass("image: " + step) : CommitSteps.REAL;
        return open(stateRoot, LayerBounds.DEFAULT, steps);
    }

    static Images open(Path stateRoot, LayerBounds bounds, CommitSteps steps) throws EngineException {
        return open(stateRoot, bounds, steps, new Trash());
    }

    /// The same; what is removed goes through `trash`, which is closed with this.
    static Images open(Path stateRoot, LayerBounds bounds, CommitSteps steps, Trash trash) throws EngineException {
        try {
            var content = ContentStore.open(stateRoot.resolve("content"), steps);
            var layers = LayerStores.open(stateRoot.resolve("layers"), trash, bounds, steps);
            return new Images(content, layers, stateRoot.resolve("snapshots"), trash, steps);
        } catch (IOException e) {
            trash.close();
            throw Failures.of("open the images in " + stateRoot, e);
        } catch (EngineException e) {
            trash.close();
            throw new EngineException.Internal("open the images in " + stateRoot + ": " + e.getMessage(), e);
        }
    }

    /// Those among what is stored that are no images.
    public Artifacts artifacts() {
        return artifacts;
    }

    ImageIndex index() {
        return index;
    }

    /// A change of which images there are.
    @FunctionalInterface
    interface Change {
        ImageIndex of(ImageIndex now) throws IOException, EngineException;
    }

    /// Changes which images there are, durably; nobody else changes it meanwhile.
    void update(Change change) throws IOException, EngineException {
        synchronized (writing) {
            var next = change.of(index);
            if (!next.equals(index)) { // a build of what was built before changes nothing
                change(next);
            }
        }
    }

    /// Reads a docker-archive or an OCI layout, compressed or not, to its end and adds its images and artifacts. Layers
    /// are unpacked while they arrive. Everything or nothing becomes visible.
    /// @return one element per name, or per image without a name, in the archive's order; artifacts last
    /// @throws EngineException.Invalid the archive is at fault
    public List<Loaded> load(InputStream archive, LoadProgress progress) throws EngineException {
        return load(archive, Optional.empty(), progress);
    }

    /// The same with the images for `platform` only.
    /// @throws EngineException.NotFound there are none
    public List<Loaded> load(InputStream archive, Optional<Platform> platform, LoadProgress progress) throws EngineException {
        try (var lease = collector.lease()) {
            var blobs = layersByBlob();
            var reader = new ArchiveReader(layers, loading, blob -> here(blob, blobs, lease), progress,
                    new ArchiveBlobs(content));
            try (var contents = reader.read(archive)) {
                var artifacts = ArchiveImages.artifacts(contents);
                var images = ArchiveImages.images(contents, platform, host, artifacts.isEmpty());
                return publish(images, artifacts, contents, lease, progress);
            }
        } catch (IOException e) {
            throw Failures.of("load image", e);
        }
    }

    /// The layer that a blob of this name is, kept by `lease`, if it is here.
    private Optional<Digest> here(Digest blob, Map<Digest, Set<Digest>> layersByBlob, LayerCollector.Lease lease)
            throws IOException {
        for (var diffId : layersByBlob.getOrDefault(blob, Set.of())) {
            if (known.verified(diffId, blob) && lease.holdIfHere(diffId)) {
                return Optional.of(diffId);
            }
        }
        return lease.holdIfHere(blob) ? Optional.of(blob) : Optional.empty();
    }

    /// The layers that images' manifests claim a blob to be.
    private Map<Digest, Set<Digest>> layersByBlob() throws EngineException {
        return reading(at -> {
            var diffIds = new HashMap<Digest, Set<Digest>>();
            for (var id : imageIds(at)) {
                for (var manifest : at.manifests(id)) {
                    try {
                        documents.claims(id, manifest, diffIds);
                    } catch (EngineException e) {
                        if (at != index) {
                            throw e; // gone, perhaps; else it is damaged, and what is taken in may replace it
                        }
                    }
                }
            }
            return diffIds;
        });
    }

    private List<Loaded> publish(List<IncomingImage> images, List<IncomingArtifact> others, ArchiveContents contents,
            LayerCollector.Lease lease, LoadProgress progress) throws IOException, EngineException {
        var diffIds = new HashSet<Digest>();
        images.forEach(image -> diffIds.addAll(image.config().diffIds()));
        lease.hold(diffIds);
        contents.commit(diffIds);
        for (var image : images) {
            for (int i = 0; i < image.config().diffIds().size(); i++) {
                var diffId = image.config().diffIds().get(i);
                var blob = image.manifest().layers().get(i);
                if (contents.brought(diffId, blob)) {
                    known.add(diffId, blob, "");
                }
            }
        }
        var loaded = new ArrayList<Loaded>();
        var published = publish(images, others);
        for (var old : published.renamed) {
            progress.renamed(old.name().orElseThrow(), old.id());
        }
        var told = new HashSet<Reference>();
        for (var image : images) {
            image.names().stream().filter(told::add) // those who share a name are told once, as what it means here
                    .forEach(name -> loaded.add(new Loaded(Optional.of(name), index.named(name).orElse(image.id()))));
            if (image.names().isEmpty()) {
                loaded.add(new Loaded(Optional.empty(), image.id()));
            }
        }
        others.forEach(artifact -> artifact.names()
                .forEach(name -> loaded.add(new Loaded(Optional.of(name), artifact.descriptor().digest()))));
        if (loaded.isEmpty()) { // artifacts only, and none has a name: say which stay
            loaded.addAll(published.artifacts);
            Artifacts.refuseNone(loaded);
        }
        return loaded;
    }

    /// What naming changed: the names that other images had before, with those images, and which artifacts are here now.
    record Published(List<Loaded> renamed, List<Loaded> artifacts) {}

    /// Names the images and artifacts, all at once; their layers are here and leased, their other parts stored and kept.
    Published publish(List<IncomingImage> images, List<IncomingArtifact> others) throws IOException, EngineException {
        var renamed = new ArrayList<Loaded>();
        var staying = new ArrayList<Loaded>();
        var subjects = artifacts.subjects(others);
        update(now -> {
            var next = now;
            for (var image : images) {
                content.putWhole(image.configBytes());
                content.putWhole(image.manifestBytes());
                var from = image.index().isPresent()
                        ? Optional.of(content.putWhole(image.index().get())) : Optional.<Digest>empty();
                next = documents.with(image, next);
                boolean alike = documents.isAnnotatedAs(image, next);
                var manifest = image.descriptor();
                for (var name : image.names()) {
                    next = from.isPresent()
                            ? next.withName(name, image.id(), from.get()) : next.withName(name, image.id());
                    if (!alike || name.digest().equals(Optional.of(manifest.digest()))) { // a registry has just this there
                        next = next.withManifest(name, image.id(), manifest);
                    }
                }
            }
            renamed.addAll(Loaded.lost(images, now, next));
            renamed.addAll(Artifacts.renamed(others, next));
            next = artifacts.with(others, subjects, next);
            staying.addAll(Artifacts.staying(others, next));
            return next;
        });
        return new Published(renamed, staying);
    }

    /// Begins to take an image in, layer by layer, from a registry or a build; to be closed.
    public Intake intake() {
        return new Intake(this, layers, collector.lease(), flights, known);
    }

    /// All that `name` means, made ready to be sent; to be closed.
    public OutgoingImages outgoing(String name) throws EngineException {
        return departures.outgoing(name);
    }

    /// Prepares an archive of the images that `names` mean, each under those names: a repository's name means all its
    /// tags, an id no name. Images that share a name go together, with their index; of them only the one for `platform`
    /// if one is said. To be written, then closed.
    public ImageArchive save(List<String> names, Optional<Platform> platform) throws EngineException {
        return departures.save(names, platform);
    }

    /// How images leave.
    public Departures departures() {
        return departures;
    }

    private void change(ImageIndex next) throws IOException {
        try {
            next.write(content, steps);
        } catch (IOException e) {
            if (!Failures.isFull(e) || next.images().size() > index.images().size()) {
                throw e;
            }
            spare.release(); // what removes something finds room even on a full disk
            next.write(content, steps);
        }
        index = next;
    }

    /// The image that people mean by `name`: a reference, an id or a unique prefix of one.
    /// @throws EngineException.NotFound `No such image: x:tag`
    /// @throws EngineException.Unsupported it is an artifact
    public Image find(String name) throws EngineException {
        return reading(at -> find(name, at));
    }

    Image find(String name, ImageIndex at) throws EngineException {
        return documents.image(named(name, ImageNames.resolve(name, at), at), ImageNames.meant(name, at), at);
    }

    /// Reads what an index names.
    @FunctionalInterface
    interface Reading<T> {
        T from(ImageIndex at) throws EngineException;
    }

    /// What `reading` finds by the index of now; begun anew where it fails and the index is another one by then: what the
    /// first one named may be gone.
    @SuppressWarnings("ReferenceEquality") // an equal one that came later may name what was gone in between
    <T> T reading(Reading<T> reading) throws EngineException {
        while (true) {
            var at = index;
            try {
                return reading.from(at);
            } catch (EngineException e) {
                if (at == index) {
                    throw e;
                }
            }
        }
    }

    private Digest named(String name, Digest id, ImageIndex at) throws EngineException {
        if (at.isArtifact(id)) {
            throw Artifact.noImage(name, artifacts.artifact(id, at).type());
        }
        return id;
    }

    /// The same for `platform`: of images that share a name the one that runs there.
    /// @throws EngineException.NotFound there is none of that name for the platform
    public Image find(String name, Platform platform) throws EngineException {
        return reading(at -> find(name, platform, at));
    }

    Image find(String name, Platform platform, ImageIndex at) throws EngineException {
        return documents.image(named(name, ImageNames.resolve(name, platform, at), at), ImageNames.meant(name, at), at);
    }

    /// The images that have a name together with this one, itself among them.
    public Set<Digest> together(Digest id) {
        return index.together(id);
    }

    /// The index that `name` came with, if it is one's.
    public Optional<Digest> indexOf(Reference name) {
        return index.indexOf(name);
    }

    /// Whether `name` shows the image `id`: of images that share it, the one for this machine does.
    public boolean isShown(Reference name, Digest id) {
        return index.named(name).equals(Optional.of(id));
    }

    /// The image with this id.
    public Optional<Image> byId(Digest id) throws EngineException {
        return reading(at -> at.images().containsKey(id) && !at.isArtifact(id) ? Optional.of(image(id, at)) : Optional.empty());
    }

    private static List<Digest> imageIds(ImageIndex at) {
        return at.images().keySet().stream().filter(id -> !at.isArtifact(id)).toList();
    }

    /// All images, newest first; artifacts are none.
    public List<Image> list() throws EngineException {
        var all = reading(at -> {
            var found = new ArrayList<Image>();
            for (var id : imageIds(at)) {
                found.add(image(id, at));
            }
            return found;
        });
        all.sort(Collections.reverseOrder((a, b) -> a.config().created().orElse(Instant.MIN)
                .compareTo(b.config().created().orElse(Instant.MIN))));
        return all;
    }

    Image image(Digest id, ImageIndex at) throws EngineException {
        return documents.image(id, Optional.empty(), at);
    }

    /// The same with the manifest that it has under `name`.
    Image image(Digest id, Reference name, ImageIndex at) throws EngineException {
        return documents.image(id, Optional.of(name), at);
    }

    /// The exact bytes of the image's configuration, for an inspect that shows fields we do not know.
    public byte[] configBytes(Digest id) throws EngineException {
        return reading(at -> documents.configBytes(id, at));
    }

    /// Gives the image or artifact that `source` means the further name `target` (tag `latest` when it has none), taking
    /// it from the one that had it.
    /// @return its id
    public Digest tag(String source, Reference target) throws EngineException {
        if (target.digest().isPresent()) {
            throw new EngineException.Invalid("refusing to create a tag with a digest reference");
        }
        for (var algorithm : Digest.Algorithm.values()) {
            if (target.familiarRepository().equals(algorithm.label())) {
                throw new EngineException.Invalid(
                        "refusing to create an ambiguous tag using digest algorithm as name");
            }
        }
        var name = target.withDefaultTag();
        synchronized (writing) {
            var now = index;
            var id = ImageNames.resolve(source, now);
            try {
                var next = now.withNameAs(name, id, ImageNames.isIdPrefix(id, source) ? Optional.empty()
                        : ImageNames.meant(source, now));
                if (!next.equals(now)) {
                    change(next);
                }
            } catch (IOException e) {
                throw Failures.of("tag " + name.familiar(), e);
            }
            return id;
        }
    }

    /// Removes the name `name` and, when it was the last, the image; or, by id, the image with all its names.
    /// Files are freed in the background.
    /// @throws EngineException.Conflict in Docker's words, when containers use it or several repositories name it
    public List<Removal> remove(String name, boolean force, ImageUsers users) throws EngineException {
        synchronized (writing) {
            var now = index;
            var plan = ImageRemoval.plan(name, force, users, now);
            try {
                var next = plan.next();
                var removals = new ArrayList<>(plan.removals());
                var orphans = artifacts.orphans(now, next);
                for (var orphan : orphans) {
                    next = next.withoutImage(orphan);
                    removals.add(new Removal.Deleted(orphan));
                }
                if (plan.deleted().isEmpty() && orphans.isEmpty()) {
                    change(next);
                    return removals;
                }
                var chains = new ArrayList<List<Digest>>();
                for (var gone : plan.deleted()) {
                    if (!now.isArtifact(gone)) {
                        chains.add(documents.of(gone, now).config().diffIds());
                    }
                }
                change(next);
                var collected = collect();
                chains.forEach(diffIds -> removals.addAll(ImageRemoval.layers(diffIds, collected)));
                return removals;
            } catch (IOException e) {
                throw Failures.of("remove image " + name, e);
            }
        }
    }

    /// Removes what nothing needs any more, now instead of with the next removal of an image.
    public void collectGarbage() throws EngineException {
        synchronized (writing) {
            try {
                collect();
            } catch (IOException e) {
                throw Failures.of("collect garbage", e);
            }
        }
    }

    /// Removes every layer and blob that no image, snapshot or load needs; the caller holds `writing`.
    private Set<Digest> collect() throws IOException, EngineException {
        var neededLayers = new HashSet<Digest>();
        var neededBlobs = new HashSet<Digest>();
        for (var id : imageIds(index)) {
            neededLayers.addAll(documents.of(id, index).config().diffIds());
            neededBlobs.add(id);
        }
        neededBlobs.addAll(index.manifests());
        documents.keepOnly(neededBlobs);
        neededBlobs.addAll(index.indexes());
        neededBlobs.addAll(artifacts.neededBlobs(index));
        content.collect(neededBlobs::contains);
        Predicate<Digest> needed = neededLayers::contains;
        var removed = collector.collect(() -> needed.or(snapshots.neededLayers()::contains));
        trash.afterwards(() -> known.forgetUnless(removed, layers::has));
        trash.afterwards(spare::keep);
        return removed;
    }

    /// How the image was made, newest step first.
    public List<HistoryEntry> history(String name) throws EngineException {
        return reading(at -> {
            try {
                return HistoryEntry.of(find(name, at), layers);
            } catch (IOException e) {
                throw Failures.of("read history of " + name, e);
            }
        });
    }

    /// Says that the image or artifact is used now; one that is not here is fine. See [#lastUsed].
    public void use(Digest id) throws EngineException {
        try {
            content.touch(id);
        } catch (IOException e) {
            throw Failures.of("note the use of image " + id, e);
        }
    }

    /// When an image was last used: loaded, pulled (also if it was here already), built on, or when a container of it was
    /// made, started or removed.
    public Optional<Instant> lastUsed(Digest id) throws EngineException {
        try {
            return content.modified(id);
        } catch (IOException e) {
            throw Failures.of("read image " + id, e);
        }
    }

    /// The layers that are here and who has them.
    public List<LayerUse> layerUses() throws EngineException {
        return reading(this::layerUses);
    }

    private List<LayerUse> layerUses(ImageIndex at) throws EngineException {
        var users = new LinkedHashMap<Digest, Set<Digest>>();
        for (var id : imageIds(at)) {
            documents.of(id, at).config().diffIds()
                    .forEach(diffId -> users.computeIfAbsent(diffId, _ -> new HashSet<>()).add(id));
        }
        try {
            var uses = new ArrayList<LayerUse>();
            var ofContainers = snapshots.neededLayers();
            for (var diffId : layers.list()) {
                var images = users.getOrDefault(diffId, Set.of());
                try {
                    uses.add(new LayerUse(diffId, layers.sizes(diffId).fileBytes(), images, ofContainers.contains(diffId)));
                } catch (NoSuchFileException e) {
                    if (!images.isEmpty()) {
                        throw e;
                    } // else a collection took it after it was listed
                }
            }
            return uses;
        } catch (IOException e) {
            throw Failures.of("measure the layers", e);
        }
    }

    /// Removes what no image and no container needs: layers and blobs that a broken-off load or pull left, and parts of
    /// downloads that nobody went on with since `before`.
    /// @return the bytes of files set free, as far as they are known
    public long sweep(Instant before) throws EngineException {
        synchronized (writing) {
            try {
                content.sweepIngests(before);
                long bytes = layerBytes();
                collect();
                return bytes - layerBytes();
            } catch (IOException e) {
                throw Failures.of("remove what nothing needs", e);
            }
        }
    }

    /// Verifies every blob and layer; see [ImageCheck].
    public ImageCheck.Report check(ImageCheck.Sources sources) throws EngineException {
        try (var lease = collector.lease()) {
            return new ImageCheck(content, layers, known, lease).run(index, artifacts, sources);
        } catch (IOException e) {
            throw Failures.of("check the images", e);
        }
    }

    /// The writable directories of containers.
    public Snapshots snapshots() {
        return snapshots;
    }

    /// Bytes of all layers' files, each layer counted once.
    public long layerBytes() throws EngineException {
        return layerUses().stream().mapToLong(LayerUse::fileBytes).sum();
    }

    /// Where a layer's files are; for tests.
    Path lower(Digest diffId) throws IOException {
        return layers.lower(diffId);
    }

    /// Waits until what was removed so far is deleted.
    void awaitDeletion() throws InterruptedException {
        trash.await();
    }

    /// Stops background deletion after at most a second; the next open goes on with it.
    @Override
    public void close() {
        departures.close();
        layers.close();
        snapshots.close();
        trash.close();
    }
}
