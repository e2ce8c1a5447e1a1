package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// The artifacts among what is stored: found by name, listed by what they refer to, taken in and sent. Their blobs are
/// kept as they came, for nothing is known of what they hold.
///
/// An artifact with a name stays until that is removed. One without stays as long as its subject: an image (by whatever
/// manifest of it, or the index it was found through) or another artifact. A manifest is an image's when its
/// configuration is that image; so a subject is known again after an archive brought the image under another manifest.
/// Source: OCI image-spec manifest.md (`subject`), distribution-spec "Listing Referrers".
public final class Artifacts {

    private final Images images;
    private final ContentStore content;
    private final ArtifactManifests manifests;

    Artifacts(Images images, ContentStore content) {
        this.images = images;
        this.content = content;
        this.manifests = new ArtifactManifests(content);
    }

    /// All of them, in the order they came.
    public List<Artifact> list() throws EngineException {
        return images.reading(this::list);
    }

    private List<Artifact> list(ImageIndex at) throws EngineException {
        var all = new ArrayList<Artifact>();
        for (var id : at.images().keySet()) {
            if (at.isArtifact(id)) {
                all.add(artifact(id, at));
            }
        }
        return all;
    }

    /// The artifact that `name` means; empty when it means an image.
    /// @throws EngineException.NotFound it means nothing here
    public Optional<Artifact> find(String name) throws EngineException {
        return images.reading(at -> {
            var id = ImageNames.resolve(name, at);
            return at.isArtifact(id) ? Optional.of(artifact(id, at)) : Optional.empty();
        });
    }

    /// What refers to the image or artifact with this id.
    public List<Artifact> referrers(Digest id) throws EngineException {
        return images.reading(at -> referrers(id, at));
    }

    private List<Artifact> referrers(Digest id, ImageIndex at) throws EngineException {
        var found = new ArrayList<Artifact>();
        for (var artifact : list(at)) {
            if (artifact.manifest().subject().isPresent()
                    && owners(artifact.manifest().subject().get().digest(), at).contains(id)) {
                found.add(artifact);
            }
        }
        return found;
    }

    /// Whether it refers to something that is here, and so stays without a name.
    public boolean isKept(Artifact artifact) throws EngineException {
        var subject = artifact.manifest().subject();
        return subject.isPresent() && !owners(subject.get().digest(), images.index()).isEmpty();
    }

    /// Bytes of all artifacts' blobs, each counted once.
    public long bytes() throws EngineException {
        var parts = new HashSet<Descriptor>();
        for (var artifact : list()) {
            Artifact.parts(artifact.manifest()).forEach(part -> parts.add(bare(part)));
            parts.add(bare(artifact.descriptor()));
        }
        return parts.stream().mapToLong(Descriptor::size).sum();
    }

    private static Descriptor bare(Descriptor part) {
        return Descriptor.of("", part.digest(), part.size());
    }

    /// Gives the artifact with this id, if it is here still, a further name.
    public void named(Digest id, Reference name) throws EngineException {
        try {
            images.update(at -> at.isArtifact(id) ? at.withName(name, id) : at);
        } catch (IOException e) {
            throw Failures.of("name artifact " + id, e);
        }
    }

    /// Begins to take in the artifact with this manifest, blob by blob; to be closed.
    /// @throws EngineException.Invalid it is an image's
    public ArtifactIntake intake(byte[] manifest) throws EngineException {
        return new ArtifactIntake(images, content, manifest);
    }

    /// The artifact that `name` means, which stays until this is closed.
    /// @throws EngineException.NotFound it means nothing here, or an image
    public OutgoingArtifact outgoing(String name) throws EngineException {
        var found = find(name).orElseThrow(() -> new EngineException.NotFound("No such artifact: " + name));
        return outgoing(found);
    }

    /// The same for one that was found.
    public OutgoingArtifact outgoing(Artifact artifact) throws EngineException {
        return images.reading(at -> {
            if (!at.images().containsKey(artifact.id())) {
                throw new EngineException.NotFound("No such artifact: " + artifact.id());
            }
            try {
                return new OutgoingArtifact(artifact, content);
            } catch (IOException e) {
                throw Failures.of("read artifact " + artifact.id(), e);
            }
        });
    }

    Artifact artifact(Digest id, ImageIndex at) throws EngineException {
        var tags = new ArrayList<Reference>();
        var digests = new ArrayList<Reference>();
        at.namesOf(id).forEach(name -> (name.digest().isPresent() ? digests : tags).add(name));
        var descriptor = Optional.ofNullable(at.images().get(id)).orElseThrow(
                () -> new EngineException.NotFound("No such image: " + id));
        return new Artifact(descriptor, manifests.of(id), tags, digests);
    }

    /// What the artifact's maker noted on it.
    public Map<String, String> annotations(Artifact artifact) throws EngineException {
        return manifests.whole(artifact.id()).annotations();
    }

