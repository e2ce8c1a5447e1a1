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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An artifact of an archive, its blobs in the store already: its manifest byte for byte, the names it shall have, of which
/// there may be none, and the documents by which its subject is known.
record IncomingArtifact(Descriptor descriptor, byte[] bytes, Manifest manifest, List<Reference> names,
        List<byte[]> subjectDocuments) {

    /// The most artifacts of one archive, and how many may refer to each other in a row: they are named while nobody else
    /// may change what there is.
    static final int MOST = 1000;
    static final int DEEPEST = 16;

    IncomingArtifact {
        names = List.copyOf(names);
        subjectDocuments = List.copyOf(subjectDocuments);
    }

    /// The artifacts that a layout's `table` lists. One that is not whole is passed over if it has no name.
    /// @throws EngineException.Invalid one with a name is not whole
    static List<IncomingArtifact> all(byte[] table, ArchiveContents contents, ArchiveBlobs blobs)
            throws IOException, EngineException {
        var found = new LinkedHashMap<Digest, IncomingArtifact>();
        for (var entry : Index.parse(table).manifests()) {
            var document = MediaTypes.isManifest(entry.mediaType()) && !OciArchive.isAttestation(entry)
                    ? contents.document(OciArchive.blob(entry.digest())) : Optional.<byte[]>empty();
            if (document.isEmpty() || !entry.digest().matches(document.get())) {
                continue; // an image's table says what is wrong
            }
            var manifest = Manifest.parse(document.get());
            if (manifest.artifact().isEmpty()) {
                continue;
            }
            if (found.size() == MOST && !found.containsKey(entry.digest())) {
                throw new EngineException.Invalid("archive lists more than " + MOST + " artifacts; load it in parts");
            }
            var names = new ArrayList<Reference>();
            var before = found.get(entry.digest());
            if (before != null) {
                names.addAll(before.names);
            }
            OciArchive.name(entry.annotations()).filter(name -> !names.contains(name)).ifPresent(names::add);
            if (isWhole(manifest, contents, blobs, names)) {
                found.put(entry.digest(), of(document.get(), manifest, names, contents));
            }
        }
        for (var artifact : found.values()) {
            checkDepth(artifact, found);
        }
        return List.copyOf(found.values());
    }

    private static void checkDepth(IncomingArtifact artifact, Map<Digest, IncomingArtifact> among)
            throws EngineException.Invalid {
        int depth = 0;
        for (var at = artifact; at != null; depth++) {
            if (depth > DEEPEST) {
                throw new EngineException.Invalid("archive has artifacts that refer to artifacts more than " + DEEPEST
                        + " times in a row, such as " + artifact.descriptor.digest());
            }
            var subject = at.manifest.subject();
            at = subject.isPresent() ? among.get(subject.get().digest()) : null;
        }
    }

    private static boolean isWhole(Manifest manifest, ArchiveContents contents, ArchiveBlobs blobs, List<Reference> names)
            throws IOException, EngineException {
        for (var part : Artifact.parts(manifest)) {
            var document = contents.document(OciArchive.blob(part.digest()));
            if (document.isPresent() && document.get().length == part.size() && part.digest().matches(document.get())) {
                blobs.keep(part.digest(), document.get());
            }
            if (!blobs.has(part.digest(), part.size())) {
                if (names.isEmpty()) {
                    return false;
                }
                boolean early = contents.layer(OciArchive.blob(part.digest())).isPresent();
                throw new EngineException.Invalid("archive is incomplete: blob " + part.digest() + " of the artifact "
                        + names.getFirst().familiar() + (early ? " stands before the manifest that names it; write the"
                        + " archive anew with the manifest first, or pull the artifact from a registry" : " is missing"));
            }
        }
        return true;
    }

    private static IncomingArtifact of(byte[] bytes, Manifest manifest, List<Reference> names, ArchiveContents contents) {
        var bare = Descriptor.of(manifest.mediaType(), bytes);
        var descriptor = new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.empty(), Map.of(),
                manifest.artifact());
        var documents = new ArrayList<byte[]>();
        manifest.subject().ifPresent(subject -> subject(subject.digest(), contents, documents));
        return new IncomingArtifact(descriptor, bytes, manifest, names, documents);
    }

    private static void subject(Digest digest, ArchiveContents contents, List<byte[]> into) {
        var document = contents.document(OciArchive.blob(digest)).filter(digest::matches);
        document.ifPresent(into::add);
        try {
            if (document.isPresent()) {
                for (var part : Index.parse(document.get()).manifests()) {
                    contents.document(OciArchive.blob(part.digest())).filter(part.digest()::matches).ifPresent(into::add);
                }
            }
        } catch (EngineException.Invalid e) {
            // a manifest, no index
        }
    }
}
