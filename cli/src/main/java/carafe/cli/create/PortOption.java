package carafe.cli.create;

import carafe.spec.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `-p` and `--expose`: the ports a container opens and where the host offers them.
final class PortOption {

    private record Span(int first, int last) {}

    private final Map<String, List<Json>> bindings = new LinkedHashMap<>();
    private final Map<String, Json> exposed = new LinkedHashMap<>();

    static PortOption read(List<String> published, List<String> exposed) throws CreateException {
        var ports = new PortOption();
        for (var typed : published) {
            ports.publish(typed.indexOf('=') >= 0 ? standard(typed) : typed);
        }
        for (var typed : exposed) {
            if (typed.indexOf(':') >= 0) {
                throw new CreateException("invalid port format for --expose: " + typed);
            }
            String protocol = protocol(typed);
            Span span = span(typed.indexOf('/') < 0 ? typed : typed.substring(0, typed.indexOf('/')),
                    "invalid range format for --expose: " + typed);
            for (int port = span.first; port <= span.last; port++) {
                ports.exposed.put(port + "/" + protocol, Json.object().build());
            }
        }
        return ports;
    }

    /// ExposedPorts; empty when there are none.
    Map<String, Json> exposed() {
        return exposed;
    }

    /// PortBindings.
    Map<String, Json> bindings() {
        var all = new LinkedHashMap<String, Json>();
        bindings.forEach((port, hosts) -> all.put(port, Json.ofAll(hosts)));
        return all;
    }

    private static String standard(String typed) throws CreateException {
        var fields = new LinkedHashMap<>(Map.of("protocol", "tcp", "published", "", "target", ""));
        for (var field : typed.split(",", -1)) {
            int equals = field.indexOf('=');
            if (equals <= 0) {
                throw new CreateException("invalid publish opts format (should be name=value but got '" + field + "')");
            }
            fields.put(field.substring(0, equals), field.substring(equals + 1));
        }
        return fields.get("published") + ":" + fields.get("target") + "/" + fields.get("protocol");
    }

    private void publish(String typed) throws CreateException {
        int last = typed.lastIndexOf(':');
        int middle = last < 0 ? -1 : typed.lastIndexOf(':', last - 1);
        String inside = typed.substring(last + 1);
        String outside = last < 0 ? "" : typed.substring(middle + 1, last);
        String host = middle < 0 ? "" : typed.substring(0, middle);
        String protocol = protocol(inside);
        inside = inside.indexOf('/') < 0 ? inside : inside.substring(0, inside.indexOf('/'));
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (!host.isEmpty() && !Checks.isAddress(host)) {
            throw new CreateException("invalid IP address: " + host);
        }
        if (inside.isEmpty()) {
            throw new CreateException("no port specified: " + typed + "<empty>");
        }
        Span in = span(inside, "invalid containerPort: " + inside);
        Span out = outside.isEmpty() ? new Span(0, 0) : span(outside, "invalid hostPort: " + outside);
        boolean dynamic = in.first == in.last && out.first != out.last;
        if (!outside.isEmpty() && in.last - in.first != out.last - out.first && !dynamic) {
            throw new CreateException("invalid ranges specified for container and host Ports: " + inside + " and " + outside);
        }
        if (!protocol.equals("tcp") && !protocol.equals("udp") && !protocol.equals("sctp")) {
            throw new CreateException("invalid proto: " + protocol);
        }
        for (int i = 0; i <= in.last - in.first; i++) {
            String port = in.first + i + "/" + protocol;
            String at = outside.isEmpty() ? "" : dynamic ? out.first + "-" + out.last : Integer.toString(out.first + i);
            exposed.put(port, Json.object().build());
            bindings.computeIfAbsent(port, key -> new ArrayList<>())
                    .add(Json.object().put("HostIp", host).put("HostPort", at).build());
        }
    }

    private static String protocol(String port) {
        int slash = port.indexOf('/');
        return slash < 0 || slash == port.length() - 1 ? "tcp" : port.substring(slash + 1).toLowerCase(Locale.ROOT);
    }

    private static Span span(String text, String trouble) throws CreateException {
        int dash = text.indexOf('-');
        int first = port(dash < 0 ? text : text.substring(0, dash), trouble);
        int last = dash < 0 ? first : port(text.substring(dash + 1), trouble);
        if (last < first) {
            throw new CreateException(trouble);
        }
        return new Span(first, last);
    }

    private static int port(String digits, String trouble) throws CreateException {
        boolean plain = !digits.isEmpty() && digits.length() <= 5 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!plain || Integer.parseInt(digits) > 65_535) {
            throw new CreateException(trouble);
        }
        return Integer.parseInt(digits);
    }
}
