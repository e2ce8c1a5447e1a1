package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Verifies what images are made of: every blob is hashed, every layer file read whole and compared with its digests,
/// and what an image names must be here. Damage can be repaired one by one, from any source of the same bytes: what is
/// taken is verified by digest first, so the source need not be trusted.
///
/// A layer whose directories alone are damaged is its own source, as its tar is whole.
public final class ImageCheck {

    /// Where bytes for a repair come from.
    public interface Sources {

        /// Checks, and repairs nothing but what needs no source.
        Sources NONE = new Sources() {
            @Override
            public boolean repairs() {
                return false;
            }
        };

        /// False to look only.
        default boolean repairs() {
            return true;
        }

        /// An archive with images, read once; empty when there is none.
        default Optional<InputStream> archive() throws IOException {
            return Optional.empty();
        }

        /// Gives the blob, or the manifest, of `repository` (`registry.example.com/team/app`), or of anywhere if that is
        /// `""`, to `taker`, again and from elsewhere if he refuses it. False when it cannot be had.
        default boolean blob(Descriptor blob, String repository, Taker taker) throws IOException, EngineException {
            return false;
        }
    }

    /// Takes the bytes of a blob in; does not close them.
    @FunctionalInterface
    public interface Taker {
        /// @throws EngineException.Invalid they are not the blob's
        void from(InputStream in) throws IOException, EngineException;
    }

    /// One thing that is, or was, damaged: what `kind` of thing (`layer`, `config`, `manifest`, `index`, `blob`),
    /// what is wrong
    /// with it, and the images that need it, by their names.
    public record Problem(String kind, Digest digest, String fault, List<String> images, boolean repaired) {
        public Problem {
            images = List.copyOf(images);
        }

        private Problem nowRepaired() {
            return new Problem(kind, digest, fault, images, true);
        }
    }

    /// What was read and what was found.
    public record Report(int blobs, int layers, long bytes, List<Problem> problems) {
        public Report {
            problems = List.copyOf(problems);
        }
    }

    /// An image or an artifact by its manifest and names.
    record Named(Descriptor manifest, List<Reference> names) {

        private boolean isArtifact(Digest id) {
            return id.equals(manifest.digest());
        }
    }

    private static final String BLOB = "blob";
    private static final String INDEX = "index";

    /// Something an image needs.
    private record Need(String kind, List<String> images) {}

    private final ContentStore content;
    private final LayerStore layers;
    private final KnownBlobs known;
    private final LayerCollector.Lease lease;
    private final Map<Digest, Named> images = new LinkedHashMap<>();
    private ImageIndex index = ImageIndex.EMPTY;
    private final Map<Digest, Need> blobNeeds = new LinkedHashMap<>();
    private final Map<Digest, Need> layerNeeds = new LinkedHashMap<>();
    private final List<Problem> problems = new ArrayList<>();
    private long bytes;

    ImageCheck(ContentStore content, LayerStore layers, KnownBlobs known, LayerCollector.Lease lease) {
        this.content = content;
        this.layers = layers;
        this.known = known;
        this.lease = lease;
    }

    /// Checks all that `now` names, then repairs what `sources` allow.
    Report run(ImageIndex now, Artifacts artifacts, Sources sources) throws IOException, EngineException {
        index = now;
        for (var image : now.images().entrySet()) {
            var names = now.namesOf(image.getKey());
            images.put(image.getKey(), new Named(image.getValue(),
                    names.isEmpty() ? artifacts.namesOfSubject(image.getKey(), now) : names));
        }
        needDocuments();
        var blobs = new LinkedHashSet<>(content.list());
        blobs.addAll(blobNeeds.keySet());
        for (var blob : blobs) {
            blobFault(blob).ifPresent(fault -> problems.add(problem(blobNeeds.get(blob), BLOB, blob, fault)));
        }
        needLayers();
        lease.hold(layerNeeds.keySet());
        var all = new LinkedHashSet<>(layers.list());
        all.addAll(layerNeeds.keySet());
        for (var layer : all) {
            layers.fault(layer).ifPresent(fault -> problems.add(problem(layerNeeds.get(layer), "layer", layer, fault)));
            bytes += layers.has(layer) ? tarBytes(layer) : 0;
        }
        if (sources.repairs() && !problems.isEmpty()) {
            repair(sources);
        }
        return new Report(blobs.size(), all.size(), bytes, problems);
    }

    private long tarBytes(Digest layer) {
        try {
            return layers.sizes(layer).tarBytes();
        } catch (IOException e) {
            return 0; // told as a problem
        }
    }

    private static Problem problem(@Nullable Need need, String kind, Digest digest,
            String fault) {
        return new Problem(need == null ? kind : need.kind, digest, fault, need == null ? List.of() : need.images, false);
    }

