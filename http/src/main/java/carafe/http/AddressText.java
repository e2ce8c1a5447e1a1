package carafe.http;

import java.nio.file.Path;
import java.util.Optional;

/// Reads what users write behind `-H`.
final class AddressText {

    private static final int PLAIN_PORT = 2375;
    private static final int TLS_PORT = 2376;

    private AddressText() {}

    static Address parse(String text, Optional<TlsFiles> tls) {
        String address = text.strip();
        int mark = address.indexOf("://");
        String scheme = mark < 0 ? "tcp" : address.substring(0, mark);
        String rest = mark < 0 ? address : address.substring(mark + 3);
        return switch (scheme) {
            case "unix" -> {
                if (rest.isEmpty()) {
                    throw new IllegalArgumentException("invalid host \"" + text + "\": unix:// needs a path");
                }
                yield new Address.Unix(Path.of(rest).toAbsolutePath());
            }
            case "tcp", "http", "https" -> tcp(text, rest, tls);
            default -> throw new IllegalArgumentException("invalid host \"" + text + "\": " + scheme
                    + ":// is not supported; use unix:///path or tcp://host:port");
        };
    }

    private static Address tcp(String text, String rest, Optional<TlsFiles> tls) {
        int slash = rest.indexOf('/');
        if (slash >= 0 && slash < rest.length() - 1) {
            throw new IllegalArgumentException(
                    "invalid host \"" + text + "\": a path behind the port is not supported");
        }
        String hostPort = slash < 0 ? rest : rest.substring(0, slash);
        int bracket = hostPort.lastIndexOf(']');
        int colon = hostPort.lastIndexOf(':');
        boolean hasPort = colon > bracket;
        String host = hasPort ? hostPort.substring(0, colon) : hostPort;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = tls.isPresent() ? TLS_PORT : PLAIN_PORT;
        if (hasPort) {
            String digits = hostPort.substring(colon + 1);
            if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')
                    || Integer.parseInt(digits) > 65_535) {
                throw new IllegalArgumentException("invalid host \"" + text + "\": not a port: " + digits);
            }
            port = Integer.parseInt(digits);
        }
        return new Address.Tcp(host.isEmpty() ? "127.0.0.1" : host, port, tls);
    }
}
