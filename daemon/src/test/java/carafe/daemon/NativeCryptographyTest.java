package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Security;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeCryptographyTest {

    private static final String PROVIDER = "AmazonCorrettoCryptoProvider";
    private static final String JAVAS = "SUN";
    private static final String DIGEST_OF_ABC = // FIPS 180-4, appendix B.1
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    Path dataRoot;

    @AfterEach
    void othersHaveJavasOwn() {
        Security.removeProvider(PROVIDER);
    }

    private static MessageDigest sha256() throws Exception {
        var digest = MessageDigest.getInstance("SHA-256");
        byte[] sum = digest.digest("abc".getBytes(StandardCharsets.US_ASCII));
        assertThat(HexFormat.of().formatHex(sum)).isEqualTo(DIGEST_OF_ABC);
        return digest;
    }

    @Test
    void digestsAreTheLibrarysAndNothingOfItIsLeftOnTheDisk() throws Exception {
        Path crashed = dataRoot.resolve("native/libamazonCorrettoCryptoProvider.so");
        Files.createDirectory(crashed.getParent());
        Files.writeString(crashed, "half of it");
        NativeCryptography.install(dataRoot);
        assertThat(sha256().getProvider().getName()).isEqualTo(PROVIDER);
        assertThat(dataRoot).isEmptyDirectory();
    }

    @Test
    void withoutAPlaceForTheLibraryJavasOwnServe() throws Exception {
        NativeCryptography.install(dataRoot.resolve("absent"));
        assertThat(sha256().getProvider().getName()).isEqualTo(JAVAS);
    }
}
