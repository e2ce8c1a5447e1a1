package carafe.spec.oci;

import carafe.spec.EngineException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/// The name of some bytes by their content: an algorithm and a hash in lower-case hexadecimal.
/// Printed and parsed as `sha256:…`; only the algorithms that OCI registers for reading are known.
/// Source: OCI image-spec, descriptor.md "Digests"; error texts of opencontainers/go-digest.
public record Digest(Algorithm algorithm, String hex) implements Comparable<Digest> {

    /// A registered hash function.
    public enum Algorithm {
        SHA256("SHA-256", 64),
        SHA512("SHA-512", 128);

        private final String javaName;
        private final int hexLength;

        Algorithm(String javaName, int hexLength) {
            this.javaName = javaName;
            this.hexLength = hexLength;
        }

        /// The name in front of the colon, as in `sha256`.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// How many hexadecimal characters a hash has.
        public int hexLength() {
            return hexLength;
        }

        /// A fresh hash function; not shared between threads.
        public MessageDigest hasher() {
            try {
                return MessageDigest.getInstance(javaName);
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e); // every JDK has both
            }
        }
    }

    public Digest {
        if (hex.length() != algorithm.hexLength || !lowerHex(hex)) {
            throw new IllegalArgumentException("not a " + algorithm.label() + " hash: " + hex);
        }
    }

    /// Reads `algorithm:hex`.
    public static Digest parse(String text) throws EngineException.Invalid {
        int colon = text.indexOf(':');
        if (colon <= 0 || colon == text.length() - 1) {
            throw new EngineException.Invalid("invalid checksum digest format");
        }
        String label = text.substring(0, colon);
        String hex = text.substring(colon + 1);
        for (var algorithm : Algorithm.values()) {
            if (algorithm.label().equals(label)) {
                if (hex.length() != algorithm.hexLength) {
                    throw new EngineException.Invalid("invalid checksum digest length");
                }
                if (!lowerHex(hex)) {
                    throw new EngineException.Invalid("invalid checksum digest format");
                }
                return new Digest(algorithm, hex);
            }
        }
        throw new EngineException.Invalid("unsupported digest algorithm");
    }

    /// The sha256 digest of `bytes`.
    public static Digest sha256(byte[] bytes) {
        return finish(Algorithm.SHA256, Algorithm.SHA256.hasher().digest(bytes));
    }

    /// The digest whose raw hash is `hash`.
    public static Digest finish(Algorithm algorithm, byte[] hash) {
        return new Digest(algorithm, HexFormat.of().formatHex(hash));
    }

    /// True when `bytes` have this digest.
    public boolean matches(byte[] bytes) {
        return finish(algorithm, algorithm.hasher().digest(bytes)).equals(this);
    }

    /// The first twelve characters of the hash, as people see them.
    public String shortHex() {
        return hex.substring(0, 12);
    }

    @Override
    public int compareTo(Digest other) {
        int order = algorithm.compareTo(other.algorithm);
        return order != 0 ? order : hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return algorithm.label() + ":" + hex;
    }

    private static boolean lowerHex(String text) {
        for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) { // another character becomes a question mark
            if (b < '0' || b > 'f' || b > '9' && b < 'a') {
                return false;
            }
        }
        return true;
    }
}
