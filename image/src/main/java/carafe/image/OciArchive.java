package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The images of an archive that holds an OCI layout: `index.json` points to manifests, or to indexes of which the
/// manifest for this machine is taken. What is no container image is passed over; see [IncomingArtifact] for artifacts.
/// Source: OCI image-spec image-layout.md; names as containerd, BuildKit and Podman annotate them.
final class OciArchive {

    private static final System.Logger LOG = System.getLogger("carafe.image");

    static final String LAYOUT = "oci-layout";
    static final String TABLE = "index.json";

    private static final String FULL_NAME = "io.containerd.image.name";
    private static final String REF_NAME = "org.opencontainers.image.ref.name";
    private static final String ATTESTATION = "vnd.docker.reference.type";
    private static final String ATTESTED = "vnd.docker.reference.digest";
    private static final int MAX_DEPTH = 4;

    private final ArchiveContents contents;
    private final Platform host;

    /// What each document turned out to be: a table may name one ten thousand times, and tables in it likewise.
    private final Map<Digest, Optional<Descriptor>> chosen = new HashMap<>(); // by the index
    private final Map<Digest, Boolean> present = new HashMap<>();

    private OciArchive(ArchiveContents contents, Platform host) {
        this.contents = contents;
        this.host = host;
    }

    /// An image, or those of an index with the one for this machine first, and the names so far.
    private record Named(List<IncomingImage> images, Optional<byte[]> index, Set<Reference> names) {
        private Stream<IncomingImage> as(List<Reference> kept) {
            return images.stream().map(image -> index.isPresent() ? image.of(kept, index.get()) : image.named(kept));
        }

        private boolean runsOn(Platform host) {
            return images.getFirst().config().platform().runsOn(host);
        }
    }

    /// The images that the layout's `table` points to, for `host` where there is a choice; with `all` those of every
    /// platform that an index with a name has here.
    static List<IncomingImage> images(byte[] table, ArchiveContents contents, Platform host, boolean all)
            throws EngineException {
        var archive = new OciArchive(contents, host);
        var byManifest = new LinkedHashMap<Descriptor, Optional<Named>>();
        var byIndex = new LinkedHashMap<Digest, Optional<Named>>();
        for (var entry : Index.parse(table).manifests()) {
            var found = archive.manifest(entry, 0);
            if (found.isEmpty()) {
                continue;
            }
            var name = name(entry.annotations());
            var manifest = Descriptor.of(found.get().mediaType(), found.get().digest(), found.get().size());
            if (all && MediaTypes.isIndex(entry.mediaType()) && name.isPresent()) {
                var together = byIndex.get(entry.digest());
                if (together == null) {
                    together = archive.together(entry, manifest);
                    byIndex.put(entry.digest(), together);
                }
                together.ifPresent(images -> images.names.add(name.get()));
                continue;
            }
            var image = byManifest.get(manifest);
            if (image == null) {
                image = archive.image(manifest).map(read -> new Named(List.of(read), Optional.empty(), new LinkedHashSet<>()));
                byManifest.put(manifest, image);
            }
            if (image.isPresent()) {
                name.ifPresent(image.get().names::add);
            }
        }
        return archive.oneOwnerPerName(Stream.concat(byManifest.values().stream(), byIndex.values().stream())
                .flatMap(Optional::stream).toList());
    }

    /// The images of an index: `best`, and those of other platforms that are whole and sound here; nothing where `best` is
    /// no image.
    private Optional<Named> together(Descriptor entry, Descriptor best) throws EngineException {
        var first = image(best);
        if (first.isEmpty()) {
            return Optional.empty();
        }
        byte[] index = document(entry, Manifest.MAX_BYTES);
        var images = new LinkedHashMap<String, IncomingImage>(Map.of(first.get().config().platform().toString(), first.get()));
        var seen = new HashSet<>(Set.of(best.digest()));
        for (var child : Index.parse(index).manifests()) {
            if (MediaTypes.isManifest(child.mediaType()) && !isAttestation(child) && seen.add(child.digest())) {
                other(child).ifPresent(found -> images.putIfAbsent(found.config().platform().toString(), found));
            }
        }
        return Optional.of(new Named(List.copyOf(images.values()), Optional.of(index), new LinkedHashSet<>()));
    }

