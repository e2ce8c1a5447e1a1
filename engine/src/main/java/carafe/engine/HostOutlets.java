package carafe.engine;

import carafe.network.dns.NameService;
import carafe.network.port.PortBinding;
import carafe.network.port.PortFilter;
import carafe.network.port.PublishedPorts;
import carafe.network.port.Reach;
import carafe.spec.EngineException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

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
        ask(opening);
        tools.ports.reserve(opening.containerId(), opening.name(), opening.ports(), opening.families());
    }

    @Override
    public void publish(Opening opening) throws EngineException {
        tools.ports.adapt(opening.containerId(), opening.name(), opening.ports(), opening.families());
    }

    @Override
    public void withdraw(String containerId) {
        tools.ports.release(containerId);
    }

    private void ask(Opening opening) {
        tools.names.choose(opening.containerId(), opening.asking().servers());
        rename(opening.containerId(), opening.asking().links());
    }

    @Override
    public void rename(String containerId, Map<String, String> links) {
        tools.names.link(containerId, links);
    }

    @Override
    public void called(String containerId, String name) throws EngineException {
        tools.ports.rename(containerId, name);
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
    public List<String> warnings() throws EngineException {
        return tools.ports.warnings();
    }

    @Override
    public void resume(Collection<Opening> running) throws EngineException {
        running.forEach(this::ask);
        tools.ports.restore(running.stream().map(Opening::containerId).toList());
    }

    @Override
    public void hold() throws EngineException {
        tools.filter.hold();
    }

    @Override
    public List<HostFault> check(boolean repair) {
        String fault = "";
        try {
            fault = tools.filter.fault().orElse("");
            if (!fault.isEmpty() && repair) {
                tools.filter.mend();
            }
        } catch (EngineException e) {
            String text = (fault.isEmpty() ? "" : fault + " and stays so: ") + e.getMessage();
            return List.of(new HostFault("table", tools.filter.table(), text, false));
        }
        return fault.isEmpty() ? List.of() : List.of(new HostFault("table", tools.filter.table(), fault, repair));
    }

    @Override
    public void close() {
        tools.names.close();
        tools.ports.close();
        tools.filter.close();
    }
}
