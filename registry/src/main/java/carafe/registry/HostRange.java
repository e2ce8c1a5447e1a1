package carafe.registry;

import java.net.InetAddress;
import java.net.UnknownHostException;

/// Compares hosts with addresses and networks, without asking a name server.
final class HostRange {

    private HostRange() {}

    /// Whether `host` is this machine by name or address.
    static boolean isLoopback(String host) {
        return host.equals("localhost") || host.endsWith(".localhost") || covers("127.0.0.0/8", host)
                || covers("::1/128", host);
    }

    /// Whether `host` is an address in `range`, an address or a network in CIDR form; false for names.
    static boolean covers(String range, String host) {
        int slash = range.indexOf('/');
        byte[] net = address(slash < 0 ? range : range.substring(0, slash));
        byte[] own = address(host);
        if (net.length == 0 || net.length != own.length) {
            return false;
        }
        int bits = 8 * net.length;
        if (slash >= 0) {
            try {
                bits = Integer.parseInt(range.substring(slash + 1));
            } catch (NumberFormatException e) {
                return false;
            }
        }
        if (bits < 0 || bits > 8 * net.length) {
            return false;
        }
        for (int i = 0; i < bits; i++) {
            int mask = 0x80 >> (i % 8);
            if ((net[i / 8] & mask) != (own[i / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    /// The bytes of an address; none for a name.
    private static byte[] address(String text) {
        boolean literal = text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}") || text.matches("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
        try {
            return literal ? InetAddress.getByName(text).getAddress() : new byte[0];
        } catch (UnknownHostException e) {
            return new byte[0];
        }
    }
}
