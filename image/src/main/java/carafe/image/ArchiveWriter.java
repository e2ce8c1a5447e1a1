package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import carafe.spec.tar.TarEntry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Writes images as an archive that is a docker-archive and an OCI layout in one, as Docker writes it since version 25:
/// blobs first, each once, then the tables of both forms. Layers are their plain tars unless another form is asked for, so
/// their digests are those in the images' configurations; an image keeps its id wherever the archive is loaded. The same
/// images give the same bytes. Source: OCI image-spec image-layout.md; Docker image spec 1.3, "Combined Image JSON +
/// Filesystem Changeset".
final class ArchiveWriter {

    private static final int FILE_MODE = 0644;
    private static final int DIRECTORY_MODE = 0755;
    private static final String BLOBS = "blobs/sha256/";

    private final ArchiveLayers layers;
    private final OutputStream out;
    private final TarWriter tar;
    private final Set<Digest> written = new HashSet<>();
    private final List<Descriptor> entries = new ArrayList<>();
    private final List<Json> table = new ArrayList<>();
    private final Map<String, Json.Builder> repositories = new LinkedHashMap<>();
    private final Map<Form, SharedIndex.Part> images = new LinkedHashMap<>();

    /// An image as an archive has it: what is annotated is another manifest.
    record Form(Digest id, Map<String, String> annotations) {
        static Form of(Image image) {
            return new Form(image.id(), image.manifest().annotations());
        }
    }

    /// One image to write, with the names that the archive shall give it alone; `listed` if not only an index lists it; what
    /// its entry in the archive's table is annotated with beside its names.
    record Part(Image image, byte[] config, List<Reference> names, boolean listed, Map<String, String> annotations) {}

    /// Images of one index, the one first that readers of one platform get; the index's names, if any, and what its entry
    /// in the archive's table is annotated with beside them.
    record Together(SharedIndex index, List<Image> images, List<Reference> names, Map<String, String> annotations) {

        Together {
            images = List.copyOf(images);
            names = List.copyOf(names);
            annotations = Map.copyOf(annotations);
        }

        private boolean shows(Image image) {
            return Form.of(images.getFirst()).equals(Form.of(image));
        }
    }

    /// One artifact to write.
    record ArtifactPart(OutgoingArtifact artifact, List<Reference> names) {}

    ArchiveWriter(ArchiveLayers layers, OutputStream out) {
        this.layers = layers;
        this.out = out;
        this.tar = new TarWriter(out);
    }

    /// Writes the whole archive; `out` stays open. `documents` are blobs that no table lists.
    void write(List<Part> parts, List<Together> indexes, List<ArtifactPart> artifacts, List<byte[]> documents)
            throws IOException, EngineException {
        tar.directory("blobs/", DIRECTORY_MODE);
        tar.directory(BLOBS, DIRECTORY_MODE);
        for (var artifact : artifacts) { // before its blobs: whoever reads the archive once knows then what they are
            byte[] manifest = artifact.artifact.manifest();
            blob(Digest.sha256(manifest), manifest);
        }
        for (byte[] document : documents) {
            blob(Digest.sha256(document), document);
        }
        for (var part : parts) {
            var all = new ArrayList<>(part.names);
            var showing = indexes.stream().filter(each -> each.shows(part.image)).toList();
            showing.forEach(each -> all.addAll(each.names));
            image(part, all, part.listed || !showing.isEmpty());
        }
        for (var each : indexes) {
            byte[] index = document(each);
            blob(Digest.sha256(index), index);
            list(Descriptor.of(Index.parse(index).mediaType(), index).withAnnotations(each.annotations), each.names);
        }
        for (var artifact : artifacts) {
            artifact(artifact);
        }
        tar.file("index.json", FILE_MODE, Index.of(entries).toJson().printBytes());
        tar.file("manifest.json", FILE_MODE, Json.ofAll(table).printBytes());
        tar.file("oci-layout", FILE_MODE, Json.object().put("imageLayoutVersion", "1.0.0").build().printBytes());
        if (!repositories.isEmpty()) {
            var old = Json.object();
            repositories.forEach((name, tags) -> old.put(name, tags.build()));
            tar.file("repositories", FILE_MODE, old.build().printBytes());
        }
        tar.finish();
        out.flush();
    }

    /// What an image's documents in the archive are.
    private record Documents(byte[] manifest, Descriptor about, Descriptor config, List<Descriptor> layers) {}

