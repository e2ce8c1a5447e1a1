package carafe.spec.tar;

import java.io.IOException;

/// What would be needed to decompress a stream is in use by others; a later try may succeed. The bytes are not at fault.
public final class Busy extends IOException {

    /// `message` is a sentence: who has it, and what to do.
    Busy(String message) {
        super(message);
    }
}
