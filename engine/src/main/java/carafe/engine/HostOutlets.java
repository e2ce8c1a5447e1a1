package carafe.engine;

import carafe.network.dns.NameService;
import carafe.network.port.PortBinding;
import carafe.network.port.PortFilter;
import carafe.network.port.PublishedPorts;
import carafe.network.port.Reach;
import carafe.spec.EngineException;
import java.util.Collection;
import java.util.List;

/// Outlets of this host: ports by nftables, names by a server in each container's namespace.
public final class HostOutlets implements Outlets {

    private final Tools tools;

    /// What this stands on, and closes.
    public record Tools(PortFilter filter, PublishedPorts ports, NameService names) {}

    /// Takes over its tools.
    public HostOutlets(Tools tools) {
        this.tools = tools;
    }

    @Override
    public void begin(Opening opening) throws EngineException {
        tools.names.choose(opening.containerId(), opening.servers());
        tools.ports.reserve(
                opening.containerId(), opening.name(), opening.ports(), opening.four(), opening.six());
    }

    @Override
    public void end(String containerId) {
        tools.ports.release(containerId);
        tools.names.forget(containerId);
    }

    @Override
    public List<PortBinding> bindings(String containerId) {
        return tools.ports.bindings(containerId);
    }

    @Override
    public List<Reach> reach(String containerId) throws EngineException {
        return tools.ports.reach(containerId);
    }

    @Override
    public void resume(Collection<Opening> running) throws EngineException {
        running.forEach(opening -> tools.names.choose(opening.containerId(), opening.servers()));
        tools.ports.restore(running.stream().map(Opening::containerId).toList());
    }

    @Override
    public void hold() throws EngineException {
        tools.filter.hold();
    }

    @Override
    public void close() {
        tools.names.close();
        tools.ports.close();
        tools.filter.close();
    }
}
