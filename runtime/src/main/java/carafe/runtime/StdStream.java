package carafe.runtime;

/// The three standard streams a client can attach to.
public enum StdStream {
    STDIN,
    STDOUT,
    STDERR
}
