package carafe.network;

import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.util.Locale;

/// Failures of the kernel as the sentences of this room.
final class Trouble {

    private Trouble() {}

    /// `what` could not be done.
    static EngineException of(String what, IOException e) {
        return switch (e) {
            case KernelException kernel -> new EngineException.Internal(what + ": " + reason(kernel), e);
            case Failpoints.Injected injected -> new EngineException.Internal(
                    what + ": " + injected.errno().toLowerCase(Locale.ROOT), e);
            default -> new EngineException.Internal(what + ": " + e.getMessage(), e);
        };
    }

    private static String reason(KernelException e) {
        return e.subject() + ": " + e.reason() + (e.detail().isEmpty() ? "" : " (" + e.detail() + ")");
    }
}
