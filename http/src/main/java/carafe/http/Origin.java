package carafe.http;

import java.util.Locale;

/// Who a client of the web talks to: scheme, host and port, and nothing less. What was given to one origin, such as
/// credentials, is for no other. Source: RFC 6454 §4.
public record Origin(boolean secure, String host, int port) {

    private static final int HTTP = 80;
    private static final int HTTPS = 443;

    /// The host in lower case, an IPv6 address without brackets.
    public Origin {
        host = host.toLowerCase(Locale.ROOT);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not an origin: " + host + ":" + port);
        }
        for (int i = 0; i < host.length(); i++) {
            if (host.charAt(i) <= ' ' || host.charAt(i) >= 0x7f || "/?#@[]\\".indexOf(host.charAt(i)) >= 0) {
                throw new IllegalArgumentException("not a host: " + host);
            }
        }
    }

    /// The origin at `hostPort` (`host`, `host:port`, `[ipv6]:port`); the scheme's own port when none is said.
    /// @throws IllegalArgumentException it is not of that form
    public static Origin parse(boolean secure, String hostPort) {
        int colon = hostPort.lastIndexOf(':');
        if (colon < hostPort.lastIndexOf(']') || colon < 0) {
            return new Origin(secure, hostPort, secure ? HTTPS : HTTP);
        }
        String digits = hostPort.substring(colon + 1);
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException("not a port: " + digits);
        }
        return new Origin(secure, hostPort.substring(0, colon), Integer.parseInt(digits));
    }

    /// Host and port as in a URL; the scheme's own port is left out, as servers that sign Host expect.
    public String hostPort() {
        String name = host.indexOf(':') < 0 ? host : "[" + host + "]";
        return port == (secure ? HTTPS : HTTP) ? name : name + ":" + port;
    }

    /// As in a URL: `https://host:port`.
    @Override
    public String toString() {
        return (secure ? "https://" : "http://") + hostPort();
    }
}
