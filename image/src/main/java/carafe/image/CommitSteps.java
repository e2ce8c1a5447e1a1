package carafe.image;

import carafe.spec.oci.Digest;
import java.io.IOException;

/// Hears of each step by which content becomes durable and visible, just before the step. Tests stop there, as a crash
/// would; the real thing does nothing.
@FunctionalInterface
public interface CommitSteps {

    /// Passes every step.
    CommitSteps REAL = _ -> {};

    /// `step` comes next. Whoever throws has died: nothing after it runs, clean-up included.
    void before(String step) throws IOException;

    /// The blob is about to be read whole, by somebody who relies on it.
    default void reading(Digest blob) throws IOException {}
}
