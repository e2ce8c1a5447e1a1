package carafe.build.solve;

import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;

/// Who hears what a step's program does: the build that runs it, and those that wait for its result.
record Hearers(BuildListener own, BuildListener waiting) {

    /// Tells everybody.
    void all(BuildEvent event) {
        waiting.on(event);
        own.on(event);
    }
}
