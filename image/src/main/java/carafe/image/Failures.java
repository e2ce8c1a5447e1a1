package carafe.image;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.FileSystemException;

/// What a failing disk or stream means to the user of the room.
final class Failures {

    private Failures() {}

    /// The failure of `what` ("load image") because of `cause`: a full disk and a broken-off request may do better the
    /// next time, the rest is the machine's.
    static EngineException of(String what, IOException cause) {
        if (cause instanceof InterruptedIOException) {
            return new EngineException.Unavailable(what + ": cancelled", cause);
        }
        if (isFull(cause)) {
            return EngineException.Unavailable.full(what, cause);
        }
        if (cause instanceof KernelException || cause instanceof FileSystemException) {
            return new EngineException.Internal(what + ": " + cause.getMessage(), cause);
        }
        return new EngineException.Unavailable(what + ": " + cause.getMessage(), cause);
    }

    /// True when a disk has no room.
    static boolean isFull(IOException cause) {
        if (cause instanceof KernelException failed) {
            return failed.is(Errno.ENOSPC, Errno.EDQUOT);
        }
        String message = cause instanceof FileSystemException file ? file.getReason() : cause.getMessage();
        return message != null && (message.contains("No space left on device") || message.contains("quota exceeded"));
    }
}