    ArtifactManifests manifests() {
        return manifests;
    }

    /// The images and artifacts that the manifest or index `subject` is of, in `at`.
    private Set<Digest> owners(Digest subject, ImageIndex at) throws EngineException {
        return owners(subject, at, new Subjects());
    }

    private static Set<Digest> owners(Digest subject, ImageIndex at, Subjects subjects) throws EngineException {
        var owners = listed(subject, at);
        if (owners.isEmpty()) {
            for (var document : subjects.documents(subject)) {
                document.image().filter(at.images()::containsKey).ifPresent(owners::add);
            }
        }
        return owners;
    }

    /// Those that are known by the index alone.
    private static Set<Digest> listed(Digest subject, ImageIndex at) {
        var owners = new LinkedHashSet<Digest>();
        at.images().forEach((id, manifest) -> {
            if (manifest.digest().equals(subject)) {
                owners.add(id);
            }
        });
        at.names().forEach((name, meant) -> {
            meant.manifests().forEach((id, manifest) -> {
                if (manifest.digest().equals(subject)) {
                    owners.add(id);
                }
            });
            if (meant.index().equals(Optional.of(subject)) || name.digest().equals(Optional.of(subject))) {
                owners.addAll(meant.images());
            }
        });
        return owners;
    }

    /// A manifest that is here, and the id of its image if it is an image's.
    private record Document(Digest digest, Optional<Digest> image) {}

    /// What lies here of artifacts' subjects, for one pass over many artifacts: each document is read once.
    final class Subjects {
        private final Map<Digest, List<Document>> known = new HashMap<>();
        private final Map<Digest, Document> children = new HashMap<>();

        /// The document of a subject, and the manifests of an index.
        private List<Document> documents(Digest subject) throws EngineException {
            var found = known.get(subject);
            if (found == null) {
                found = read(subject);
                known.put(subject, found);
            }
            return found;
        }

        private List<Document> read(Digest subject) throws EngineException {
            var bytes = document(subject);
            if (bytes.isEmpty()) {
                return List.of();
            }
            var found = new ArrayList<Document>();
            found.add(new Document(subject, image(bytes.get())));
            List<Descriptor> parts;
            try {
                parts = Index.parse(bytes.get()).manifests();
            } catch (EngineException.Invalid e) {
                return found; // a manifest, not an index
            }
            for (var part : parts) {
                var child = children.get(part.digest());
                if (child == null && MediaTypes.isManifest(part.mediaType())) {
                    child = document(part.digest()).map(manifest -> new Document(part.digest(), image(manifest)))
                            .orElse(null);
                }
                if (child != null) {
                    children.put(part.digest(), child);
                    found.add(child);
                }
            }
            return found;
        }

        private boolean isOf(Digest subject, ImageIndex at) throws EngineException {
            return !owners(subject, at, this).isEmpty();
        }
    }

