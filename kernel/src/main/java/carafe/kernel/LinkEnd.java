package carafe.kernel;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One link to be made: its name, hardware address (the kernel's choice where absent), largest packet (0: the kind's
/// own), the namespace it is born in (absent: that of the socket) and the bridge it becomes a port of (0: none).
public record LinkEnd(
        String name,
        Optional<byte[]> mac,
        int mtu,
        Optional<Fd> namespace,
        int master,
        boolean up) {

    private static final int NAME_BYTES = 15;

    public LinkEnd {
        if (!isName(name)) {
            throw new IllegalArgumentException("not a link's name: " + name);
        }
    }

    /// A link that is down, with nothing but its name.
    public static LinkEnd named(String name) {
        return new LinkEnd(name, Optional.empty(), 0, Optional.empty(), 0, false);
    }

    /// Whether the kernel takes `name` for a link.
    public static boolean isName(@Nullable String name) {
        return name != null && !name.isEmpty() && name.length() <= NAME_BYTES && !name.equals(".") && !name.equals("..")
                && name.chars().allMatch(c -> c > ' ' && c < 127 && c != '/' && c != ':' && c != '%');
    }

    /// This with a hardware address.
    public LinkEnd mac(byte[] address) {
        return new LinkEnd(name, Optional.of(address.clone()), mtu, namespace, master, up);
    }

    /// This with a largest packet.
    public LinkEnd mtu(int bytes) {
        return new LinkEnd(name, mac, bytes, namespace, master, up);
    }

    /// This, born in another namespace; the descriptor is borrowed until the request was performed.
    public LinkEnd in(Fd other) {
        return new LinkEnd(name, mac, mtu, Optional.of(other), master, up);
    }

    /// This as a port of the bridge with that index.
    public LinkEnd portOf(int bridge) {
        return new LinkEnd(name, mac, mtu, namespace, bridge, up);
    }

    /// This, up at once.
    public LinkEnd raised() {
        return new LinkEnd(name, mac, mtu, namespace, master, true);
    }
}
