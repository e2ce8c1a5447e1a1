package carafe.cli.create;

import carafe.cli.flag.FlagException;
import carafe.cli.flag.Flags;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `--network`, in its short form (a name) and its long one (`name=n,alias=a,ip=…`), with the flags that describe the
/// first network.
final class NetworkOption {

    private String name = "";
    private final List<String> aliases = new ArrayList<>();
    private final List<String> linkLocal = new ArrayList<>();
    private final List<String> links = new ArrayList<>();
    private final Map<String, String> driverOptions = new LinkedHashMap<>();
    private String four = "";
    private String six = "";
    private String mac = "";
    private long priority;

    private NetworkOption() {}

    /// Refuses what is no network; the text stays as it is.
    static String checked(String typed) throws FlagException {
        try {
            read(typed);
            return typed;
        } catch (CreateException e) {
            throw new FlagException(String.valueOf(e.getMessage()));
        }
    }

    private static NetworkOption read(String typed) throws CreateException {
        var network = new NetworkOption();
        if (typed.indexOf('=') < 0) {
            network.name = typed;
            return network;
        }
        for (var field : Csv.fields(typed)) {
            int equals = field.indexOf('=');
            String key = equals < 0 ? "" : field.substring(0, equals).strip().toLowerCase(Locale.ROOT);
            String value = field.substring(equals + 1).strip();
            switch (key) {
                case "" -> throw new CreateException("invalid field " + field);
                case "name" -> network.name = value;
                case "alias" -> network.aliases.add(value);
                case "ip" -> network.four = value;
                case "ip6" -> network.six = value;
                case "mac-address" -> network.mac = mac(value);
                case "link-local-ip" -> network.linkLocal.add(value);
                case "driver-opt" -> {
                    int cut = value.indexOf('=');
                    if (cut < 0) {
                        throw new CreateException("invalid key value pair format in driver options");
                    }
                    network.driverOptions.put(value.substring(0, cut).strip().toLowerCase(Locale.ROOT),
                            value.substring(cut + 1).strip());
                }
                case "gw-priority" -> {
                    try {
                        network.priority = Long.parseLong(value);
                    } catch (NumberFormatException e) {
                        throw new CreateException("invalid gw-priority: " + value);
                    }
                }
                default -> throw new CreateException("invalid field key " + key);
            }
        }
        if (network.name.isEmpty()) {
            throw new CreateException("network name/id is not specified");
        }
        return network;
    }

    /// All networks of a container, the first carrying what the single flags say; never empty.
    static List<NetworkOption> all(Flags flags) throws CreateException {
        var networks = new ArrayList<NetworkOption>();
        for (var typed : flags.list("network")) {
            networks.add(read(typed));
        }
        if (networks.isEmpty()) {
            networks.add(read("default"));
        }
        networks.getFirst().take(flags);
        boolean user = false;
        boolean builtIn = false;
        for (int i = 0; i < networks.size(); i++) {
            var network = networks.get(i);
            user |= network.isUserDefined();
            builtIn |= !network.isUserDefined();
            for (var other : networks.subList(0, i)) {
                if (other.name.equals(network.name)) {
                    throw new CreateException("network \"" + network.name + "\" is specified multiple times");
                }
            }
        }
        if (user && builtIn) {
            throw new CreateException(
                    "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
        }
        return networks;
    }

    private void take(Flags flags) throws CreateException {
        var given = flags.list("network-alias");
        conflict(!aliases.isEmpty() && !given.isEmpty(), "--network-alias and per-network alias");
        conflict(!four.isEmpty() && flags.given("ip"), "--ip and per-network IPv4 address");
        conflict(!six.isEmpty() && flags.given("ip6"), "--ip6 and per-network IPv6 address");
        conflict(!mac.isEmpty() && flags.given("mac-address"), "--mac-address and per-network MAC address");
        conflict(!linkLocal.isEmpty() && !flags.list("link-local-ip").isEmpty(),
                "--link-local-ip and per-network link-local IP addresses");
        if (!given.isEmpty() && !isUserDefined()) {
            throw new CreateException("network-scoped aliases are only supported for user-defined networks");
        }
        aliases.addAll(given);
        four = flags.text("ip").isEmpty() ? four : flags.text("ip");
        six = flags.text("ip6").isEmpty() ? six : flags.text("ip6");
        mac = flags.text("mac-address").isEmpty() ? mac : mac(flags.text("mac-address"));
        linkLocal.addAll(flags.list("link-local-ip"));
        if (isUserDefined()) {
            links.addAll(flags.list("link"));
        }
    }

    private static void conflict(boolean both, String which) throws CreateException {
        if (both) {
            throw new CreateException("conflicting options: cannot specify both " + which);
        }
    }

    private static String mac(String typed) throws CreateException {
        String address = typed.strip();
        var octets = address.split(address.indexOf('-') >= 0 ? "-" : ":", -1);
        boolean plain = octets.length == 6 || octets.length == 8;
        for (var octet : octets) {
            plain &= octet.length() == 2 && Character.digit(octet.charAt(0), 16) >= 0
                    && Character.digit(octet.charAt(1), 16) >= 0;
        }
        if (!plain) {
            throw new CreateException(address + " is not a valid mac address");
        }
        return address;
    }

    String name() {
        return name;
    }

    private boolean isUserDefined() {
        return switch (name) {
            case "default", "bridge", "host", "none" -> false;
            default -> !name.startsWith("container:");
        };
    }

    /// An element of NetworkingConfig.EndpointsConfig; empty when there is nothing to say.
    Json.Obj endpoint() {
        var endpoint = Json.object();
        var ipam = Json.object();
        if (!four.isEmpty()) {
            ipam.put("IPv4Address", four);
        }
        if (!six.isEmpty()) {
            ipam.put("IPv6Address", six);
        }
        if (!linkLocal.isEmpty()) {
            ipam.put("LinkLocalIPs", Json.ofTexts(linkLocal));
        }
        var config = ipam.build();
        if (!config.fields().isEmpty()) {
            endpoint.put("IPAMConfig", config);
        }
        if (!links.isEmpty()) {
            endpoint.put("Links", Json.ofTexts(links));
        }
        if (!aliases.isEmpty()) {
            endpoint.put("Aliases", Json.ofTexts(aliases));
        }
        if (!mac.isEmpty()) {
            endpoint.put("MacAddress", mac);
        }
        if (!driverOptions.isEmpty()) {
            endpoint.put("DriverOpts", Json.ofMap(driverOptions));
        }
        if (priority != 0) {
            endpoint.put("GwPriority", priority);
        }
        return endpoint.build();
    }
}
