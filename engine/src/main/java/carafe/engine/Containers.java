package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import carafe.spec.docker.PathStat;
import carafe.spec.tar.SentTar;
import java.io.IOException;
import java.util.List;

/// Everything one can do to containers. A `reference` is a full id, a name with or without slash, or a unique prefix of
/// an id. Calls on one container run one after the other; calls on different ones do not wait for each other; readers
/// (`inspect`, `list`) wait for nobody.
public interface Containers {

    /// Makes a container; nothing runs yet.
    CreateResult create(CreateRequest request) throws EngineException, InterruptedException;

    /// Starts its process and answers when it really runs. NotModified when it already does.
    void start(String reference) throws EngineException, InterruptedException;

    /// Asks it to end, then ends it; answers when it has ended. NotModified when it does not run.
    void stop(String reference, StopRequest request) throws EngineException, InterruptedException;

    /// Stops it if it runs, then starts it.
    void restart(String reference, StopRequest request) throws EngineException, InterruptedException;

    /// Sends a signal, by name or number (empty: SIGKILL).
    void kill(String reference, String signal) throws EngineException, InterruptedException;

    /// Freezes its processes.
    void pause(String reference) throws EngineException, InterruptedException;

    /// Lets frozen processes go on.
    void unpause(String reference) throws EngineException, InterruptedException;

    /// Registers a wait; it holds from the moment this returns.
    Waiting await(String reference, WaitCondition condition) throws EngineException;

    /// Removes it with all it wrote.
    void remove(String reference, RemoveRequest request) throws EngineException, InterruptedException;

    /// Gives it another name.
    void rename(String reference, String name) throws EngineException, InterruptedException;

    /// All about it; with `size`, its directory is walked.
    ContainerDetails inspect(String reference, boolean size) throws EngineException;

    /// The snapshots that match, newest first.
    List<ContainerSummary> list(ListQuery query) throws EngineException;

    /// Joins its streams, before or after start; the streams flow from the moment this returns.
    Attachment attach(String reference, AttachRequest request) throws EngineException, InterruptedException;

    /// Tells its terminal a new size.
    void resize(String reference, TerminalSize size) throws EngineException, InterruptedException;

    /// Reads its log, framed as [Attachment#output] is.
    ByteSource logs(String reference, LogQuery query) throws EngineException;

    /// Its processes, as the host's `ps` with `psArguments` shows them (empty: `-ef`).
    ProcessTable top(String reference, String psArguments) throws EngineException, InterruptedException;

    /// What it uses now; Conflict when it does not run.
    UsageSample usage(String reference) throws EngineException;

    /// What its processes changed in its root.
    List<PathChange> changes(String reference) throws EngineException;

    /// What is at a path inside it, running or not; a symbolic link itself.
    PathStat pathStat(String reference, String path) throws EngineException, InterruptedException;

    /// Hands what is at a path inside it to `receiver`, as a tar whose names begin with the path's last name.
    void readArchive(String reference, String path, ArchiveReceiver receiver)
            throws EngineException, InterruptedException, IOException;

    /// Unpacks a tar, plain or compressed, into a directory inside it. Ends when it is abandoned.
    void writeArchive(String reference, ArchiveTarget target, SentTar archive)
            throws EngineException, InterruptedException, IOException;

    /// All files of its root as a tar, as they are while it is written.
    Download export(String reference) throws EngineException;

    /// Changes limits and restart policy (`Resources` fields and `RestartPolicy`); answers warnings.
    List<String> update(String reference, Json.Obj changes) throws EngineException, InterruptedException;

    /// Removes those that do not run and match (`until`, `label`, `label!`).
    PruneReport prune(Filters filters) throws EngineException, InterruptedException;

    /// The tape of the container's last start in words, with microseconds; as the runtime prints it.
    Json.Obj explain(String reference) throws EngineException;

    /// From where its published ports can be reached, for people.
    List<PortReach> reach(String reference) throws EngineException;

    /// The tape a start of such a container would play; nothing is made.
    Json.Obj dryRun(CreateRequest request) throws EngineException;
}
