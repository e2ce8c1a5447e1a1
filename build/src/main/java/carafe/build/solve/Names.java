package carafe.build.solve;

import java.security.SecureRandom;
import java.util.HexFormat;

/// Names for the containers of steps.
final class Names {

    private static final SecureRandom RANDOM = new SecureRandom();

    private Names() {}

    /// 64 hexadecimal characters that nobody can guess.
    static String fresh() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
