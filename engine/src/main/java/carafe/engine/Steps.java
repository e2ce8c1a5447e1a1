package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;

/// The points of create, start, exit and remove at which a test can make the engine fail.
final class Steps {
    private final Failpoints failpoints;

    Steps(Failpoints failpoints) {
        this.failpoints = failpoints;
    }

    /// Passes the point, or fails as the disk or kernel would there.
    void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw new EngineException.Internal(e.getMessage() == null ? point : e.getMessage(), e);
        }
    }
}
