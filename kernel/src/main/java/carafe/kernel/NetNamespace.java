package carafe.kernel;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// A network namespace that is kept alive by this descriptor, and a netlink socket inside it. Made by
/// [NamespaceThread]. Closing gives up both: the namespace goes with its links when no process is in it.
public record NetNamespace(Fd handle, Netlink netlink) implements AutoCloseable {

    /// The path by which this process opens the namespace again, valid while it is not closed.
    public String path() {
        return handle.path();
    }

    /// What is set below /proc/sys/net, by path (`ipv4/ip_forward`), in this order.
    public record Settings(Map<String, String> values) {
        public Settings {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
            for (String path : values.keySet()) {
                if (path.startsWith("/") || path.contains("..") || path.indexOf(0) >= 0) {
                    throw new IllegalArgumentException("not a setting: " + path);
                }
            }
        }
    }

    @Override
    public void close() {
        netlink.close();
        handle.close();
    }
}
