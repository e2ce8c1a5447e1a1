package carafe.engine;

import carafe.network.port.PortBinding;
import carafe.network.port.Reach;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Outlets without a host: ports are taken and given back in memory, each by the number that was asked for, or by one more
/// than 30000 where any is good.
final class MemoryOutlets implements Outlets {

    /// What was asked for, in order.
    final List<Opening> openings = new CopyOnWriteArrayList<>();

    /// The same with what was asked for while a container ran.
    final List<Opening> published = new CopyOnWriteArrayList<>();

    /// The last new name of each.
    final Map<String, String> called = new ConcurrentHashMap<>();

    private final Map<String, List<PortBinding>> taken = new ConcurrentHashMap<>();

    @Override
    public void begin(Opening opening) throws EngineException {
        openings.add(opening);
        end(opening.containerId());
        publish(opening);
    }

    @Override
    public void rename(String containerId, Map<String, String> links) {}

    @Override
    public void called(String containerId, String name) {
        called.put(containerId, name);
    }

    @Override
    public void publish(Opening opening) throws EngineException {
        published.add(opening);
        if (!opening.ports().isEmpty() && !taken.containsKey(opening.containerId())) {
            for (var port : opening.ports()) {
                boolean isTaken = !port.anyPort() && taken.values().stream().flatMap(List::stream)
                        .anyMatch(other -> other.hostPort() == port.first());
                if (isTaken) {
                    throw new EngineException.Internal("port is already allocated: " + port.first());
                }
            }
            taken.put(opening.containerId(), opening.ports().stream()
                    .map(port -> new PortBinding(port.protocol(), port.containerPort(),
                            port.address().orElse(IpAddress.four(0)), port.anyPort() ? 30001 : port.first()))
                    .toList());
        }
    }

    @Override
    public void withdraw(String containerId) {
        taken.remove(containerId);
    }

    @Override
    public void end(String containerId) {
        taken.remove(containerId);
    }

    @Override
    public List<PortBinding> bindings(String containerId) {
        return taken.getOrDefault(containerId, List.of());
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
    public void resume(Collection<Opening> running) {
        taken.keySet().retainAll(running.stream().map(Opening::containerId).toList());
    }

    @Override
    public void hold() {}

    @Override
    public List<HostFault> check(boolean repair) {
        return List.of();
    }

    @Override
    public void close() {}
}
