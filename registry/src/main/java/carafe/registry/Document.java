package carafe.registry;

import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A manifest or an index, byte for byte, verified against its digest if one was asked for.
public record Document(Descriptor descriptor, byte[] bytes) {

    private static final String SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1";

    /// What is asked for, in the order of preference.
    static final String ACCEPTED = String.join(", ", MediaTypes.OCI_INDEX, MediaTypes.DOCKER_INDEX,
            MediaTypes.OCI_MANIFEST, MediaTypes.DOCKER_MANIFEST);

    /// Copies the bytes.
    public Document {
        bytes = bytes.clone();
    }

    /// A document of ours.
    public static Document of(String mediaType, byte[] bytes) {
        return new Document(Descriptor.of(mediaType, bytes), bytes);
    }

    /// A copy of the bytes.
    @Override
    public byte[] bytes() {
        return bytes.clone();
    }

    /// Whether this lists further manifests.
    public boolean isIndex() {
        return MediaTypes.isIndex(descriptor.mediaType());
    }

    /// This read as an index.
    public Index index() throws EngineException.Invalid {
        return Index.parse(bytes);
    }

    /// This read as one image's manifest.
    public Manifest manifest() throws EngineException.Invalid {
        return Manifest.parse(bytes);
    }

    /// Reads and checks an answer to a GET of a manifest; `host` and `what` are for sentences, `wanted` is the digest
    /// that was asked for.
    static Document read(String host, String what, ClientResponse response, Optional<Digest> wanted)
            throws IOException, EngineException {
        try (response) {
            String type = bare(response.headers().first("Content-Type").orElse(""));
            if (type.equals("text/html")) {
                throw new EngineException.Unavailable(what + ": " + host
                        + " answers with a web page instead of a manifest: it is no registry, or a login page is before it");
            }
            if (type.startsWith(SCHEMA_1)) {
                throw new EngineException.Unsupported(what + ": the image has a manifest of schema 1, which nobody makes"
                        + " any more; push it again with a current client");
            }
            byte[] bytes = response.body().readNBytes(Manifest.MAX_BYTES + 1);
            if (bytes.length > Manifest.MAX_BYTES) {
                throw new EngineException.Unsupported(what + ": it is longer than " + Manifest.MAX_BYTES + " bytes");
            }
            var digest = digest(what, response, bytes, wanted);
            String own = mediaType(what, host, bytes);
            boolean said = MediaTypes.isManifest(type) || MediaTypes.isIndex(type);
            if (said && !own.isEmpty() && !own.equals(type)) { // CVE-2021-41190
                throw new EngineException.Unavailable(what + ": " + host + " calls \"" + type
                        + "\" what calls itself \"" + own + "\"");
            }
            String mediaType = own.isEmpty() ? type : own;
            if (!MediaTypes.isManifest(mediaType) && !MediaTypes.isIndex(mediaType)) {
                throw new EngineException.Unsupported(what + ": neither manifest nor index but \"" + mediaType + "\"");
            }
            return new Document(Descriptor.of(mediaType, digest, bytes.length), bytes);
        }
    }

    /// The same from a mirror, which must prove more: it says the digest, and what it sends can be read as what it is.
    static Document readOfMirror(String host, String what, ClientResponse response, Optional<Digest> wanted)
            throws IOException, EngineException {
        var document = read(host, what, response, wanted);
        if (wanted.isEmpty() && response.headers().first("Docker-Content-Digest").isEmpty()) {
            throw new EngineException.Unavailable(what + ": " + host + " does not say the digest");
        }
        if (document.isIndex()) {
            document.index();
        } else {
            document.manifest();
        }
        return document;
    }

    private static Digest digest(String what, ClientResponse response, byte[] bytes, Optional<Digest> wanted)
            throws EngineException {
        var promised = wanted;
        String header = response.headers().first("Docker-Content-Digest").orElse("");
        if (promised.isEmpty() && !header.isEmpty()) {
            promised = Optional.of(Digest.parse(header));
        }
        if (promised.isPresent() && !promised.get().matches(bytes)) {
            throw new EngineException.Unavailable(what + ": manifest verification failed for digest " + promised.get()
                    + ": got " + Digest.sha256(bytes) + " (" + bytes.length + " bytes)");
        }
        return promised.orElseGet(() -> Digest.sha256(bytes));
    }

    private static String mediaType(String what, String host, byte[] bytes) throws EngineException {
        try {
            return Json.parseObject(bytes).text("mediaType");
        } catch (EngineException.Invalid e) {
            throw new EngineException.Unavailable(what + ": " + host + " sent a manifest that cannot be read: "
                    + e.getMessage(), e);
        }
    }

    static String bare(String contentType) {
        int semicolon = contentType.indexOf(';');
        return (semicolon < 0 ? contentType : contentType.substring(0, semicolon)).strip().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Document document && descriptor.equals(document.descriptor);
    }

    @Override
    public int hashCode() {
        return descriptor.hashCode();
    }
}
