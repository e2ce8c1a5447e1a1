package carafe.engine;

import carafe.spec.docker.PathStat;
import java.io.IOException;
import java.io.OutputStream;

/// Takes an archive: first what it is of, then its bytes.
@FunctionalInterface
public interface ArchiveReceiver {

    /// Called once, before the first byte; the stream stays the receiver's.
    OutputStream begin(PathStat stat) throws IOException;
}
