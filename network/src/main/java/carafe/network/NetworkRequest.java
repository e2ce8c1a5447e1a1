package carafe.network;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What somebody wants of a new network; [Fabric#plan] decides the rest. `four` and `six` are absent where the engine's
/// default is meant; `pools` may be empty, then ranges are chosen.
public record NetworkRequest(
        String name,
        Driver driver,
        Optional<Boolean> four,
        Optional<Boolean> six,
        Pools pools,
        Network.Reach reach,
        Map<String, String> options,
        Map<String, String> labels) {

    /// The ranges asked for; `driver` and `options` of address management are echoed only.
    public record Pools(String driver, Map<String, String> options, List<Pool> pools) {
        public Pools {
            pools = List.copyOf(pools);
        }
    }

    /// One range as Docker's `IPAMConfig` writes it; empty texts where nothing is wanted.
    public record Pool(String subnet, String allocation, String gateway, Map<String, String> auxiliary) {}

    public NetworkRequest {
        options = new LinkedHashMap<>(options);
        labels = new LinkedHashMap<>(labels);
    }
}
