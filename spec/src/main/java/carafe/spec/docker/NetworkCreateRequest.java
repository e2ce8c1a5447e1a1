package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The body of `POST /networks/create`. Ranges and addresses stay texts: whether they fit together is for whoever makes
/// the network.
public record NetworkCreateRequest(
        String name,
        String driver,
        Optional<Boolean> four,
        Optional<Boolean> six,
        Ipam ipam,
        Flags flags,
        Map<String, String> options,
        Map<String, String> labels) {

    private static final int MOST_POOLS = 64;

    /// Address management: its driver, options and ranges.
    public record Ipam(String driver, Map<String, String> options, List<Pool> pools) {
        public Ipam {
            options = Map.copyOf(options);
            pools = List.copyOf(pools);
        }
    }

    /// One range; `""` where nothing is asked for.
    public record Pool(String subnet, String range, String gateway, Map<String, String> auxiliary) {}

    /// What kind of network it is. `configOnly`: a configuration, of which others are made that name it as `configFrom`.
    /// `scope` is `""` where none is asked for.
    public record Flags(boolean internal, boolean attachable, boolean ingress, String scope, boolean configOnly,
            String configFrom) {}

    /// Reads and checks a request.
    public static NetworkCreateRequest parse(Json.Obj given) throws EngineException.Invalid {
        var ipam = given.object("IPAM");
        var pools = new ArrayList<Pool>();
        for (var pool : ipam.objects("Config")) {
            pools.add(new Pool(
                    pool.text("Subnet"), pool.text("IPRange"), pool.text("Gateway"),
                    pool.textMap(pool.find("AuxiliaryAddresses").isPresent() ? "AuxiliaryAddresses" : "AuxAddress")));
        }
        if (pools.size() > MOST_POOLS) {
            throw new EngineException.Invalid("a network of more than " + MOST_POOLS + " ranges");
        }
        String name = given.text("Name");
        if (name.isBlank()) {
            throw new EngineException.Invalid("invalid network name: name is empty");
        }
        if (name.length() > 255 || name.chars().anyMatch(c -> c <= ' ' || c == '/' || c == 127)) {
            throw new EngineException.Invalid("invalid network name: " + name.replaceAll("\\s", " "));
        }
        return new NetworkCreateRequest(
                name,
                given.text("Driver"),
                given.find("EnableIPv4").isEmpty() ? Optional.empty() : Optional.of(given.truth("EnableIPv4")),
                given.find("EnableIPv6").isEmpty() ? Optional.empty() : Optional.of(given.truth("EnableIPv6")),
                new Ipam(ipam.text("Driver"), ipam.textMap("Options"), pools),
                new Flags(given.truth("Internal"), given.truth("Attachable"), given.truth("Ingress"),
                        given.text("Scope"), given.truth("ConfigOnly"), given.object("ConfigFrom").text("Network")),
                given.textMap("Options"),
                given.textMap("Labels"));
    }
}