    private static Optional<Digest> image(byte[] manifest) {
        try {
            return Optional.of(Manifest.parse(manifest)).filter(parsed -> parsed.artifact().isEmpty())
                    .map(parsed -> parsed.config().digest());
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    /// A manifest or index that is here, byte for byte.
    Optional<byte[]> document(Digest digest) throws EngineException {
        try {
            return content.size(digest).filter(size -> size <= Manifest.MAX_BYTES).isPresent()
                    ? Optional.of(content.readAll(digest, Manifest.MAX_BYTES)) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty(); // collected just now
        } catch (IOException e) {
            throw Failures.of("read " + digest, e);
        }
    }

    /// The documents that say whose an artifact is: its subject, and an index's manifests as far as they are here.
    Set<Digest> subjectDocuments(Artifact artifact) throws EngineException {
        var digests = new LinkedHashSet<Digest>();
        if (artifact.manifest().subject().isPresent()) {
            for (var document : new Subjects().documents(artifact.manifest().subject().get().digest())) {
                digests.add(document.digest());
            }
        }
        return digests;
    }

    /// What lies here of what these refer to, read before anybody is kept waiting for [#with].
    Subjects subjects(List<IncomingArtifact> incoming) throws EngineException {
        var subjects = new Subjects();
        for (var artifact : incoming) {
            if (artifact.subject().isPresent()) {
                subjects.documents(artifact.subject().get());
            }
        }
        return subjects;
    }

    /// The index `at` with the artifacts of an archive, all of which is stored: those with a name, those without a
    /// subject, and those whose subject is among `at` or comes in with them.
    ImageIndex with(List<IncomingArtifact> incoming, Subjects subjects, ImageIndex at) throws EngineException {
        var ready = new ArrayDeque<IncomingArtifact>();
        var waiting = new LinkedHashMap<Digest, List<IncomingArtifact>>(); // by what they refer to
        for (var artifact : incoming) {
            if (artifact.subject().isEmpty() || !artifact.names().isEmpty()) {
                ready.add(artifact);
            } else {
                waiting.computeIfAbsent(artifact.subject().get(), _ -> new ArrayList<>()).add(artifact);
            }
        }
        for (var subject : List.copyOf(waiting.keySet())) {
            if (subjects.isOf(subject, at)) {
                ready.addAll(Objects.requireNonNull(waiting.remove(subject)));
            }
        }
        var next = at;
        for (var artifact = ready.poll(); artifact != null; artifact = ready.poll()) {
            var id = artifact.descriptor().digest();
            next = next.withImage(id, artifact.descriptor());
            for (var name : artifact.names()) {
                next = next.withName(name, id);
            }
            var released = waiting.remove(id);
            if (released != null) {
                ready.addAll(released);
            }
        }
        return next;
    }

    /// Those of an archive that are in `at`, which has taken them in.
    static List<Loaded> staying(List<IncomingArtifact> incoming, ImageIndex at) {
        return incoming.stream().map(artifact -> artifact.descriptor().digest()).filter(at.images()::containsKey)
                .map(id -> new Loaded(Optional.empty(), id)).toList();
    }

    /// The names of an archive's artifacts that mean something else in `at`, with what they mean.
    static List<Loaded> renamed(List<IncomingArtifact> incoming, ImageIndex at) {
        var renamed = new ArrayList<Loaded>();
        for (var artifact : incoming) {
            for (var name : artifact.names()) {
                at.named(name).filter(old -> !old.equals(artifact.descriptor().digest()))
                        .ifPresent(old -> renamed.add(new Loaded(Optional.of(name), old)));
            }
        }
        return renamed;
    }

    /// @throws EngineException.Invalid nothing of an archive was taken in
    static void refuseNone(List<Loaded> loaded) throws EngineException.Invalid {
        if (loaded.isEmpty()) {
            throw new EngineException.Invalid("archive holds no container image, and its artifacts have no name and refer"
                    + " to nothing that is here: load what they refer to first");
        }
    }

    /// Adds to an archive what refers to the images and artifacts in it, those that refer to others last.
    void addReferrers(ImageArchive archive) throws EngineException {
        var asked = new ArrayList<>(archive.ids());
        for (int i = 0; i < asked.size(); i++) {
            for (var referrer : referrers(asked.get(i))) {
                if (!asked.contains(referrer.id())) {
                    archive.add(outgoing(referrer), List.of());
                    asked.add(referrer.id());
                }
                for (var digest : subjectDocuments(referrer)) {
                    document(digest).ifPresent(archive::addDocument);
                }
            }
        }
    }

    /// The names of what an artifact refers to.
    List<Reference> namesOfSubject(Digest id, ImageIndex at) throws EngineException {
        var names = new ArrayList<Reference>();
        if (at.isArtifact(id)) {
            try {
                var subject = manifests.of(id).subject();
                for (var owner : subject.isPresent() ? owners(subject.get().digest(), at) : Set.<Digest>of()) {
                    names.addAll(at.namesOf(owner));
                }
            } catch (EngineException.Internal e) {
                return List.of(); // damaged: a check says so
            }
        }
        return names;
    }

    /// The blobs that artifacts in `at` need.
    Set<Digest> neededBlobs(ImageIndex at) throws EngineException {
        var needed = new HashSet<Digest>();
        var subjects = new Subjects();
        for (var artifact : list(at)) {
            needed.add(artifact.id());
            Artifact.parts(artifact.manifest()).forEach(part -> needed.add(part.digest()));
            if (artifact.manifest().subject().isPresent()) {
                subjects.documents(artifact.manifest().subject().get().digest())
                        .forEach(document -> needed.add(document.digest()));
            }
        }
        manifests.keepOnly(at.images().keySet());
        return needed;
    }

    /// The artifacts that lose what kept them when `at` becomes the index: they have no name, and their subject is gone.
    /// Those that referred to `at`'s predecessor's images only; one that never had a subject here stays.
    List<Digest> orphans(ImageIndex before, ImageIndex at) throws EngineException {
        var subjects = new Subjects();
        var candidates = new LinkedHashMap<Digest, Digest>(); // with what they refer to
        for (var artifact : list(at)) {
            var subject = artifact.manifest().subject().map(Descriptor::digest);
            if (subject.isPresent() && at.namesOf(artifact.id()).isEmpty() && subjects.isOf(subject.get(), before)) {
                candidates.put(artifact.id(), subject.get());
            }
        }
        var left = at;
        var gone = new ArrayList<Digest>();
        int known = -1;
        while (known < gone.size()) { // a signature of what is gone goes too
            known = gone.size();
            for (var candidate : List.copyOf(candidates.entrySet())) {
                if (!subjects.isOf(candidate.getValue(), left)) {
                    gone.add(candidate.getKey());
                    left = left.withoutImage(candidate.getKey());
                    candidates.remove(candidate.getKey());
                }
            }
        }
        return gone;
    }
}
