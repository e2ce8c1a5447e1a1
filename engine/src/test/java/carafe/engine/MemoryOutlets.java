package carafe.engine;

import carafe.network.port.PortBinding;
import carafe.network.port.Reach;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/// Remembers what containers asked for; publishes nothing.
final class MemoryOutlets implements Outlets {

    final List<Opening> openings = new ArrayList<>();

    @Override
    public void begin(Opening opening) {
        openings.add(opening);
    }

    @Override
    public void rename(String containerId, Map<String, String> links) {}

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
}
