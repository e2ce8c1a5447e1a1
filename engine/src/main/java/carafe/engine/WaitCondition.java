package carafe.engine;

/// What a wait waits for.
public enum WaitCondition {
    /// It does not run (at once, if it does not run now).
    NOT_RUNNING,
    /// It ends the next time.
    NEXT_EXIT,
    /// It is removed.
    REMOVED
}
