package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The blobs of an archive that are kept as they are, in the store of blobs: those that an artifact's manifest, read
/// before them, names, and those that are neither layer nor document. Whether they are needed shows at the archive's end;
/// until this is closed they stay, and later the next collection takes what nothing names.
final class ArchiveBlobs implements AutoCloseable {

    private static final Pattern BLOB = Pattern.compile("blobs/(sha256|sha512)/([0-9a-f]{64}|[0-9a-f]{128})");
    private static final int BUFFER = 256 << 10;

    private final ContentStore content;
    private final Set<Digest> expected = new HashSet<>();
    private final Set<Digest> took = new HashSet<>();
    private final Map<Digest, ContentStore.Pin> pins = new HashMap<>();

    ArchiveBlobs(ContentStore content) {
        this.content = content;
    }

    /// The digest that a member of an OCI layout is named by; empty for any other member.
    static Optional<Digest> digest(String member) {
        var matcher = BLOB.matcher(member);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Digest.parse(matcher.group(1) + ":" + matcher.group(2)));
        } catch (EngineException.Invalid e) {
            return Optional.empty(); // the length is the other algorithm's
        }
    }

    /// Learns from a document which blobs are none of an image's.
    void read(byte[] document) {
        try {
            var manifest = Manifest.parse(document);
            if (manifest.artifact().isPresent()) {
                Artifact.parts(manifest).forEach(part -> expected.add(part.digest()));
            }
        } catch (EngineException.Invalid e) {
            // another document
        }
    }

    /// Whether an artifact's manifest named the blob.
    boolean expects(Digest digest) {
        return expected.contains(digest);
    }

    /// Takes the blob: `head`, then what `rest` has.
    /// @throws EngineException.Invalid the bytes have another digest
    void take(Digest digest, long size, byte[] head, InputStream rest) throws IOException, EngineException.Invalid {
        pins.computeIfAbsent(digest, content::pin);
        try (var ingest = Ingest.fresh(content, digest, size)) {
            ingest.write(head);
            byte[] buffer = new byte[BUFFER];
            for (int count = rest.read(buffer); count >= 0; count = rest.read(buffer)) {
                ingest.write(buffer, 0, count);
            }
            ingest.commit();
        }
        took.add(digest);
    }

    /// The file of a blob that the archive brought.
    Optional<Path> taken(Digest digest) {
        return took.contains(digest) ? Optional.of(content.path(digest)) : Optional.empty();
    }

    /// Keeps a blob that came as a document, by the digest that it is named by.
    void keep(Digest digest, byte[] document) throws IOException, EngineException.Invalid {
        if (!has(digest, document.length)) {
            take(digest, document.length, document, InputStream.nullInputStream());
        }
    }

    /// Whether the blob is here, from this archive or from before; then it stays.
    boolean has(Digest digest, long size) throws IOException {
        pins.computeIfAbsent(digest, content::pin);
        return content.size(digest).filter(found -> found == size).isPresent() && content.touch(digest);
    }

    @Override
    public void close() {
        pins.values().forEach(ContentStore.Pin::close);
    }
}
