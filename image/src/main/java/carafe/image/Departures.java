package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Makes images ready to leave, for registries and as archives; what leaves is kept from collections meanwhile. Any thread.
public final class Departures implements AutoCloseable {

    private final Images images;
    private final ContentStore content;
    private final LayerStore layers;
    private final LayerCollector collector;
    private final KnownBlobs known;
    private final EarlyBlobs early;
    private final Path scratch;

    Departures(Images images, ContentStore content, LayerStore layers, LayerCollector collector, KnownBlobs known)
            throws IOException {
        this.images = images;
        this.content = content;
        this.layers = layers;
        this.collector = collector;
        this.known = known;
        this.scratch = content.root().resolve("early");
        this.early = EarlyBlobs.open(scratch, layers, collector, known);
    }

    /// Blobs that are made before they are sent.
    public EarlyBlobs early() {
        return early;
    }

    @Override
    public void close() {
        early.close();
    }

    /// All that `name` means.
    OutgoingImages outgoing(String name) throws EngineException {
        return images.reading(at -> outgoing(name, at));
    }

    private OutgoingImages outgoing(String name, ImageIndex now) throws EngineException {
        var first = images.find(name, now);
        var meant = ImageNames.meant(name, now).filter(_ -> !ImageNames.isIdPrefix(first.id(), name));
        var shared = meant.isPresent() ? shared(meant.get(), now) : Optional.<SharedIndex>empty();
        var wanted = new ArrayList<>(List.of(first));
        for (var id : shared.isPresent() ? now.meaning(meant.orElseThrow()) : List.<Digest>of()) {
            if (!id.equals(first.id())) {
                wanted.add(images.image(id, meant.orElseThrow(), now));
            }
        }
        var all = new ArrayList<Outgoing>();
        boolean whole = false;
        try {
            for (var image : wanted) {
                all.add(one(image));
            }
            whole = true;
            return new OutgoingImages(all, shared);
        } finally {
            if (!whole) {
                all.forEach(Outgoing::close);
            }
        }
    }

    /// What `name` means on `platform`, made ready to be sent alone; to be closed.
    /// @throws EngineException.NotFound there is none of that name, or none for the platform
    public OutgoingImages outgoing(String name, Platform platform) throws EngineException {
        return images.reading(at -> new OutgoingImages(List.of(one(images.find(name, platform, at))), Optional.empty()));
    }

    /// What people find behind an image's names: its manifest first, those that its tags have, those of other platforms, and
    /// what else their indexes list and is not here; nothing of an artifact.
    public List<ListedManifest> manifests(Digest id) throws EngineException {
        return images.reading(at -> manifests(id, at));
    }

    private List<ListedManifest> manifests(Digest id, ImageIndex now) throws EngineException {
        var all = new LinkedHashMap<Digest, ListedManifest>();
        var here = new LinkedHashSet<>(List.of(id));
        here.addAll(now.together(id));
        for (var each : here) {
            for (var manifest : now.isArtifact(each) ? Set.<Descriptor>of() : tagged(each, now)) {
                all.put(manifest.digest(), new ListedManifest(manifest, Optional.of(images.image(each, now)), Optional.empty()));
            }
        }
        var platforms = all.values().stream().flatMap(each -> each.manifest().platform().stream()).map(Platform::toString)
                .toList();
        for (var name : now.namesOf(id)) {
            var from = now.indexOf(name);
            for (var entry : from.isPresent() ? entries(from.get()) : List.<Descriptor>of()) {
                if (platforms.contains(entry.platform().map(Platform::toString).orElse(""))) {
                    continue; // an image that is here, as a registry has it, with compressed layers
                }
                all.putIfAbsent(entry.digest(), new ListedManifest(entry, Optional.empty(), OciArchive.attested(entry)));
            }
        }
        return List.copyOf(all.values());
    }

    /// An image's own manifest, and those that it has under tags.
    private static Set<Descriptor> tagged(Digest id, ImageIndex now) {
        var all = new LinkedHashSet<Descriptor>();
        now.manifest(id, Optional.empty()).ifPresent(all::add);
        now.namesOf(id).stream().filter(name -> name.digest().isEmpty())
                .forEach(name -> now.manifest(id, Optional.of(name)).ifPresent(all::add));
        return all;
    }

    /// What an index lists; nothing if it is damaged, which a check tells.
    private List<Descriptor> entries(Digest index) {
        try {
            return Index.parse(content.readAll(index, Manifest.MAX_BYTES)).manifests();
        } catch (IOException | EngineException.Invalid e) {
            return List.of();
        }
    }

