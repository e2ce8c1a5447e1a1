package carafe.network;

import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a container wants of one network: addresses where they matter to it, names it is found by (`names`: its own, its
/// short id and its aliases), the place of this network among those that offer a default route (the higher wins), and
/// settings of its interface.
public record Joining(
        Network network,
        Wanted wanted,
        List<String> names,
        long gatewayPriority,
        Map<String, String> driverOptions) {

    /// Addresses that are not to be chosen; `interfaceName` is empty unless wanted.
    public record Wanted(
            Optional<IpAddress> four,
            Optional<IpAddress> six,
            List<IpAddress> linkLocal,
            Optional<MacAddress> mac,
            String interfaceName) {
        /// Whatever comes.
        public static final Wanted ANYTHING =
                new Wanted(Optional.empty(), Optional.empty(), List.of(), Optional.empty(), "");
    }

    public Joining {
        names = List.copyOf(names);
        driverOptions = Map.copyOf(driverOptions);
    }
}
