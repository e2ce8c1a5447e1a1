package carafe.api;

import carafe.engine.CheckResult;
import carafe.spec.EngineException;

/// What is stored beside the engine's own content, in this process, and is checked with it.
@FunctionalInterface
public interface AlsoChecked {

    /// There is nothing.
    AlsoChecked NOTHING = _ -> new CheckResult(0, 0, 0, java.util.List.of());

    /// Reads it all and says what is damaged; with `repair`, repairs what can be. Blocks until that is done.
    CheckResult check(boolean repair) throws EngineException;
}
