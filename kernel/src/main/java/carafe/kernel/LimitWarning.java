package carafe.kernel;

/// A limit that this host could not give; the start goes on without it. `text` is a sentence for the user.
public record LimitWarning(Kind kind, String text) {

    /// Which limit it was.
    public enum Kind { MEMORY, SWAP, RESERVATION, SWAPPINESS, OOM_KILL_DISABLE, CPU, CPUSET, PIDS, BLKIO, HUGE_PAGES,
        UNIFIED, DEVICES }
}
