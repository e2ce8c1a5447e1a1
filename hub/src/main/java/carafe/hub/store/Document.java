package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A manifest or an index, read strictly: what the sender calls it, what it calls itself and what it looks like must be
/// the same thing. `blobs` and `manifests` are what it is made of and what must be there before it.
/// Source: OCI image-spec manifest.md, image-index.md; Docker image manifest V2 schema 2; CVE-2021-41190.
public record Document(byte[] bytes, Digest digest, String mediaType, List<Descriptor> blobs, List<Descriptor> manifests,
        Optional<Digest> subject, Optional<String> artifactType, Map<String, String> annotations) {

    public Document {
        blobs = List.copyOf(blobs);
        manifests = List.copyOf(manifests);
    }

    /// Reads what is sent as `contentType` (empty: not said) under the digest algorithm of `algorithm`.
    /// @throws Refusal MANIFEST_INVALID, or MANIFEST_TOO_LARGE
    public static Document parse(byte[] bytes, String contentType, Digest.Algorithm algorithm) throws Refusal {
        if (bytes.length > Manifest.MAX_BYTES) {
            throw new Refusal(Reason.MANIFEST_TOO_LARGE, "a manifest may have at most " + Manifest.MAX_BYTES + " bytes");
        }
        try {
            var json = Json.parseObject(bytes);
            String own = json.text("mediaType");
            String type = own.isEmpty() ? contentType : own;
            if (!contentType.isEmpty() && !contentType.equals(type)) {
                throw invalid("it is sent as \"" + contentType + "\" but calls itself \"" + own + "\"");
            }
            if (type.isEmpty()) {
                type = json.find("manifests").isPresent() ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
            }
            var digest = Digest.finish(algorithm, algorithm.hasher().digest(bytes));
            if (MediaTypes.isIndex(type)) {
                return ofIndex(bytes, digest, type, Index.parse(bytes));
            }
            if (MediaTypes.isManifest(type)) {
                return ofManifest(bytes, digest, type, json);
            }
            throw invalid("\"" + type + "\" is neither a manifest nor an index of OCI or of Docker's schema 2");
        } catch (EngineException.Invalid e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    private static Document ofIndex(byte[] bytes, Digest digest, String type, Index index) throws Refusal {
        requireSame(type, index.mediaType());
        var blobs = new ArrayList<Descriptor>();
        var manifests = new ArrayList<Descriptor>();
        for (var entry : index.manifests()) {
            boolean document = MediaTypes.isManifest(entry.mediaType()) || MediaTypes.isIndex(entry.mediaType());
            (document ? manifests : blobs).add(entry); // BuildKit keeps its cache as an index of layers
        }
        return new Document(bytes, digest, type, blobs, manifests, index.subject().map(Descriptor::digest),
                index.artifactType(), index.annotations());
    }

    private static Document ofManifest(byte[] bytes, Digest digest, String type, Json.Obj json)
            throws Refusal, EngineException.Invalid {
        var manifest = Manifest.parse(bytes);
        requireSame(type, manifest.mediaType());
        var blobs = new ArrayList<Descriptor>();
        blobs.add(manifest.config());
        var elements = json.objects("layers");
        for (int i = 0; i < elements.size(); i++) {
            var layer = manifest.layers().get(i);
            boolean foreign = layer.mediaType().contains(".nondistributable.") || layer.mediaType().contains(".foreign.");
            if (!foreign || elements.get(i).list("urls").isEmpty()) {
                blobs.add(layer);
            } // else it lies elsewhere
        }
        String artifactType = manifest.artifactType().orElse(manifest.config().mediaType());
        return new Document(bytes, digest, type, blobs, List.of(), manifest.subject().map(Descriptor::digest),
                Optional.of(artifactType), manifest.annotations());
    }

    private static void requireSame(String sent, String found) throws Refusal {
        if (!sent.equals(found)) {
            throw invalid("it is sent as \"" + sent + "\" but is a \"" + found + "\"");
        }
    }

    private static Refusal invalid(String why) {
        return new Refusal(Reason.MANIFEST_INVALID, "the manifest is refused: " + why);
    }

    /// How a list of referrers shows it.
    public Descriptor descriptor() {
        return new Descriptor(mediaType, digest, bytes.length, Optional.empty(), annotations, artifactType);
    }
}
