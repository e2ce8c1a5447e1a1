package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Makes images ready to leave, for registries and as archives; what leaves is kept from collections meanwhile. Any thread.
public final class Departures implements AutoCloseable {

    private final Images images;
    private final ContentStore content;
    private final LayerStore layers;
    private final LayerCollector collector;
    private final KnownBlobs known;
    private final EarlyBlobs early;

    Departures(Images images, ContentStore content, LayerStore layers, LayerCollector collector, KnownBlobs known)
            throws IOException {
        this.images = images;
        this.content = content;
        this.layers = layers;
        this.collector = collector;
        this.known = known;
        this.early = EarlyBlobs.open(content.root().resolve("early"), layers, collector, known);
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
        var now = images.index();
        var first = images.find(name);
        var ids = new LinkedHashSet<>(List.of(first.id()));
        var meant = ImageNames.isIdPrefix(first.id(), name) ? Optional.<Reference>empty() : ImageNames.meant(name, now);
        var shared = meant.isPresent() ? shared(meant.get(), now) : Optional.<SharedIndex>empty();
        if (shared.isPresent()) {
            ids.addAll(now.meaning(meant.orElseThrow()));
        }
        var all = new ArrayList<Outgoing>();
        boolean whole = false;
        try {
            for (var id : ids) {
                all.add(one(images.image(id, now)));
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
        return new OutgoingImages(List.of(one(images.find(name, platform))), Optional.empty());
    }

    /// What people find behind an image's names: its manifest first, those of other platforms, and what else their indexes
    /// list and is not here; nothing of an artifact.
    public List<ListedManifest> manifests(Digest id) throws EngineException {
        var now = images.index();
        var all = new LinkedHashMap<Digest, ListedManifest>();
        var here = new LinkedHashSet<>(List.of(id));
        here.addAll(now.together(id));
        for (var each : here) {
            var manifest = now.images().get(each);
            if (manifest != null && !now.isArtifact(each)) {
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
        var now = images.index();
        var archive = new ImageArchive(layers, collector.lease());
        boolean prepared = false;
        try {
            for (var wanted : ImageNames.resolveAll(names, platform, now).entrySet()) {
                var id = wanted.getKey();
                if (now.isArtifact(id)) {
                    archive.add(images.artifacts().outgoing(images.artifacts().artifact(id, now)), wanted.getValue());
                    continue;
                }
                var alone = new ArrayList<Reference>();
                for (var name : wanted.getValue()) {
                    var shared = platform.isPresent() ? Optional.<SharedIndex>empty() : shared(name, now);
                    if (shared.isEmpty()) {
                        alone.add(name);
                    } else {
                        together(archive, name, shared.get(), id, now);
                    }
                }
                if (!alone.isEmpty() || wanted.getValue().isEmpty()) {
                    archive.add(images.image(id, now), images.configBytes(id), alone);
                }
            }
            images.artifacts().addReferrers(archive);
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
        for (var id : ids) {
            archive.add(images.image(id, now), images.configBytes(id));
        }
        archive.add(new ArchiveWriter.Together(index, List.copyOf(ids), List.of(name), Map.of()));
    }

    /// Prepares an archive of what somebody made, whatever its names are here. To be written, then closed.
    /// @throws EngineException.NotFound an image is not here any more
    public ImageArchive save(MadeArchive made) throws EngineException {
        var now = images.index();
        var archive = new ImageArchive(layers, collector.lease());
        boolean prepared = false;
        try {
            for (var id : made.ids()) {
                var image = images.image(id, now);
                if (made.index().isPresent()) {
                    archive.add(image, images.configBytes(id));
                } else {
                    archive.add(image, images.configBytes(id), made.names(), made.annotations());
                }
            }
            if (made.index().isPresent()) {
                archive.add(new ArchiveWriter.Together(SharedIndex.of(made.index().get()), made.ids(), made.names(),
                        made.annotations()));
            }
            prepared = true;
            return archive;
        } finally {
            if (!prepared) {
                archive.close();
            }
        }
    }
}
