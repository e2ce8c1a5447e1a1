package carafe.runtime;

/// How a process without a terminal gets its input. `open`: stdin is a pipe that attached clients write to, else it is
/// /dev/null. `once`: it is closed when the first client that attached to it leaves or half-closes.
public record Stdio(boolean open, boolean once) {

    /// No input.
    public static final Stdio CLOSED = new Stdio(false, false);
}
