package carafe.build.step;

import carafe.build.plan.Origin;
import carafe.build.tree.FileSource;
import carafe.spec.EngineException;
import java.io.IOException;

/// Opens what steps read from: the context, finished stages, images.
@FunctionalInterface
public interface Origins {

    /// The files of `origin`; waits for a stage that is not done yet. Closing the result leaves the origin itself open.
    FileSource open(Origin origin) throws IOException, EngineException, InterruptedException;
}
