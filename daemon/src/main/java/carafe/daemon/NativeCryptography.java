package carafe.daemon;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Digests and ciphers by machine code that is there before the JVM has compiled anything, put before Java's own. Loading
/// takes some hundred milliseconds, so that happens on a thread of its own after the start; until then, and where there
/// is no library for the machine, Java's own serve.
final class NativeCryptography {

    private static final Logger LOG = LoggerFactory.getLogger(NativeCryptography.class);
    private static final Duration REST = Duration.ofSeconds(1);

    private NativeCryptography() {}

    /// Returns at once.
    static void installSoon() {
        Thread.ofPlatform().name("carafe-cryptography").daemon().start(() -> {
            try {
                Thread.sleep(REST);
                install();
            } catch (InterruptedException e) {
                return; // nobody ends this thread but the JVM
            }
        });
    }

    private static void install() {
        try {
            AmazonCorrettoCryptoProvider.install();
            var trouble = AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError();
            if (trouble != null) {
                LOG.info("digests and ciphers are Java's own, and slow: {}", trouble.getMessage());
            }
        } catch (LinkageError | RuntimeException e) {
            LOG.info("digests and ciphers are Java's own, and slow: {}", e.toString());
        }
    }
}
