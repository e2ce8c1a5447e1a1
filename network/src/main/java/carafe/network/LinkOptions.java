package carafe.network;

import carafe.kernel.LinkEnd;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What the driver options of a network mean. [#check] refuses what means nothing before the network is made; reading a
/// network that was made never fails.
///
/// `mtu` 0 is the link's default. `peers` says whether containers of the network reach each other (icc), `masquerade`
/// whether they leave the host by its address, `leaveFour` and `leaveSix` by which if not by that of the link they leave
/// by, `bindAddress` where ports are published unless asked for otherwise, `trusted` by which links of the host others come
/// to a published port at the container's own address. `mode` is how macvlan or ipvlan share their parent, `flag` what
/// passes between links of ipvlan; empty where not given.
public record LinkOptions(
        int mtu,
        boolean peers,
        boolean masquerade,
        Optional<IpAddress> leaveFour,
        Optional<IpAddress> leaveSix,
        Optional<IpAddress> bindAddress,
        GatewayMode gatewayFour,
        GatewayMode gatewaySix,
        String interfacePrefix,
        String mode,
        String flag,
        List<String> trusted) {

    /// Copies the list.
    public LinkOptions {
        trusted = List.copyOf(trusted);
    }

    /// Docker's word for the bridge's link name.
    public static final String BRIDGE_NAME = "com.docker.network.bridge.name";
    /// Docker's word for the largest packet.
    public static final String MTU = "com.docker.network.driver.mtu";
    /// Docker's word for whether containers of a network reach each other.
    public static final String ICC = "com.docker.network.bridge.enable_icc";
    /// Docker's word for whether packets leave by the host's address.
    public static final String MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade";
    /// Docker's word for where ports are published.
    public static final String BIND = "com.docker.network.bridge.host_binding_ipv4";

    /// Docker's word for the host's address by which packets of IPv4 leave.
    static final String LEAVE_FOUR = "com.docker.network.host_ipv4";
    /// The same of IPv6.
    static final String LEAVE_SIX = "com.docker.network.host_ipv6";

    /// Docker's word for the host's links, with colons between them, behind which a container is reached directly.
    static final String TRUSTED = "com.docker.network.bridge.trusted_host_interfaces";

    /// Our word for those addresses of the network that a bridge of the host's had before, with commas between them: they
    /// are left to it when the network goes.
    static final String KEPT = "dev.carafe.bridge.kept_addresses";

    static final String PREFIX = "com.docker.network.container_iface_prefix";
    static final String INHIBIT = "com.docker.network.bridge.inhibit_ipv4";

    private static final String GATEWAY_FOUR = "com.docker.network.bridge.gateway_mode_ipv4";
    private static final String GATEWAY_SIX = "com.docker.network.bridge.gateway_mode_ipv6";
    private static final Set<String> YES = Set.of("1", "t", "true");
    private static final int MOST_DIGITS = 6;
    private static final int LEAST_MTU = 68;
    private static final int MOST_MTU = 65535;

    /// How packets pass the bridge of a network to and from outside.
    public enum GatewayMode {
        /// Translated, unpublished ports closed.
        NAT,
        /// Translated, unpublished ports open to who routes to them.
        NAT_UNPROTECTED,
        /// Not translated.
        ROUTED,
        /// The host itself has no address in the network; only internal networks may.
        ISOLATED;

        private static Optional<GatewayMode> of(String word) {
            return switch (word) {
                case "", "nat" -> Optional.of(NAT);
                case "nat-unprotected" -> Optional.of(NAT_UNPROTECTED);
                case "routed" -> Optional.of(ROUTED);
                case "isolated" -> Optional.of(ISOLATED);
                default -> Optional.empty();
            };
        }
    }

    /// Refuses options that cannot be meant.
    static void check(Map<String, String> options, boolean internal) throws EngineException.Invalid {
        String mtu = options.getOrDefault(MTU, "");
        if (!mtu.isEmpty() && (number(mtu) < LEAST_MTU || number(mtu) > MOST_MTU)) {
            throw new EngineException.Invalid("invalid MTU " + mtu + ": it must be between " + LEAST_MTU + " and " + MOST_MTU);
        }
        for (String key : new String[] {ICC, MASQUERADE, INHIBIT}) {
            String value = options.getOrDefault(key, "true").toLowerCase(Locale.ROOT);
            if (!value.matches("1|t|true|0|f|false")) {
                throw new EngineException.Invalid("invalid value for " + key + ": " + value);
            }
        }
        String bind = options.getOrDefault(BIND, "");
        if (!bind.isEmpty() && IpAddress.find(bind).isEmpty()) {
            throw new EngineException.Invalid("invalid value for " + BIND + ": " + bind);
        }
        for (String key : new String[] {LEAVE_FOUR, LEAVE_SIX}) {
            String value = options.getOrDefault(key, "");
            var address = IpAddress.find(value);
            if (!value.isEmpty() && address.map(found -> found.six() != key.equals(LEAVE_SIX)).orElse(true)) {
                throw new EngineException.Invalid("invalid value for " + key + ": " + value + " (an address of the host of IPv"
                        + (key.equals(LEAVE_SIX) ? "6" : "4") + " is meant)");
            }
        }
        for (String key : new String[] {GATEWAY_FOUR, GATEWAY_SIX}) {
            var mode = GatewayMode.of(options.getOrDefault(key, ""));
            if (mode.isEmpty()) {
                throw new EngineException.Invalid("unknown gateway mode " + options.get(key));
            }
            if (mode.get() == GatewayMode.ISOLATED && !internal) {
                throw new EngineException.Invalid("gateway mode 'isolated' can only be used for an internal network");
            }
        }
        for (String link : links(options)) {
            if (!LinkEnd.isName(link)) {
                throw new EngineException.Invalid("invalid value for " + TRUSTED + ": " + link
                        + " is no name of a link (links of the host with colons between them are meant: eth3:vxlan.1)");
            }
        }
        String prefix = options.getOrDefault(PREFIX, "eth");
        if (!prefix.matches("[a-zA-Z][a-zA-Z0-9_-]{0,10}")) {
            throw new EngineException.Invalid("invalid interface prefix: " + prefix);
        }
    }

    static LinkOptions of(Network network) {
        var options = network.options();
        return new LinkOptions(
                Math.max(0, number(options.getOrDefault(MTU, "0"))),
                truth(options, ICC),
                truth(options, MASQUERADE),
                IpAddress.find(options.getOrDefault(LEAVE_FOUR, "")),
                IpAddress.find(options.getOrDefault(LEAVE_SIX, "")),
                IpAddress.find(options.getOrDefault(BIND, "")),
                GatewayMode.of(options.getOrDefault(GATEWAY_FOUR, "")).orElse(GatewayMode.NAT),
                GatewayMode.of(options.getOrDefault(GATEWAY_SIX, "")).orElse(GatewayMode.NAT),
                options.getOrDefault(PREFIX, "eth"),
                options.getOrDefault(network.driver() == Driver.MACVLAN ? "macvlan_mode" : "ipvlan_mode", ""),
                options.getOrDefault("ipvlan_flag", ""),
                links(options));
    }

    private static List<String> links(Map<String, String> options) {
        String links = options.getOrDefault(TRUSTED, "");
        return links.isEmpty() ? List.of() : Stream.of(links.split(":")).filter(link -> !link.isEmpty()).toList();
    }

    private static boolean truth(Map<String, String> options, String key) {
        return isTrue(options.getOrDefault(key, "true"));
    }

    /// Whether the value of an option that [#check] lets pass means yes.
    static boolean isTrue(String value) {
        return YES.contains(value.toLowerCase(Locale.ROOT));
    }

    private static int number(String text) {
        boolean digits = !text.isEmpty() && text.length() <= MOST_DIGITS && text.chars().allMatch(c -> c >= '0' && c <= '9');
        return digits ? Integer.parseInt(text) : -1;
    }
}
