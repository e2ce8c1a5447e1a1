package carafe.network;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// A range of addresses of a network. Containers get theirs from `allocation` where it is given, else from all of
/// `range`; `gateway` is the bridge's own address (of macvlan: somebody else's); `auxiliary` addresses belong to others,
/// by name, and are never given out.
public record Subnet(
        Cidr range, Optional<IpAddress> gateway, Optional<Cidr> allocation, Map<String, IpAddress> auxiliary) {

    public Subnet {
        auxiliary = Collections.unmodifiableMap(new LinkedHashMap<>(auxiliary));
        boolean inside = gateway.map(range::contains).orElse(true)
                && allocation.map(range::contains).orElse(true)
                && auxiliary.values().stream().allMatch(range::contains);
        if (!inside) {
            throw new IllegalArgumentException("not inside " + range + ": " + gateway + allocation + auxiliary);
        }
    }

    public boolean six() {
        return range.six();
    }

    /// Docker's names of the auxiliary address by which containers of a bridge leave, if not by the bridge's own.
    static String gatewayName(boolean six) {
        return six ? "DefaultGatewayIPv6" : "DefaultGatewayIPv4";
    }

    /// By which address containers of a bridge reach everything else.
    Optional<IpAddress> wayOut() {
        return Optional.ofNullable(auxiliary.get(gatewayName(six()))).or(() -> gateway);
    }
}