    private Documents documents(Part part) throws IOException {
        var blobs = new ArrayList<Descriptor>();
        for (var diffId : part.image.config().diffIds()) {
            blobs.add(layers.blob(diffId));
        }
        var config = Descriptor.of(layers.form().configType(), part.image.id(), part.config.length);
        byte[] manifest = new Manifest(layers.form().manifestType(), config, blobs, part.image.manifest().annotations(),
                Optional.empty(), Optional.empty()).toJson().printBytes();
        var about = Descriptor.of(layers.form().manifestType(), manifest);
        var entry = new Descriptor(about.mediaType(), about.digest(), about.size(),
                Optional.of(part.image.config().platform()), Map.of(), Optional.empty());
        images.put(Form.of(part.image), new SharedIndex.Part(part.image, entry));
        return new Documents(manifest, entry, config, blobs);
    }

    /// The manifest that an image has in the archive.
    Descriptor manifest(Part part) throws IOException {
        return documents(part).about;
    }

    /// The index that holds these images together there.
    Descriptor index(Together index, List<Part> parts) throws IOException, EngineException.Invalid {
        for (var part : parts) {
            documents(part);
        }
        return Descriptor.of(layers.form().indexType(), document(index));
    }

    private byte[] document(Together together) throws EngineException.Invalid {
        var members = new ArrayList<SharedIndex.Part>();
        together.images.forEach(image -> Optional.ofNullable(images.get(Form.of(image))).ifPresent(members::add));
        return layers.form().docker() ? together.index.dockersOver(members) : together.index.over(members);
    }

    /// `names` are those that readers of docker-archives see, which know no index; `seen`: they see the image at all.
    private void image(Part part, List<Reference> names, boolean seen) throws IOException, EngineException {
        var documents = documents(part);
        var files = new ArrayList<String>();
        var sources = Json.object();
        for (int i = 0; i < documents.layers.size(); i++) {
            var diffId = part.image.config().diffIds().get(i);
            var blob = documents.layers.get(i);
            layer(diffId, blob);
            files.add(BLOBS + blob.digest().hex());
            sources.put(diffId.toString(), blob.toJson());
        }
        var config = documents.config;
        blob(config.digest(), part.config);
        blob(documents.about.digest(), documents.manifest);
        if (part.listed) {
            list(documents.about.withAnnotations(part.annotations), part.names);
        }
        for (var name : names) {
            name.tag().ifPresent(tag -> repositories.computeIfAbsent(name.familiarRepository(), _ -> Json.object())
                    .put(tag, files.isEmpty() ? "" : files.getLast().substring(BLOBS.length())));
        }
        if (seen) {
            table.add(Json.object().put("Config", BLOBS + config.digest().hex())
                    .put("RepoTags", names.isEmpty() ? Json.NULL
                            : Json.ofTexts(names.stream().map(Reference::familiar).toList()))
                    .put("Layers", Json.ofTexts(files)).put("LayerSources", sources.build()).build());
        }
    }

    private void list(Descriptor entry, List<Reference> names) {
        for (var name : names) {
            var annotations = new LinkedHashMap<>(entry.annotations());
            annotations.put("io.containerd.image.name", name.toString());
            name.tag().ifPresent(tag -> annotations.put("org.opencontainers.image.ref.name", tag));
            entries.add(entry.withAnnotations(annotations));
        }
        if (names.isEmpty()) {
            entries.add(entry);
        }
    }

    private void artifact(ArtifactPart part) throws IOException, EngineException {
        for (var blob : part.artifact.parts()) {
            if (written.add(blob.digest())) {
                try (var in = part.artifact.open(blob.digest())) {
                    file(OciArchive.blob(blob.digest()), blob.size(), in);
                }
            }
        }
        list(part.artifact.artifact().descriptor(), part.names);
    }

    private void layer(Digest diffId, Descriptor blob) throws IOException {
        if (!written.add(blob.digest())) {
            return;
        }
        try (var in = layers.open(diffId)) {
            file(BLOBS + blob.digest().hex(), blob.size(), in);
        }
    }

    private void file(String name, long size, InputStream in) throws IOException {
        var extents = size == 0 ? List.<TarEntry.Extent>of() : List.of(new TarEntry.Extent(0, size));
        tar.add(new TarEntry(TarEntry.Type.FILE, name, "", size, extents, FILE_MODE, 0, 0, 0, 0, 0, 0, Map.of()), in);
    }

    private void blob(Digest digest, byte[] bytes) throws IOException {
        if (written.add(digest)) {
            tar.file(BLOBS + digest.hex(), FILE_MODE, bytes);
        }
    }
}
