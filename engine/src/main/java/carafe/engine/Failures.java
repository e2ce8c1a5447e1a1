package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/// Turns failures of the Java library into the engine's kinds, with a sentence.
final class Failures {
    private Failures() {}

    /// What was tried, and why it failed. A full disk is Unavailable: it may be freed.
    static EngineException io(String tried, IOException e) {
        String reason = switch (e) {
            case NoSuchFileException missing -> missing.getFile() + ": no such file or directory";
            case AccessDeniedException denied -> denied.getFile() + ": permission denied";
            case FileSystemException other when other.getReason() != null -> String.valueOf(other.getReason());
            default -> String.valueOf(e.getMessage());
        };
        if (reason.contains("No space left on device") || reason.contains("Disk quota exceeded")) {
            return EngineException.Unavailable.full(tried, e);
        }
        return new EngineException.Internal(tried + ": " + reason, e);
    }
}