    private Outgoing one(Image image) throws EngineException {
        var kept = new Outgoing.Kept(collector.lease(), early.hold());
        boolean open = false;
        try {
            kept.lease().hold(image.config().diffIds());
            stillHere(image.id());
            kept.early().stay();
            var manifest = content.readAll(image.manifestDigest(), Manifest.MAX_BYTES);
            var all = image.config().diffIds().stream()
                    .map(diffId -> new OutgoingLayer(diffId, layers, known, kept.early().take(diffId))).toList();
            var outgoing = new Outgoing(image, images.configBytes(image.id()), manifest, all, kept);
            open = true;
            return outgoing;
        } catch (IOException e) {
            throw Failures.of("read image " + image.id(), e);
        } finally {
            if (!open) {
                kept.close();
            }
        }
    }

    /// Comes after the lease on an image's layers: as long as it is an image then, no collection had them for unneeded before.
    /// @throws EngineException.NotFound it was removed meanwhile
    private void stillHere(Digest id) throws EngineException {
        if (!images.index().images().containsKey(id)) {
            throw new EngineException.NotFound("No such image: " + id);
        }
    }

    /// The index that goes with a name: one whose images are all here, or of which several are.
    private Optional<SharedIndex> shared(Reference name, ImageIndex now) throws EngineException {
        var from = now.indexOf(name);
        if (from.isEmpty()) {
            return Optional.empty();
        }
        try {
            var index = SharedIndex.of(content.readAll(from.get(), Manifest.MAX_BYTES));
            int here = now.meaning(name).size();
            return here > 1 || index.isOnly(here) ? Optional.of(index) : Optional.empty();
        } catch (IOException e) {
            throw Failures.of("read the index of " + name.familiar(), e);
        }
    }

    /// See [Images#save].
    ImageArchive save(List<String> names, Optional<Platform> platform) throws EngineException {
        return images.reading(at -> prepared(archive -> {
            for (var wanted : ImageNames.resolveAll(names, platform, at).entrySet()) {
                var id = wanted.getKey();
                if (at.isArtifact(id)) {
                    archive.add(images.artifacts().outgoing(images.artifacts().artifact(id, at)), tags(wanted.getValue()));
                    continue;
                }
                for (var name : wanted.getValue()) {
                    var shared = platform.isPresent() ? Optional.<SharedIndex>empty() : shared(name, at);
                    if (shared.isPresent()) {
                        together(archive, name, shared.get(), id, at);
                    } else {
                        archive.add(images.image(id, name, at), images.configBytes(id), tags(List.of(name)), Map.of());
                    }
                }
                if (wanted.getValue().isEmpty()) {
                    archive.add(images.image(id, at), images.configBytes(id), List.of(), Map.of());
                }
            }
            images.artifacts().addReferrers(archive);
        }));
    }

    /// Archives have names with tags; a digest says which of an image's manifests is meant.
    private static List<Reference> tags(List<Reference> names) {
        return names.stream().filter(name -> name.digest().isEmpty()).toList();
    }

    /// Puts into an archive what it is to have.
    @FunctionalInterface
    private interface Filling {
        void of(ImageArchive archive) throws EngineException;
    }

    private ImageArchive prepared(Filling filling) throws EngineException {
        var archive = new ImageArchive(new ArchiveLayers(layers, scratch), collector.lease());
        boolean prepared = false;
        try {
            filling.of(archive);
            for (var image : archive.images()) {
                stillHere(image.id());
            }
            prepared = true;
            return archive;
        } finally {
            if (!prepared) {
                archive.close();
            }
        }
    }

    private void together(ImageArchive archive, Reference name, SharedIndex index, Digest first, ImageIndex now)
            throws EngineException {
        var ids = new LinkedHashSet<>(List.of(first));
        ids.addAll(now.meaning(name));
        var all = new ArrayList<Image>();
        for (var id : ids) {
            var image = images.image(id, name, now);
            archive.add(image, images.configBytes(id));
            all.add(image);
        }
        archive.add(new ArchiveWriter.Together(index, all, List.of(name), Map.of()));
    }

    /// Prepares an archive of what somebody made, whatever its names are here; blocks while its layers are compressed, which
    /// an interrupt ends. To be written, then closed.
    /// @throws EngineException.NotFound an image is not here any more
    /// @throws EngineException.Invalid annotations are to be in documents with Docker's media types
    public ImageArchive save(MadeArchive made) throws EngineException {
        var archive = listed(made);
        boolean whole = false;
        try {
            archive.as(made.form());
            whole = true;
            return archive;
        } catch (IOException e) {
            throw Failures.of("make the archive", e);
        } finally {
            if (!whole) {
                archive.close();
            }
        }
    }

    private ImageArchive listed(MadeArchive made) throws EngineException {
        return images.reading(at -> prepared(archive -> {
            var all = new ArrayList<Image>();
            for (var id : made.ids()) {
                var image = made.own(images.image(id, at));
                all.add(image);
                if (made.index().isPresent()) {
                    archive.add(image, images.configBytes(id));
                } else {
                    archive.add(image, images.configBytes(id), made.names(), made.annotations());
                }
            }
            if (made.index().isPresent()) {
                archive.add(new ArchiveWriter.Together(SharedIndex.of(made.index().get()), all, made.names(),
                        made.annotations()));
            }
        }));
    }
}
