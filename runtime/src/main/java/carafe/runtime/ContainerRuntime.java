package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Starts containers and finds them again. Everything a container leaves behind is in its bundle's run directory and
/// its control group, so another instance of this (after a crash of the daemon) can adopt it.
/// Calls block and are made on virtual threads; every wait inside has a deadline.
public interface ContainerRuntime {

    /// What [#start] would do, step by step, without doing anything: reads no file and needs no privilege.
    LaunchPlan plan(Bundle bundle) throws EngineException;

    /// Makes both ends of an attached client's connection; hand it to [#start] or [RunningContainer#exec] so that it
    /// misses no byte. The caller owns it and closes it when the client leaves or the start fails.
    AttachEndpoint endpoint(Set<StdStream> streams) throws EngineException;

    /// A new user namespace with these maps, and a network namespace that it owns, in which nothing is set up: what a
    /// bundle then names as its own. Owned by the caller.
    HeldNamespaces users(IdMaps ids) throws EngineException;

    /// The users of `namespaces`, and a new network namespace that they own, in which nothing is. Owned by the caller.
    HeldNamespaces networkOf(HeldNamespaces namespaces) throws EngineException;

    /// Starts the bundle's process and returns when its program runs (execve succeeded). On failure nothing is left:
    /// no mount, control group, process or descriptor; the run directory is as it was.
    /// `clients` receive output from the first byte on. What the process needs beside all that may become ready meanwhile:
    /// `rest` is awaited before it is born, and what that throws fails the start.
    <E extends Exception> RunningContainer start(Bundle bundle, List<AttachEndpoint> clients, Rest<E> rest)
            throws StartFailure, E;

    /// The same where all is ready.
    default RunningContainer start(Bundle bundle, List<AttachEndpoint> clients) throws StartFailure {
        return this.<RuntimeException>start(bundle, clients, () -> {});
    }

    /// What others make ready for a process that is to be.
    @FunctionalInterface
    interface Rest<E extends Exception> {
        void await() throws E;

        /// The process is on its way and the caller only waits for it: who kept back other work may do it now. Not told of a
        /// start that failed before.
        default void underway() {}
    }

    /// The container that was started from a bundle with this run directory, if its monitor still lives.
    Optional<RunningContainer> adopt(Path runDir) throws EngineException;

    /// How the container (or exec) of this run directory ended, as its monitor wrote it down; empty while it runs
    /// or when it never ran.
    Optional<ExitInfo> exitRecord(Path runDir) throws EngineException;

    /// The steps of the last start in this run directory with their durations; empty if there was none.
    Optional<TapeExplanation> explanation(Path runDir) throws EngineException;

    /// Removes what a container or an exec of this run directory may have left (control groups, run directory) after
    /// its process and monitor are gone or were killed; kills what still runs in a container's group. `cgroupsPath` is
    /// what the container's configuration says: a crash between the making of the group and the record of it leaves a
    /// group that nothing else names. Empty for an exec, and where it is not known. Idempotent.
    void discard(Path runDir, Optional<String> cgroupsPath) throws EngineException;
}
