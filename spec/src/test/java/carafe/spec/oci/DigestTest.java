package carafe.spec.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DigestTest {

    private static final String HEX = "0123456789abcdef".repeat(4);

    @Test
    void aDigestIsReadAndPrinted() throws Exception {
        assertThat(Digest.parse("sha256:" + HEX)).hasToString("sha256:" + HEX);
        assertThat(Digest.parse("sha512:" + HEX + HEX).algorithm()).isEqualTo(Digest.Algorithm.SHA512);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", ":", "`", "g", "A", "F", "?", "\u0161", "\u0661", "\uD83D"})
    void whatIsNoLowerHexadecimalIsRefused(String character) {
        String text = HEX.substring(0, 40) + character + HEX.substring(41);
        assertThatThrownBy(() -> Digest.parse("sha256:" + text)).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid checksum digest format");
        assertThatThrownBy(() -> new Digest(Digest.Algorithm.SHA256, text)).isInstanceOf(IllegalArgumentException.class);
    }
}
