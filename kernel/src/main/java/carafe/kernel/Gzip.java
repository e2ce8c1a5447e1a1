package carafe.kernel;

import java.io.InputStream;

/// gzip's way back, by libisal where the host has it, else by the JDK. Source: RFC 1952.
public final class Gzip {

    private Gzip() {}

    /// What is inside `source`'s members, which is closed with it. Belongs to one thread; closing it frees memory that
    /// the collector does not know. Blocks as the source does.
    ///
    /// Errors while reading: `ZipException` when the bytes are at fault, `EOFException` when they end early, else the
    /// source's own.
    public static InputStream decompressing(InputStream source) {
        var library = LibIsal.find();
        return new Gunzip(source, library.isPresent() ? new IsalInflation(library.get()) : new Inflation.Jdk());
    }
}