    private void needDocuments() {
        images.forEach((id, image) -> {
            var shown = image.names.isEmpty() ? List.of(id.toString())
                    : image.names.stream().map(Reference::familiar).toList();
            blobNeeds.put(image.manifest.digest(), new Need("manifest", shown));
            index.manifests(id).forEach(other -> blobNeeds.putIfAbsent(other.digest(), new Need("manifest", shown)));
            if (image.isArtifact(id)) {
                parts(image).forEach(part -> blobNeeds.merge(part.digest(), new Need(BLOB, shown), ImageCheck::both));
            } else {
                blobNeeds.put(id, new Need("config", shown));
            }
        });
        for (var each : index.indexes()) {
            blobNeeds.put(each, new Need(INDEX, index.namesOfIndex(each).stream().map(Reference::familiar).sorted().toList()));
        }
    }

    /// An artifact's blobs; none when its manifest is damaged.
    private List<Descriptor> parts(Named artifact) {
        try {
            return Artifact.parts(Manifest.parse(content.readAll(artifact.manifest.digest(), Manifest.MAX_BYTES)));
        } catch (IOException | EngineException.Invalid e) {
            return List.of(); // damaged, and said
        }
    }

    private void needLayers() throws IOException {
        for (var image : images.entrySet()) {
            var id = image.getKey();
            if (image.getValue().isArtifact(id)) {
                continue;
            }
            try {
                var config = ImageConfig.parse(content.readAll(id, ImageConfig.MAX_BYTES));
                var shown = blobNeeds.getOrDefault(id, new Need("config", List.of())).images;
                config.diffIds().forEach(diffId -> layerNeeds.merge(diffId, new Need("layer", shown), ImageCheck::both));
            } catch (IOException | EngineException.Invalid e) {
                // damaged, and said
            }
        }
    }

    private static Need both(Need one, Need other) {
        var images = new LinkedHashSet<>(one.images);
        images.addAll(other.images);
        return new Need(one.kind, List.copyOf(images));
    }

