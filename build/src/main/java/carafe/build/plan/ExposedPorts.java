package carafe.build.plan;

import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Reads what EXPOSE names: `80`, `80/udp`, `7000-7010/tcp`; an address or host port in front is warned of elsewhere
/// and left out.
final class ExposedPorts {

    private static final Pattern FORM = Pattern.compile("(?:.*:)?(\\d{1,5})(?:-(\\d{1,5}))?(?:/([A-Za-z]+))?");

    private ExposedPorts() {}

    static List<String> of(String text, Span span) throws DockerfileException {
        var matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new DockerfileException(span, "invalid containerPort: " + text + ": write it as 80, 80/udp or 7000-7010");
        }
        int first = Integer.parseInt(matcher.group(1));
        int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
        String protocol = matcher.group(3) == null ? "tcp" : matcher.group(3).toLowerCase(Locale.ROOT);
        if (first > 65535 || last > 65535 || last < first) {
            throw new DockerfileException(span, "invalid port range: " + text);
        }
        if (!List.of("tcp", "udp", "sctp").contains(protocol)) {
            throw new DockerfileException(span, "invalid proto: " + protocol + ": tcp, udp and sctp are known");
        }
        var ports = new ArrayList<String>();
        for (int port = first; port <= last; port++) {
            ports.add(port + "/" + protocol);
        }
        return ports;
    }
}
