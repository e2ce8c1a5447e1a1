package carafe.spec.tar;

import java.io.InputStream;
import java.util.function.BooleanSupplier;

/// A tar that somebody sends to have it unpacked, plain or compressed, and whether nobody waits any more for what becomes
/// of it: little that was sent may take long to unpack. `abandoned` may be asked by any thread and does not block; the
/// stream is its sender's to close.
public record SentTar(InputStream bytes, BooleanSupplier abandoned) {}