    private Optional<IncomingImage> other(Descriptor child) throws EngineException {
        try {
            return isWhole(child) ? image(child) : Optional.empty();
        } catch (EngineException.Invalid e) {
            LOG.log(Level.WARNING, "the image " + child.digest() + " of another platform is passed over: " + e.getMessage());
            return Optional.empty();
        }
    }

    /// Whether all parts of an image are in the archive.
    private boolean isWhole(Descriptor descriptor) throws EngineException {
        var bytes = contents.document(blob(descriptor.digest()));
        if (bytes.isEmpty()) {
            return false;
        }
        var manifest = Manifest.parse(bytes.get());
        return manifest.artifact().isEmpty() && isPresent(manifest.config().digest()) && hasAll(manifest.layers());
    }

    private boolean hasAll(List<Descriptor> layers) throws EngineException {
        for (var layer : layers) {
            if (contents.layer(blob(layer.digest())).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /// Where several claim one name, the one for this machine has it; who had names and keeps none is passed over.
    private List<IncomingImage> oneOwnerPerName(List<Named> all) {
        var owners = new LinkedHashMap<Reference, Named>();
        for (var claim : all) {
            for (var name : claim.names) {
                var owner = owners.get(name);
                if (owner == null || claim.runsOn(host) && !owner.runsOn(host)) {
                    owners.put(name, claim);
                }
            }
        }
        var result = new ArrayList<IncomingImage>();
        for (var claim : all) {
            var names = claim.names.stream().filter(name -> owners.get(name) == claim).toList();
            if (!names.isEmpty() || claim.names.isEmpty()) {
                claim.as(names).forEach(result::add);
            }
        }
        return result;
    }

    /// The name in an entry's annotations: in full, or as a reference; a lone tag names nothing here.
    static Optional<Reference> name(Map<String, String> annotations) throws EngineException.Invalid {
        String text = annotations.getOrDefault(FULL_NAME, "");
        if (text.isEmpty()) {
            text = annotations.getOrDefault(REF_NAME, "");
            if (text.indexOf('/') < 0 && text.indexOf(':') < 0) {
                return Optional.empty();
            }
        }
        var name = Reference.parse(text).withDefaultTag();
        return name.digest().isPresent() ? Optional.empty() : Optional.of(name);
    }

    /// The manifest that `entry` means on this machine; empty when it means no container image.
    private Optional<Descriptor> manifest(Descriptor entry, int depth) throws EngineException.Invalid {
        if (MediaTypes.isManifest(entry.mediaType())) {
            return isAttestation(entry) ? Optional.empty() : Optional.of(entry);
        }
        if (!MediaTypes.isIndex(entry.mediaType())) {
            return Optional.empty();
        }
        if (depth == MAX_DEPTH) {
            throw new EngineException.Invalid("indexes are nested more than " + MAX_DEPTH + " deep");
        }
        var before = chosen.get(entry.digest());
        if (before != null) {
            return before;
        }
        var index = Index.parse(document(entry, Manifest.MAX_BYTES));
        Optional<Descriptor> best = Optional.empty();
        for (var child : index.manifests()) {
            if (!isPresent(child.digest())) {
                continue; // saved for some platforms only
            }
            var candidate = manifest(child, depth + 1);
            if (candidate.isPresent() && (best.isEmpty() || better(candidate.get(), best.get()))) {
                best = candidate;
            }
        }
        chosen.put(entry.digest(), best);
        return best;
    }

    private boolean isPresent(Digest digest) {
        return present.computeIfAbsent(digest, _ -> contents.document(blob(digest)).isPresent());
    }

    /// What a builder says of an image, in the form of an image's manifest.
    static boolean isAttestation(Descriptor entry) {
        return entry.annotations().containsKey(ATTESTATION);
    }

    /// The manifest that an attestation, if the entry is one, says something of.
    static Optional<Digest> attested(Descriptor entry) {
        try {
            return isAttestation(entry) ? Optional.of(Digest.parse(entry.annotations().getOrDefault(ATTESTED, "")))
                    : Optional.empty();
        } catch (EngineException.Invalid e) {
            return Optional.empty(); // it does not say of which
        }
    }

    private boolean better(Descriptor candidate, Descriptor than) {
        var wanted = candidate.platform().filter(platform -> platform.runsOn(host));
        var had = than.platform().filter(platform -> platform.runsOn(host));
        return wanted.isPresent() && (had.isEmpty() || wanted.get().variant().compareTo(had.get().variant()) > 0);
    }

    /// The image of a manifest; empty when it is an artifact.
    private Optional<IncomingImage> image(Descriptor descriptor) throws EngineException {
        byte[] manifestBytes = document(descriptor, Manifest.MAX_BYTES);
        var manifest = Manifest.parse(manifestBytes);
        if (manifest.artifact().isPresent()) {
            return Optional.empty();
        }
        byte[] configBytes = document(manifest.config(), ImageConfig.MAX_BYTES);
        var image = IncomingImage.of(configBytes, manifestBytes, List.of(), Optional.empty());
        for (int i = 0; i < manifest.layers().size(); i++) {
            var layer = manifest.layers().get(i);
            if (!MediaTypes.isLayer(layer.mediaType())) {
                throw new EngineException.Invalid("unsupported layer media type \"" + layer.mediaType() + "\"");
            }
            if (layer.digest().algorithm() != Digest.Algorithm.SHA256) {
                throw new EngineException.Invalid("unsupported digest algorithm for a layer: " + layer.digest());
            }
            var found = contents.layer(blob(layer.digest())).orElseThrow(() -> missing(layer.digest()));
            if (found.hashes().isPresent()) {
                checkBlob(layer, found.hashes().get());
            }
            IncomingImage.checkLayer(i, image.config().diffIds().get(i), found.diffId());
        }
        return Optional.of(image);
    }

    private static void checkBlob(Descriptor layer, LayerStream.Hashes found) throws EngineException.Invalid {
        if (layer.size() != found.blobBytes()) {
            throw new EngineException.Invalid("unexpected size of " + layer.digest() + ": expected " + layer.size()
                    + " bytes, got " + found.blobBytes());
        }
        if (!layer.digest().equals(found.blob())) {
            throw new EngineException.Invalid("unexpected digest: expected " + layer.digest() + ", got "
                    + found.blob());
        }
    }

    private byte[] document(Descriptor descriptor, int limitBytes) throws EngineException.Invalid {
        byte[] bytes = contents.document(blob(descriptor.digest())).orElseThrow(() -> missing(descriptor.digest()));
        if (bytes.length != descriptor.size() || bytes.length > limitBytes) {
            throw new EngineException.Invalid("unexpected size of " + descriptor.digest() + ": expected "
                    + descriptor.size() + " bytes, got " + bytes.length);
        }
        if (!descriptor.digest().matches(bytes)) {
            throw new EngineException.Invalid("unexpected digest: expected " + descriptor.digest() + ", got "
                    + Digest.sha256(bytes));
        }
        return bytes;
    }

    /// The member that a blob is.
    static String blob(Digest digest) {
        return "blobs/" + digest.algorithm().label() + "/" + digest.hex();
    }

    private static EngineException.Invalid missing(Digest digest) {
        return new EngineException.Invalid("archive is incomplete: blob " + digest + " is missing");
    }
}
