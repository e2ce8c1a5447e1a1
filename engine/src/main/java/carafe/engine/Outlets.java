package carafe.engine;

import carafe.network.port.Families;
import carafe.network.port.PortBinding;
import carafe.network.port.PortRequest;
import carafe.network.port.Reach;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;

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
        public void rename(String containerId, Map<String, String> links) {}

        @Override
        public void called(String containerId, String name) {}

        @Override
        public void publish(Opening opening) throws EngineException {
            begin(opening);
        }

        @Override
        public void withdraw(String containerId) {}

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
        public List<String> warnings() {
            return List.of();
        }

        @Override
        public void resume(Collection<Opening> running) {}

        @Override
        public void hold() {}

        @Override
        public List<HostFault> check(boolean repair) {
            return List.of();
        }

        @Override
        public void close() {}
    };

    /// What a container that is about to start wants: ports, in which families its networks have addresses, and how it
    /// asks for names.
    record Opening(String containerId, String name, List<PortRequest> ports, Families families, Asking asking) {
        public Opening {
            ports = List.copyOf(ports);
        }
    }

    /// The name servers of a container's own (none: the host's), and names that only it asks for, with who is meant.
    record Asking(List<IpAddress> servers, Map<String, String> links) {
        static final Asking NONE = new Asking(List.of(), Map.of());

        public Asking {
            servers = List.copyOf(servers);
            links = Map.copyOf(links);
        }
    }

    /// Takes the ports, all or none.
    void begin(Opening opening) throws EngineException;

    /// From now on a container that runs asks for these names too.
    void rename(String containerId, Map<String, String> links);

    /// A container that has ports is called `name` from now on.
    void called(String containerId, String name) throws EngineException;

    /// A container that runs is about to come to one more network, or has left one: its ports are those that its networks
    /// make possible, in their families. It keeps what it has of them; new ones are taken all or none.
    void publish(Opening opening) throws EngineException;

    /// Gives back the ports of a container that runs on; idempotent.
    void withdraw(String containerId);

    /// Gives back what the container had; idempotent.
    void end(String containerId);

    /// The ports of the host that lead to the container now.
    List<PortBinding> bindings(String containerId);

    /// From where they can be reached.
    List<Reach> reach(String containerId) throws EngineException;

    /// What the host's firewall forbids all containers now, in sentences for people.
    List<String> warnings() throws EngineException;

    /// At the engine's start, before networks are restored: these containers run and keep what they have.
    void resume(Collection<Opening> running) throws EngineException;

    /// At the engine's start, after networks were restored: from now on the rules are what was told.
    void hold() throws EngineException;

    /// Looks whether the rules are what was told, and with `repair` puts them into place again if not.
    List<HostFault> check(boolean repair);

    /// Lets go of descriptors; what runs stays reachable by its ports.
    void close();
}
