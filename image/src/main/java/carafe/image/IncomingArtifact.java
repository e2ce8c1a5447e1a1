package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// An artifact of an archive, all of it in the store already and kept from collections by the archive's [ArchiveBlobs]: its
/// manifest, its blobs and the documents by which its subject is known. Of the manifest, which may be megabytes, nothing
/// is held but what it refers to.
record IncomingArtifact(Descriptor descriptor, Optional<Digest> subject, List<Reference> names) {

    /// The most artifacts of one archive, and how many may refer to each other in a row.
    static final int MOST = 1000;
    static final int DEEPEST = 16;

    IncomingArtifact {
        names = List.copyOf(names);
    }

    private IncomingArtifact named(Reference name) {
        if (names.contains(name)) {
            return this;
        }
        var more = new ArrayList<>(names);
        more.add(name);
        return new IncomingArtifact(descriptor, subject, more);
    }

    /// The artifacts that a layout's `table` lists. One that is not whole is passed over if it has no name.
    /// @throws EngineException.Invalid one with a name is not whole
    static List<IncomingArtifact> all(byte[] table, ArchiveContents contents, ArchiveBlobs blobs)
            throws IOException, EngineException {
        return new Reading(contents, blobs).all(Index.parse(table).manifests());
    }

    /// A table on its way through. It may list an entry ten thousand times: each is read once.
    private static final class Reading {
        private final ArchiveContents contents;
        private final ArchiveBlobs blobs;
        private final Map<Digest, IncomingArtifact> found = new LinkedHashMap<>(); // by their entries' digests
        private final Set<Digest> others = new HashSet<>();
        private final Set<Digest> incomplete = new HashSet<>();
        private final Set<Digest> subjects = new HashSet<>(); // kept, as far as they are in the archive
        private final Set<Digest> children = new HashSet<>(); // the same of the manifests of indexes among them

        Reading(ArchiveContents contents, ArchiveBlobs blobs) {
            this.contents = contents;
            this.blobs = blobs;
        }

        List<IncomingArtifact> all(List<Descriptor> entries) throws IOException, EngineException {
            for (var entry : entries) {
                if (!MediaTypes.isManifest(entry.mediaType()) || OciArchive.isAttestation(entry)
                        || others.contains(entry.digest())) {
                    continue; // an image's table says what is wrong
                }
                var before = found.get(entry.digest());
                if (before != null) {
                    var name = OciArchive.name(entry.annotations());
                    if (name.isPresent()) {
                        found.put(entry.digest(), before.named(name.get()));
                    }
                } else if (!incomplete.contains(entry.digest()) || OciArchive.name(entry.annotations()).isPresent()) {
                    read(entry);
                }
            }
            var byId = new HashMap<Digest, IncomingArtifact>();
            found.values().forEach(artifact -> byId.put(artifact.descriptor.digest(), artifact));
            for (var artifact : found.values()) {
                checkDepth(artifact, byId);
            }
            return List.copyOf(found.values());
        }

        private void read(Descriptor entry) throws IOException, EngineException {
            var document = document(entry.digest());
            var manifest = document.isPresent() ? Manifest.parse(document.get()) : null;
            if (document.isEmpty() || manifest == null || manifest.artifact().isEmpty()) {
                others.add(entry.digest());
                return;
            }
            var name = OciArchive.name(entry.annotations());
            if (found.size() == MOST) {
                throw new EngineException.Invalid("archive lists more than " + MOST + " artifacts; load it in parts");
            }
            if (!isWhole(manifest, name)) {
                incomplete.add(entry.digest());
                return;
            }
            var bare = Descriptor.of(manifest.mediaType(), document.get());
            blobs.keep(bare.digest(), document.get());
            var subject = manifest.subject().map(Descriptor::digest);
            if (subject.isPresent()) {
                keepSubject(subject.get());
            }
            found.put(entry.digest(), new IncomingArtifact(new Descriptor(bare.mediaType(), bare.digest(), bare.size(),
                    Optional.empty(), Map.of(), manifest.artifact()), subject, name.stream().toList()));
        }

        private Optional<byte[]> document(Digest digest) {
            return contents.document(OciArchive.blob(digest)).filter(digest::matches);
        }

        private boolean isWhole(Manifest manifest, Optional<Reference> name) throws IOException, EngineException {
            for (var part : Artifact.parts(manifest)) {
                if (blobs.has(part.digest(), part.size())) {
                    continue;
                }
                var document = document(part.digest()).filter(bytes -> bytes.length == part.size());
                if (document.isPresent()) {
                    blobs.keep(part.digest(), document.get());
                } else if (name.isEmpty()) {
                    return false;
                } else {
                    boolean early = contents.layer(OciArchive.blob(part.digest())).isPresent();
                    throw new EngineException.Invalid("archive is incomplete: blob " + part.digest() + " of the artifact "
                            + name.get().familiar() + (early ? " stands before the manifest that names it; write the"
                            + " archive anew with the manifest first, or pull the artifact from a registry"
                            : " is missing"));
                }
            }
            return true;
        }

        private void keepSubject(Digest digest) throws IOException, EngineException {
            var document = subjects.add(digest) ? document(digest) : Optional.<byte[]>empty();
            if (document.isEmpty()) {
                return;
            }
            blobs.keep(Digest.sha256(document.get()), document.get());
            for (var part : manifests(document.get())) {
                var child = children.add(part.digest()) ? document(part.digest()) : Optional.<byte[]>empty();
                if (child.isPresent()) {
                    blobs.keep(Digest.sha256(child.get()), child.get());
                }
            }
        }

        private static List<Descriptor> manifests(byte[] document) {
            try {
                return Index.parse(document).manifests();
            } catch (EngineException.Invalid e) {
                return List.of(); // a manifest, no index
            }
        }

        private static void checkDepth(IncomingArtifact artifact, Map<Digest, IncomingArtifact> among)
                throws EngineException.Invalid {
            int depth = 0;
            for (var at = artifact; at != null; depth++) {
                if (depth > DEEPEST) {
                    throw new EngineException.Invalid("archive has artifacts that refer to artifacts more than " + DEEPEST
                            + " times in a row, such as " + artifact.descriptor.digest());
                }
                at = at.subject.isPresent() ? among.get(at.subject.get()) : null;
            }
        }
    }
}
