package carafe.network;

import carafe.spec.EngineException;
import java.util.Optional;

/// Who has to know when a container comes to a network and when it leaves: published ports, names. Called on the thread
/// that makes the change, in the order of changes of one container; must be quick.
public interface EndpointListener {

    /// What was attached: the network, the endpoint and the whole sandbox with it. `running` is false in a start, whose
    /// program does not exist yet, and true when a running container was connected or taken over after a restart.
    record Attached(Sandbox sandbox, Network network, Endpoint endpoint, boolean running) {}

    /// An endpoint is there, with its addresses; a failure undoes it.
    void attached(Attached attached) throws EngineException;

    /// What was done for an endpoint that was just attached, for people; the time is the caller's. Empty for nothing.
    default Optional<NetworkStep> told(Attached attached) {
        return Optional.empty();
    }

    /// The container is called otherwise in the endpoint's network: `endpoint` is the one it has, with its new names.
    default void renamed(String containerId, Endpoint endpoint) {}

    /// The bridge of an endpoint's network was deleted by somebody and made again: its end on the host is a new port. Called
    /// on any thread. Until it returns the container stays in the network, so it waits for nobody who takes it out.
    default void replugged(String containerId, Endpoint endpoint) throws EngineException {}

    /// An endpoint is gone, or about to go; `attached` may not have been called for it if that failed.
    void detached(String containerId, Endpoint endpoint);
}
