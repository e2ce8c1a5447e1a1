package carafe.engine;

/// A registered wait: from the moment it exists it cannot miss what it waits for. Close it when the client goes away.
public interface Waiting extends AutoCloseable {

    /// The exit code, and a sentence if the wait itself failed.
    record Result(int exitCode, String error) {}

    /// Blocks until the condition holds.
    Result await() throws InterruptedException;

    /// Ends the wait: an [#await] in progress returns with an error text. Does nothing when it is over.
    @Override
    void close();
}
