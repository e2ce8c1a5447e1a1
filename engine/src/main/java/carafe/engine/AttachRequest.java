package carafe.engine;

/// What an attached client wants: which streams, the log so far first (`logs`), what comes from now on (`stream`), and
/// the keys that detach (empty: ctrl-p,ctrl-q; read only on a terminal's input).
public record AttachRequest(
        boolean stdin, boolean stdout, boolean stderr, boolean logs, boolean stream, String detachKeys) {}
