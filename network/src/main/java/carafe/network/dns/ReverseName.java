package carafe.network.dns;

import carafe.spec.network.IpAddress;
import java.util.Optional;

/// Addresses as names: `2.0.18.172.in-addr.arpa`, and digit by digit below `ip6.arpa`. Source: RFC 1035, 3.5; RFC 3596.
final class ReverseName {

    private static final String FOUR = ".in-addr.arpa";
    private static final String SIX = ".ip6.arpa";

    private ReverseName() {}

    /// The address that `name` stands for, if it is such a name and whole.
    static Optional<IpAddress> address(String name) {
        if (name.endsWith(FOUR)) {
            return four(name.substring(0, name.length() - FOUR.length()).split("\\.", -1));
        }
        return name.endsWith(SIX)
                ? six(name.substring(0, name.length() - SIX.length()).split("\\.", -1))
                : Optional.empty();
    }

    private static Optional<IpAddress> four(String[] labels) {
        if (labels.length != 4) {
            return Optional.empty();
        }
        byte[] bytes = new byte[4];
        for (int i = 0; i < 4; i++) {
            if (!labels[i].matches("[0-9]{1,3}") || Integer.parseInt(labels[i]) > 255) {
                return Optional.empty();
            }
            bytes[3 - i] = (byte) Integer.parseInt(labels[i]);
        }
        return Optional.of(IpAddress.of(bytes));
    }

    private static Optional<IpAddress> six(String[] labels) {
        if (labels.length != 32) {
            return Optional.empty();
        }
        byte[] bytes = new byte[16];
        for (int i = 0; i < 32; i++) {
            if (!labels[i].matches("[0-9a-f]")) {
                return Optional.empty();
            }
            bytes[15 - i / 2] |= (byte) (Integer.parseInt(labels[i], 16) << (i % 2 == 0 ? 0 : 4));
        }
        return Optional.of(IpAddress.of(bytes));
    }
}
