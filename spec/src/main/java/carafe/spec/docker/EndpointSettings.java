package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a client wants of a container's place in one network: addresses, names, interface. `document` is the message as
/// it was sent, which inspect echoes in part.
public record EndpointSettings(
        Json.Obj document,
        Optional<IpAddress> four,
        Optional<IpAddress> six,
        List<IpAddress> linkLocal,
        Optional<MacAddress> mac,
        List<String> aliases,
        List<String> links,
        Map<String, String> driverOptions,
        long gatewayPriority) {

    /// Docker's word for an interface's name among the driver options.
    public static final String INTERFACE_NAME = "com.docker.network.endpoint.ifname";

    private static final int MOST_NAMES = 1000;

    public EndpointSettings {
        linkLocal = List.copyOf(linkLocal);
        aliases = List.copyOf(aliases);
        links = List.copyOf(links);
        driverOptions = Map.copyOf(driverOptions);
    }

    /// Reads and checks an element of `EndpointsConfig`, or the `EndpointConfig` of a connect request.
    public static EndpointSettings parse(Json.Obj given) throws EngineException.Invalid {
        var ipam = given.object("IPAMConfig");
        var linkLocal = new ArrayList<IpAddress>();
        for (String text : ipam.texts("LinkLocalIPs")) {
            linkLocal.add(IpAddress.find(text).orElseThrow(
                    () -> invalid("invalid link-local IP address: " + text)));
        }
        String mac = given.text("MacAddress");
        var aliases = given.texts("Aliases");
        for (String alias : aliases) {
            if (alias.isEmpty() || alias.length() > 253 || alias.chars().anyMatch(c -> c <= ' ')) {
                throw new EngineException.Invalid("invalid network alias: " + alias.replace('\n', ' '));
            }
        }
        if (aliases.size() > MOST_NAMES || linkLocal.size() > MOST_NAMES) {
            throw new EngineException.Invalid("more than " + MOST_NAMES + " names or addresses of one endpoint");
        }
        var options = given.textMap("DriverOpts");
        String name = options.getOrDefault(INTERFACE_NAME, "");
        if (!name.isEmpty() && (!name.matches("[a-zA-Z0-9_.-]{1,15}") || name.equals("lo") || name.matches("\\.+"))) {
            throw new EngineException.Invalid("invalid interface name: " + name);
        }
        return new EndpointSettings(
                given,
                address(ipam.text("IPv4Address"), false),
                address(ipam.text("IPv6Address"), true),
                linkLocal,
                mac.isEmpty() ? Optional.empty() : Optional.of(MacAddress.parse(mac)),
                aliases,
                given.texts("Links"),
                options,
                given.number("GwPriority", 0));
    }

    private static Optional<IpAddress> address(String text, boolean six) throws EngineException.Invalid {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var address = IpAddress.find(text);
        if (address.isEmpty() || address.get().six() != six) {
            throw invalid("invalid IPv" + (six ? 6 : 4) + " address: " + text);
        }
        return address;
    }

    private static EngineException.Invalid invalid(String detail) {
        return new EngineException.Invalid("invalid endpoint settings:\n" + detail);
    }

    /// Whether the client wants an address of its choice.
    public boolean wantsAddress() {
        return four.isPresent() || six.isPresent();
    }

    /// What the client asked for, without what only an engine says.
    public Json.Obj json() {
        var json = new LinkedHashMap<>(document.fields());
        json.keySet().removeIf(key -> List.of("NetworkID", "EndpointID", "Gateway", "IPAddress", "IPPrefixLen",
                "IPv6Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "DNSNames").contains(key));
        return new Json.Obj(json);
    }
}