    private Optional<String> blobFault(Digest blob) throws IOException {
        if (!content.has(blob)) {
            return Optional.of("it is missing");
        }
        var hash = blob.algorithm().hasher();
        try (var in = content.read(blob)) {
            byte[] buffer = new byte[64 << 10];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
                bytes += count;
            }
        }
        return Digest.finish(blob.algorithm(), hash.digest()).equals(blob) ? Optional.empty()
                : Optional.of("its bytes are damaged");
    }

    private void repair(Sources sources) throws IOException, EngineException {
        problems.replaceAll(problem -> ownTar(problem) ? problem.nowRepaired() : problem);
        var archive = left().isEmpty() ? Optional.<InputStream>empty() : sources.archive();
        if (archive.isPresent()) {
            try (var in = archive.get()) {
                fromArchive(in);
            }
        }
        // A manifest first: it says how long the configuration is.
        problems.sort(Comparator.comparing(problem -> !problem.kind.equals("manifest")));
        for (int i = 0; i < problems.size(); i++) {
            var problem = problems.get(i);
            if (!problem.repaired && fetched(problem, sources)) {
                problems.set(i, problem.nowRepaired());
            }
        }
        layers.syncNames();
    }

    private Set<Digest> left() {
        var left = new LinkedHashSet<Digest>();
        problems.stream().filter(problem -> !problem.repaired).forEach(problem -> left.add(problem.digest));
        return left;
    }

    private boolean ownTar(Problem problem) {
        if (!problem.kind.equals("layer")) {
            return false;
        }
        try (var tar = layers.tar(problem.digest)) {
            return replaced(problem.digest, tar);
        } catch (IOException | EngineException.Invalid e) {
            return false; // the tar is damaged too
        }
    }

    private boolean replaced(Digest layer, InputStream blob) throws IOException, EngineException.Invalid {
        try (var staged = layers.stage(blob)) {
            if (!staged.hashes().diffId().equals(layer)) {
                return false;
            }
            layers.sync(List.of(staged));
            staged.replace();
            return layers.fault(layer).isEmpty();
        }
    }

    private void fromArchive(InputStream archive) throws IOException, EngineException {
        var wanted = left();
        var blobs = new HashMap<Digest, Digest>(); // of layers, to their diffIds
        for (var diffId : layerNeeds.keySet()) {
            known.of(diffId).forEach(each -> blobs.put(each.blob().digest(), diffId));
        }
        ArchiveReader.KnownLayers here = blob -> {
            var diffId = blobs.getOrDefault(blob, blob);
            return layers.has(diffId) && !wanted.contains(diffId) ? Optional.of(diffId) : Optional.empty();
        };
        try (var contents = new ArchiveReader(layers, ArchiveReader.budget(), here, LoadProgress.SILENT,
                new ArchiveBlobs(content)).read(archive)) {
            for (int i = 0; i < problems.size(); i++) {
                var problem = problems.get(i);
                if (!problem.repaired && (contents.replace(problem.digest) && layers.fault(problem.digest).isEmpty()
                        || putDocument(problem.digest, contents.documentOf(problem.digest))
                        || problem.kind.equals(BLOB) && blobFault(problem.digest).isEmpty())) {
                    problems.set(i, problem.nowRepaired());
                }
            }
        }
    }

    /// Makes an index again that a build made, which is nothing but a list of what its name means; or asks the registries
    /// that its names are of.
    private boolean indexAgain(Digest digest, Sources sources) throws IOException, EngineException {
        var names = index.namesOfIndex(digest);
        for (var name : names) {
            var entries = new ArrayList<Descriptor>();
            index.meaning(name).forEach(id -> index.manifest(id, Optional.of(name)).ifPresent(entries::add));
            for (var order : List.of(entries.reversed(), entries)) { // names mean the newest first
                if (putDocument(digest, Optional.of(Index.of(order).toJson().printBytes()))) {
                    return true;
                }
            }
        }
        var wanted = Descriptor.of(MediaTypes.OCI_INDEX, digest, 0); // nothing here says how long it is
        for (String repository : repositories(names)) {
            if (sources.blob(wanted, repository, in -> takeIndex(digest, in))) {
                return true;
            }
        }
        return false;
    }

    private void takeIndex(Digest digest, InputStream in) throws IOException, EngineException.Invalid {
        byte[] bytes = in.readNBytes(Manifest.MAX_BYTES + 1);
        if (bytes.length > Manifest.MAX_BYTES || !putDocument(digest, Optional.of(bytes))) {
            throw new EngineException.Invalid("what came is not the index " + digest);
        }
    }

    private boolean putDocument(Digest digest, Optional<byte[]> document) throws IOException, EngineException.Invalid {
        if (document.isEmpty() || !digest.matches(document.get())) {
            return false;
        }
        try (var ingest = Ingest.fresh(content, digest, document.get().length)) {
            ingest.write(document.get());
            ingest.commit(); // in the place of the damaged one: nobody finds nothing meanwhile
        }
        return true;
    }

    private boolean fetched(Problem problem, Sources sources) throws IOException, EngineException {
        if (problem.kind.equals("layer")) {
            for (var candidate : known.of(problem.digest)) {
                for (String repository : candidate.repositories().isEmpty() ? Set.of("") : candidate.repositories()) {
                    if (sources.blob(candidate.blob(), repository, in -> putLayer(problem.digest, in))) {
                        return true;
                    }
                }
            }
            return false;
        }
        if (problem.kind.equals(INDEX)) {
            return indexAgain(problem.digest, sources);
        }
        for (var image : images.entrySet()) {
            var wanted = document(problem.digest, image.getKey(), image.getValue());
            if (wanted.isPresent()) {
                for (String repository : repositories(image.getValue().names)) {
                    if (sources.blob(wanted.get(), repository, in -> putBlob(wanted.get(), in))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /// What the image or artifact calls the blob with this digest, if it is one of its own.
    private Optional<Descriptor> document(Digest digest, Digest id, Named image) {
        var manifest = index.manifests(id).stream().filter(each -> each.digest().equals(digest)).findFirst();
        if (manifest.isPresent()) {
            return manifest;
        }
        if (image.isArtifact(id)) {
            return parts(image).stream().filter(part -> part.digest().equals(digest)).findFirst();
        }
        if (!digest.equals(id)) {
            return Optional.empty();
        }
        for (var each : index.manifests(id)) {
            try {
                return Optional.of(Manifest.parse(content.readAll(each.digest(), Manifest.MAX_BYTES)).config());
            } catch (IOException | EngineException.Invalid e) {
                // damaged too, and could not be repaired; nobody else knows the size
            }
        }
        return Optional.empty();
    }

    private static Set<String> repositories(List<Reference> names) {
        var repositories = new LinkedHashSet<String>();
        names.forEach(name -> repositories.add(name.repository()));
        return repositories.isEmpty() ? Set.of("") : repositories;
    }

    private void putBlob(Descriptor blob, InputStream in) throws IOException, EngineException.Invalid {
        try (var ingest = Ingest.fresh(content, blob.digest(), blob.size())) {
            byte[] buffer = new byte[64 << 10];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                ingest.write(buffer, 0, count);
            }
            ingest.commit();
        }
    }

    private void putLayer(Digest layer, InputStream in) throws IOException, EngineException.Invalid {
        if (!replaced(layer, in)) {
            throw new EngineException.Invalid("what came is not the layer " + layer);
        }
    }
}
