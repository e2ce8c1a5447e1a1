package carafe.cli.format;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;

/// The ports of a container in one line, neighbours drawn together: `0.0.0.0:8000-8002->8000-8002/tcp, 53/udp`.
final class Ports {

    private record Port(int inside, int outside, String host, String protocol) {}

    private record Span(int first, int last) {}

    private Ports() {}

    static String displayed(List<Json.Obj> listed) throws EngineException.Invalid {
        if (listed.isEmpty()) {
            return "";
        }
        var ports = new ArrayList<Port>();
        for (var port : listed) {
            ports.add(new Port((int) port.number("PrivatePort", 0), (int) port.number("PublicPort", 0),
                    port.text("IP"), port.text("Type")));
        }
        ports.sort(Comparator.comparingInt(Port::inside).thenComparing(Port::host)
                .thenComparingInt(Port::outside).thenComparing(Port::protocol));
        var spans = new LinkedHashMap<String, Span>();
        var shown = new ArrayList<String>();
        var mapped = new ArrayList<String>();
        for (var port : ports) {
            if (!port.host.isEmpty() && port.inside != port.outside) {
                mapped.add(address(port.host, Integer.toString(port.outside)) + "->" + port.inside + "/" + port.protocol);
                continue;
            }
            String key = port.host.isEmpty() ? port.protocol : port.host + "/" + port.protocol;
            Span span = spans.get(key);
            int first = port.inside;
            if (span != null && port.inside == span.last + 1) {
                first = span.first;
            } else if (span != null) {
                shown.add(span(key, span));
            }
            spans.put(key, new Span(first, port.inside));
        }
        spans.forEach((key, span) -> shown.add(span(key, span)));
        shown.addAll(mapped);
        return String.join(", ", shown);
    }

    private static String span(String key, Span span) {
        int slash = key.indexOf('/');
        String range = span.first == span.last ? Integer.toString(span.first) : span.first + "-" + span.last;
        return slash < 0 ? range + "/" + key
                : address(key.substring(0, slash), range) + "->" + range + "/" + key.substring(slash + 1);
    }

    /// Host and port, an IPv6 address in brackets.
    static String address(String host, String port) {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
