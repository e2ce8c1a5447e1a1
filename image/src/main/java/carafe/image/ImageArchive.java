package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.build.BlobForm;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Images and artifacts about to be written as an archive, a docker-archive and an OCI layout in one; they stay here until
/// this is closed.
public final class ImageArchive implements AutoCloseable {

    private final Map<ArchiveWriter.Form, ArchiveWriter.Part> parts = new LinkedHashMap<>();
    private final List<ArchiveWriter.Together> together = new ArrayList<>();
    private final List<ArchiveWriter.ArtifactPart> artifacts = new ArrayList<>();
    private final Map<Digest, byte[]> documents = new LinkedHashMap<>();
    private final ArchiveLayers layers;
    private final LayerCollector.Lease lease;

    /// Owns both.
    ImageArchive(ArchiveLayers layers, LayerCollector.Lease lease) {
        this.layers = layers;
        this.lease = lease;
    }

    /// Adds an image under names that it has alone; `annotations` are for its entry in the archive's table.
    void add(Image image, byte[] config, List<Reference> names, Map<String, String> annotations) {
        lease.hold(image.config().diffIds());
        var form = ArchiveWriter.Form.of(image);
        var before = parts.get(form);
        var all = new ArrayList<>(before == null ? List.<Reference>of() : before.names());
        all.addAll(names);
        parts.put(form, new ArchiveWriter.Part(image, config, all, true, annotations));
    }

    /// Adds an image that only an index lists.
    void add(Image image, byte[] config) {
        lease.hold(image.config().diffIds());
        parts.putIfAbsent(ArchiveWriter.Form.of(image), new ArchiveWriter.Part(image, config, List.of(), false, Map.of()));
    }

    /// Adds the index of images that were added.
    void add(ArchiveWriter.Together index) {
        together.add(index);
    }

    /// Adds an artifact, which it owns from now on.
    void add(OutgoingArtifact artifact, List<Reference> names) {
        artifacts.add(new ArchiveWriter.ArtifactPart(artifact, names));
    }

    /// Adds a document that says what an artifact's subject is; no table lists it.
    void addDocument(byte[] document) {
        documents.putIfAbsent(Digest.sha256(document), document);
    }

    /// Has all layers in this form; they are compressed now.
    void as(BlobForm form) throws IOException, EngineException.Invalid {
        boolean annotated = images().stream().anyMatch(image -> !image.manifest().annotations().isEmpty())
                || together.stream().anyMatch(each -> each.index().isAnnotated());
        if (form.docker() && annotated) {
            throw new EngineException.Invalid("annotations stand in documents of OCI's media types only: leave out"
                    + " oci-mediatypes=false");
        }
        layers.make(images().stream().flatMap(image -> image.config().diffIds().stream()).distinct().toList(), form);
    }

    /// What its only index is there, or without one its only image.
    public Descriptor only() throws IOException, EngineException.Invalid {
        var writer = new ArchiveWriter(layers, OutputStream.nullOutputStream());
        return together.isEmpty() ? writer.manifest(parts.values().iterator().next())
                : writer.index(together.getFirst(), List.copyOf(parts.values()));
    }

    /// The images, in the order they are written.
    public List<Image> images() {
        return parts.values().stream().map(ArchiveWriter.Part::image).toList();
    }

    /// The images and artifacts, in the order they came.
    public List<Digest> ids() {
        var ids = new ArrayList<>(images().stream().map(Image::id).distinct().toList());
        artifacts.forEach(part -> ids.add(part.artifact().artifact().id()));
        return ids;
    }

    /// Writes the archive to `out`, which is flushed and stays open.
    /// @throws IOException `out`'s own, or the disk's
    public void write(OutputStream out) throws IOException, EngineException {
        new ArchiveWriter(layers, out).write(List.copyOf(parts.values()), together, artifacts, List.copyOf(documents.values()));
    }

    @Override
    public void close() {
        artifacts.forEach(part -> part.artifact().close());
        layers.close();
        lease.close();
    }
}
