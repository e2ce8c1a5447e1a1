package carafe.engine;

import carafe.network.port.PortRequest;
import carafe.network.port.Protocol;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What `-p`, `-P` and `--expose` mean: a pure function of a container's configuration.
final class PortPlan {

    private static final int MOST = 65535;

    private PortPlan() {}

    /// A port of a container, `80/tcp`.
    record Port(int number, Protocol protocol) {
        static Port parse(String text) throws EngineException.Invalid {
            int slash = text.indexOf('/');
            String number = slash < 0 ? text : text.substring(0, slash);
            return new Port(parsed(number, "invalid port specification: \"" + text + "\""),
                    Protocol.of(slash < 0 ? "" : text.substring(slash + 1)));
        }

        @Override
        public String toString() {
            return number + "/" + protocol;
        }
    }

    /// The ports to publish; `bindAddress` is where unless one says so itself.
    static List<PortRequest> requests(HostConfig host, ContainerConfig config, Optional<IpAddress> bindAddress)
            throws EngineException.Invalid {
        var requests = new ArrayList<PortRequest>();
        var bound = new LinkedHashSet<Port>();
        var bindings = host.document().object("PortBindings");
        for (String key : new TreeSet<>(bindings.fields().keySet())) {
            var port = Port.parse(key);
            bound.add(port);
            var wanted = bindings.objects(key);
            if (wanted.isEmpty()) {
                requests.add(new PortRequest(port.protocol, port.number, bindAddress, false, 0, 0));
            }
            for (var binding : wanted) {
                requests.add(request(port, binding, bindAddress));
            }
        }
        if (host.document().truth("PublishAllPorts")) {
            for (var port : exposed(config)) {
                if (!bound.contains(port)) {
                    requests.add(new PortRequest(port.protocol, port.number, bindAddress, false, 0, 0));
                }
            }
        }
        return requests;
    }

    private static PortRequest request(Port port, Json.Obj binding, Optional<IpAddress> bindAddress)
            throws EngineException.Invalid {
        String ip = binding.text("HostIp");
        Optional<IpAddress> address = bindAddress;
        if (!ip.isEmpty()) {
            boolean bracketed = ip.startsWith("[") && ip.endsWith("]");
            address = Optional.of(IpAddress.parse(bracketed ? ip.substring(1, ip.length() - 1) : ip));
        }
        String range = binding.text("HostPort");
        if (range.isEmpty() || range.equals("0")) {
            return new PortRequest(port.protocol, port.number, address, !ip.isEmpty(), 0, 0);
        }
        int dash = range.indexOf('-');
        String refusal = "invalid port specification: \"" + range + "\"";
        int first = parsed(dash < 0 ? range : range.substring(0, dash), refusal);
        int last = dash < 0 ? first : parsed(range.substring(dash + 1), refusal);
        if (last < first) {
            throw new EngineException.Invalid(refusal);
        }
        return new PortRequest(port.protocol, port.number, address, !ip.isEmpty(), first, last);
    }

    private static int parsed(String text, String refusal) throws EngineException.Invalid {
        int number = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
        if (number < 1 || number > MOST) {
            throw new EngineException.Invalid(refusal);
        }
        return number;
    }

    /// The ports the image or the user names, published or not.
    static Set<Port> exposed(ContainerConfig config) throws EngineException.Invalid {
        var ports = new LinkedHashSet<Port>();
        for (String text : new TreeSet<>(config.exposedPorts())) {
            ports.add(Port.parse(text));
        }
        return ports;
    }

    /// Every port that inspect names: what is exposed and what is bound, in order of their texts.
    static List<String> known(HostConfig host, ContainerConfig config) throws EngineException.Invalid {
        var names = new TreeSet<String>();
        for (var port : exposed(config)) {
            names.add(port.toString());
        }
        for (String key : host.document().object("PortBindings").fields().keySet()) {
            names.add(Port.parse(key).toString());
        }
        return List.copyOf(names);
    }
}
