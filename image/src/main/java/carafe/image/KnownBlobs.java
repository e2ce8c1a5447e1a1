package carafe.image;

import carafe.image.OutgoingLayer.KnownBlob;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// The blobs that layers are known to be because their bytes came by here (what documents claim is no knowledge), and the
/// repositories they were seen in: what lets a push name a blob that is not kept here, and mount it from one repository
/// into another. One small text file per layer, a line per blob and repository. Not synced: what a power cut takes costs
/// a compression.
final class KnownBlobs {

    private static final System.Logger LOG = System.getLogger("carafe.image");
    private static final int MAX_LINES = 64;
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

    private final Path root;

    private KnownBlobs(Path root) {
        this.root = root;
    }

    static KnownBlobs open(Path root) throws IOException {
        Durable.makeDirectory(root);
        return new KnownBlobs(root);
    }

    /// The blobs of a layer, the one seen last first.
    synchronized List<KnownBlob> of(Digest diffId) throws IOException {
        var found = new ArrayList<KnownBlob>();
        for (String line : lines(diffId)) {
            String[] words = line.split(" ", -1);
            try {
                var blob = Descriptor.of(words[1], Digest.parse(words[0]), Long.parseLong(words[2]));
                var repositories = new TreeSet<String>();
                int same = -1;
                for (int i = 0; i < found.size(); i++) {
                    same = found.get(i).blob().equals(blob) ? i : same;
                }
                if (same >= 0) {
                    repositories.addAll(found.remove(same).repositories());
                }
                if (!words[3].isEmpty()) {
                    repositories.add(words[3]);
                }
                found.addFirst(new KnownBlob(blob, repositories));
            } catch (EngineException.Invalid | NumberFormatException | ArrayIndexOutOfBoundsException e) {
                // half a line, of a power cut
            }
        }
        return found;
    }

    /// Whether `blob`'s bytes were seen to be this layer.
    boolean verified(Digest diffId, Descriptor blob) throws IOException {
        return of(diffId).stream().map(KnownBlob::blob)
                .anyMatch(seen -> seen.digest().equals(blob.digest()) && seen.size() == blob.size());
    }

    /// Whether a blob of this digest was seen to be this layer.
    boolean verified(Digest diffId, Digest blob) throws IOException {
        return of(diffId).stream().anyMatch(seen -> seen.blob().digest().equals(blob));
    }

    /// Remembers that the layer is `blob`, whose bytes said so, and which lies in `repository` unless that is `""`.
    synchronized void add(Digest diffId, Descriptor blob, String repository) throws IOException {
        String line = blob.digest() + " " + blob.mediaType() + " " + blob.size() + " " + repository;
        var lines = new ArrayList<>(lines(diffId));
        if (!lines.isEmpty() && lines.getLast().equals(line)) {
            return;
        }
        lines.remove(line);
        lines.add(line);
        Path temporary = root.resolve(diffId.hex() + ".tmp");
        Files.write(temporary, lines.subList(Math.max(0, lines.size() - MAX_LINES), lines.size()),
                StandardCharsets.UTF_8);
        Files.move(temporary, root.resolve(diffId.hex()), StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private List<String> lines(Digest diffId) throws IOException {
        try {
            return Files.readAllLines(root.resolve(diffId.hex()), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /// Forgets those of `gone` that are not there after all: a layer that comes is committed before it is added here.
    void forgetUnless(Set<Digest> gone, Predicate<Digest> isThere) {
        for (var diffId : gone) {
            forget(root.resolve(diffId.hex()), () -> !isThere.test(diffId));
        }
    }

    /// Forgets all layers that are not there, and what a crash left half written.
    void forgetAllUnless(Predicate<Digest> isThere) {
        try (var files = Files.newDirectoryStream(root)) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                forget(file, () -> !HEX.matcher(name).matches()
                        || !isThere.test(new Digest(Digest.Algorithm.SHA256, name)));
            }
        } catch (IOException | DirectoryIteratorException e) {
            LOG.log(Level.DEBUG, "what is known of layers that are gone stays: " + e.getMessage());
        }
    }

    private synchronized void forget(Path file, BooleanSupplier really) {
        try {
            if (really.getAsBoolean()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "what is known of a layer that is gone stays: " + e.getMessage());
        }
    }
}
