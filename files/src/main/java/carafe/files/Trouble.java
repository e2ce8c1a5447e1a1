package carafe.files;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import java.io.IOException;

/// What the kernel's errors mean to a user of this room.
final class Trouble {

    private Trouble() {}

    /// `e`, which happened while `doing`, as the engine's error.
    static EngineException of(String doing, IOException e) {
        String text = doing + ": " + e.getMessage();
        if (e instanceof KernelException kernel && kernel.is(Errno.ENOSPC, Errno.EDQUOT)) {
            return new EngineException.Unavailable(text, e);
        }
        return new EngineException.Internal(text, e);
    }
}
