package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.oci.ProcessSpec;
import java.nio.channels.SocketChannel;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// A process in a container, watched by its own monitor. It may end at any moment; calls about a process that ended
/// throw [EngineException.Conflict] where they cannot be answered any more.
public interface RunningProcess {

    /// The process id on the host.
    int pid();

    /// When its program began.
    Instant startedAt();

    /// Waits for its end, however long that takes.
    ExitInfo awaitExit() throws InterruptedException, EngineException;

    /// How it ended, if it did.
    Optional<ExitInfo> exited() throws EngineException;

    /// Sends a signal by number. Race-free: never reaches another process that got the same id later.
    void signal(int number) throws EngineException;

    /// Sets the size of its terminal in characters.
    void resize(ProcessSpec.ConsoleSize size) throws EngineException;

    /// A live connection to its streams from now on: output arrives with Docker's 8-byte frames (raw with a
    /// terminal), input is written raw, shutting down output ends stdin. The caller closes it.
    SocketChannel attach(Set<StdStream> streams) throws EngineException;

    /// The steps of its start with their durations; put into words only when asked for, and also after [#delete].
    Supplier<TapeExplanation> explanation() throws EngineException;

    /// Forgets an ended process: removes its run directory. Idempotent; Conflict while it runs.
    void delete() throws EngineException;

    /// Lets go of what this object holds of the process, as the end of the daemon would; the process is not disturbed
    /// and can be adopted. Not needed when [#awaitExit] has returned.
    default void release() {}
}
