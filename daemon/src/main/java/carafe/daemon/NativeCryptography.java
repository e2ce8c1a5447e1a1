package carafe.daemon;

import carafe.kernel.FileTree;
import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Digests and ciphers by machine code that is there before the JVM has compiled anything, put before Java's own. Loading
/// takes some hundred milliseconds, so that happens on a thread of its own after the start; until then, and where there
/// is no library for the machine, Java's own serve.
final class NativeCryptography {

    private static final Logger LOG = LoggerFactory.getLogger(NativeCryptography.class);
    private static final String UNPACKED = "native";
    private static final Duration REST = Duration.ofSeconds(1);

    private NativeCryptography() {}

    /// Returns at once. The library is unpacked below `dataRoot` (/run and /tmp may forbid to execute) and gone when it is
    /// loaded; what a crash left of it there goes first.
    static void installSoon(Path dataRoot) {
        Thread.ofPlatform().name("carafe-cryptography").daemon().start(() -> {
            try {
                Thread.sleep(REST);
                install(dataRoot);
            } catch (InterruptedException e) {
                return; // nobody ends this thread but the JVM
            }
        });
    }

    /// The same at once, in the caller's thread; says in the log why not, if not.
    static void install(Path dataRoot) {
        Path directory = dataRoot.resolve(UNPACKED);
        try {
            remove(dataRoot);
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------")));
            System.setProperty("com.amazon.corretto.crypto.provider.tmpdir", directory.toString());
            AmazonCorrettoCryptoProvider.install();
            var trouble = AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError();
            if (trouble != null) {
                LOG.info("digests and ciphers are Java's own, and slow: {}", trouble.getMessage());
            }
            remove(dataRoot);
        } catch (IOException | LinkageError | RuntimeException e) {
            LOG.info("digests and ciphers are Java's own, and slow: {}", e.toString());
        }
    }

    private static void remove(Path dataRoot) throws IOException {
        if (Files.exists(dataRoot.resolve(UNPACKED))) {
            try (var tree = FileTree.open(dataRoot)) {
                tree.deleteTree(UNPACKED);
            }
        }
    }
}
