package carafe.hub;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/// What a disk does to a hub's files.
final class Damage {

    private Damage() {}

    /// Where the blob lies of the hub that [TestHub] keeps in `directory`.
    static Path file(Path directory, Digest digest) {
        return directory.resolve("hub/content/blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
    }

    /// Where its bytes are kept when it was set aside.
    static Path aside(Path directory, Digest digest) {
        return directory.resolve("hub/content/damaged").resolve(digest.algorithm().label() + "-" + digest.hex());
    }

    /// Changes one bit in the middle of the blob.
    static void flip(Path directory, Digest digest) throws IOException {
        Path file = file(directory, digest);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1))); // another stamp, however coarse the clock
    }
}
