package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.oci.LinuxResources;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A container whose first process was started. [#delete] also removes its control groups; it kills what else is left
/// in them first (processes that outlived a shared pid namespace).
public interface RunningContainer extends RunningProcess {

    /// The bundle's id.
    String id();

    /// Freezes every process until [#resume].
    void pause() throws EngineException;

    /// Thaws every process.
    void resume() throws EngineException;

    /// Whether it is frozen.
    boolean paused() throws EngineException;

    /// Runs another process in the same namespaces, control group, root and limits; returns when its program runs.
    RunningProcess exec(ExecSpec spec, List<AttachEndpoint> clients) throws StartFailure;

    /// An exec started earlier, perhaps by another life of the daemon, found by its run directory.
    Optional<RunningProcess> adoptExec(Path execRunDir) throws EngineException;

    /// What it uses now.
    ContainerStats stats() throws EngineException;

    /// Changes the limits named; empty ones stay as they are.
    void update(LinuxResources resources) throws EngineException;

    /// Its namespaces, to be shared. They are proven to be its own: opened by the number of its process, which was still
    /// its own afterwards. The caller closes them.
    /// @throws EngineException.Conflict it does not run
    SharedNamespaces namespaces() throws EngineException;

    /// What it has mounted at /dev/shm, to be shared. The caller closes it.
    /// @throws EngineException.Conflict it does not run, or has nothing mounted there any more
    HeldMount sharedMemory() throws EngineException;

    /// The ids, on the host, of all its processes.
    List<Integer> processes() throws EngineException;

    /// Whether the kernel killed one of its processes for lack of memory so far.
    boolean oomKilled() throws EngineException;
}
