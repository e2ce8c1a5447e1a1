package carafe.engine;

import carafe.network.port.PortBinding;
import carafe.network.port.PortRequest;
import carafe.network.port.Reach;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.Collection;
import java.util.List;

/// How containers are found beside their addresses: by ports of the host, and by names. Told of a container before it
/// comes to its networks ([#begin]) and after it has left them ([#end]).
public interface Outlets {

    /// None: nothing can be published.
    Outlets NONE = new Outlets() {
        @Override
        public void begin(Opening opening) throws EngineException {
            if (!opening.ports().isEmpty()) {
                throw new EngineException.Unsupported("this engine publishes no ports");
            }
        }

        @Override
        public void end(String containerId) {}

        @Override
        public List<PortBinding> bindings(String containerId) {
            return List.of();
        }

        @Override
        public List<Reach> reach(String containerId) {
            return List.of();
        }

        @Override
        public void resume(Collection<Opening> running) {}

        @Override
        public void hold() {}

        @Override
        public void close() {}
    };

    /// What a container that is about to start wants: ports, in which families its networks have addresses, and the name
    /// servers of its own (none: the host's).
    record Opening(
            String containerId, String name, List<PortRequest> ports, boolean four, boolean six,
            List<IpAddress> servers) {
        public Opening {
            ports = List.copyOf(ports);
            servers = List.copyOf(servers);
        }
    }

    /// Takes the ports, all or none.
    void begin(Opening opening) throws EngineException;

    /// Gives back what the container had; idempotent.
    void end(String containerId);

    /// The ports of the host that lead to the container now.
    List<PortBinding> bindings(String containerId);

    /// From where they can be reached.
    List<Reach> reach(String containerId) throws EngineException;

    /// At the engine's start, before networks are restored: these containers run and keep what they have.
    void resume(Collection<Opening> running) throws EngineException;

    /// At the engine's start, after networks were restored: from now on the rules are what was told.
    void hold() throws EngineException;

    /// Lets go of descriptors; what runs stays reachable by its ports.
    void close();
}
