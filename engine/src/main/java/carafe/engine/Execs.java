package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.ExecConfig;
import java.util.Optional;

/// Further processes in running containers. Records live in memory: for five minutes after their end, or until their
/// container is removed.
public interface Execs {

    /// Registers what is to run; answers its id.
    String create(String containerReference, ExecConfig config) throws EngineException;

    /// Runs it without streams.
    void startDetached(String id) throws EngineException, InterruptedException;

    /// Runs it with the streams its config attaches; `size` is the terminal's at the start.
    Attachment start(String id, Optional<TerminalSize> size) throws EngineException, InterruptedException;

    /// Tells its terminal a new size.
    void resize(String id, TerminalSize size) throws EngineException, InterruptedException;

    /// All about it.
    ExecDetails inspect(String id) throws EngineException;
}
