package carafe.spec.tar;

import java.util.Optional;

/// How much may come out of something compressed: `maxBytes` at most, and, once `freeBytes` came out, `ratio` times what
/// went in at most. What goes beyond it is a bomb.
public record UnpackBounds(long maxBytes, long freeBytes, int ratio) {

    /// gzip cannot do better than 1032:1 on zeros, bzip2 reaches a million; real layers hardly reach 20:1.
    public static final UnpackBounds DEFAULT = new UnpackBounds(1L << 40, 1L << 30, 200);

    /// Whether `plainBytes`, which came out so far, are too many.
    /// @return what is wrong, in words that follow the name of the thing; empty when nothing is
    public Optional<String> excess(long plainBytes) {
        return plainBytes > maxBytes ? Optional.of("is larger than " + maxBytes + " bytes") : Optional.empty();
    }

    /// The same of something compressed, of which `packedBytes` were read for them.
    public Optional<String> excess(long plainBytes, long packedBytes) {
        return plainBytes > freeBytes && plainBytes / ratio > packedBytes
                ? Optional.of("unpacks to more than " + ratio + " times its size")
                : excess(plainBytes);
    }
}
