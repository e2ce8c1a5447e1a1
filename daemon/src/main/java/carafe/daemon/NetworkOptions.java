package carafe.daemon;

import carafe.engine.NameDefaults;
import carafe.engine.NetworkDefaults;
import carafe.network.FabricConfig;
import carafe.network.FabricConfig.PoolRule;
import carafe.network.port.PacketMark;
import carafe.spec.EngineException.Invalid;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/// What flags and configuration file say about networks, checked.
final class NetworkOptions {

    private static final Pattern DOMAIN = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\\.?");
    private static final int LEAST_MTU = 68;
    private static final int MOST_MTU = 65535;

    private NetworkOptions() {}

    /// `given` answers the values of an option; none when it was not given.
    static DaemonConfig.Networking read(Function<Option, List<String>> given) throws Invalid {
        var usual = FabricConfig.DefaultBridge.USUAL;
        var bridge = one(given, Option.BRIDGE);
        var bip = one(given, Option.BIP);
        if (bridge.isPresent() && bip.isPresent()) {
            throw new Invalid("you specified -b & --bip, mutually exclusive options. Please specify only one");
        }
        var wanted = new FabricConfig.DefaultBridge(
                !bridge.equals(Optional.of("none")),
                bridge.filter(name -> !name.equals("none")),
                bip.isEmpty() ? Optional.empty() : Optional.of(Cidr.parseHost(bip.get())),
                range(given, Option.FIXED_CIDR),
                truth(given, Option.IPV6, false),
                bipSix(given, bridge),
                range(given, Option.FIXED_CIDR_SIX),
                mtu(one(given, Option.MTU), usual.mtu()),
                truth(given, Option.ICC, usual.peers()),
                truth(given, Option.IP_MASQ, usual.masquerade()),
                address(one(given, Option.IP)),
                new FabricConfig.DefaultBridge.Gateways(
                        gateway(given, Option.GATEWAY, false), gateway(given, Option.GATEWAY_SIX, true)));
        var pools = new ArrayList<PoolRule>();
        for (String text : given.apply(Option.ADDRESS_POOL)) {
            pools.add(pool(text));
        }
        return new DaemonConfig.Networking(
                wanted, pools.isEmpty() ? FabricConfig.usualPools() : pools, truth(given, Option.IP_FORWARD, true),
                truth(given, Option.DIRECT_ROUTING, false), trusted(given), names(given), defaults(given));
    }

    private static Optional<PacketMark> trusted(Function<Option, List<String>> given) throws Invalid {
        var text = one(given, Option.ACCEPT_MARK);
        try {
            return text.map(PacketMark::parse);
        } catch (IllegalArgumentException e) {
            throw new Invalid("invalid bridge-accept-fwmark: " + e.getMessage());
        }
    }

    private static Optional<Cidr.Host> bipSix(Function<Option, List<String>> given, Optional<String> bridge) throws Invalid {
        var text = one(given, Option.BIP_SIX);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (bridge.isPresent()) {
            throw new Invalid("you specified -b & --bip6, mutually exclusive options. Please specify only one");
        }
        var address = Cidr.parseHost(text.get());
        if (!address.address().six()) {
            throw new Invalid("invalid bip6 " + text.get() + ": an IPv6 address with its range is meant, as fd00:17::1/64");
        }
        return Optional.of(address);
    }

    /// Reads elements of the form `bridge=com.docker.network.driver.mtu=1400`.
    private static NetworkDefaults defaults(Function<Option, List<String>> given) throws Invalid {
        var options = new LinkedHashMap<String, Map<String, String>>();
        for (String text : given.apply(Option.NETWORK_OPTION)) {
            var parts = text.split("=", 3);
            if (parts.length < 3 || parts[0].isEmpty() || parts[1].isEmpty()) {
                throw new Invalid("invalid default network option \"" + text + "\": DRIVER=OPTION=VALUE is meant, as"
                        + " bridge=com.docker.network.driver.mtu=1400");
            }
            options.computeIfAbsent(parts[0], _ -> new LinkedHashMap<>()).put(parts[1], parts[2]);
        }
        return new NetworkDefaults(options);
    }

    private static NameDefaults names(Function<Option, List<String>> given) throws Invalid {
        var servers = new ArrayList<IpAddress>();
        for (String text : given.apply(Option.DNS)) {
            servers.add(IpAddress.find(text.strip()).orElseThrow(() -> new Invalid(text + " is not an ip address")));
        }
        for (String domain : given.apply(Option.DNS_SEARCH)) {
            if (!domain.equals(".") && !DOMAIN.matcher(domain).matches()) {
                throw new Invalid(domain + " is not a valid domain");
            }
        }
        for (String option : given.apply(Option.DNS_OPTION)) {
            if (option.isBlank() || option.chars().anyMatch(c -> c <= ' ')) {
                throw new Invalid("invalid option of the resolver: \"" + option + "\"");
            }
        }
        var gateways = new ArrayList<IpAddress>();
        for (var option : List.of(Option.HOST_GATEWAY, Option.OLD_HOST_GATEWAY)) {
            for (String text : given.apply(option)) {
                if (!text.isEmpty()) {
                    gateways.add(IpAddress.parse(text));
                }
            }
        }
        if (gateways.stream().filter(IpAddress::six).count() > 1 || gateways.stream().filter(a -> !a.six()).count() > 1) {
            throw new Invalid("only one IPv4 and one IPv6 host gateway IP address can be specified");
        }
        return new NameDefaults(servers, given.apply(Option.DNS_OPTION), given.apply(Option.DNS_SEARCH), gateways);
    }

    private static Optional<String> one(Function<Option, List<String>> given, Option option) {
        var values = given.apply(option);
        return values.isEmpty() || values.getLast().isEmpty() ? Optional.empty() : Optional.of(values.getLast());
    }

    private static boolean truth(Function<Option, List<String>> given, Option option, boolean otherwise) {
        return one(given, option).map(Boolean::parseBoolean).orElse(otherwise);
    }

    private static Optional<Cidr> range(Function<Option, List<String>> given, Option option) throws Invalid {
        var text = one(given, option);
        return text.isEmpty() ? Optional.empty() : Optional.of(Cidr.parse(text.get()));
    }

    private static Optional<IpAddress> address(Optional<String> text) throws Invalid {
        return text.isEmpty() ? Optional.empty() : Optional.of(IpAddress.parse(text.get()));
    }

    private static Optional<IpAddress> gateway(Function<Option, List<String>> given, Option option, boolean six)
            throws Invalid {
        var found = address(one(given, option));
        if (found.isPresent() && found.get().six() != six) {
            throw new Invalid("invalid " + option.flag + " " + found.get() + ": an IPv" + (six ? 6 : 4)
                    + " address is meant");
        }
        return found;
    }

    private static int mtu(Optional<String> text, int otherwise) throws Invalid {
        if (text.isEmpty() || text.get().equals("0")) {
            return otherwise;
        }
        boolean number = text.get().matches("[0-9]{1,5}");
        int mtu = number ? Integer.parseInt(text.get()) : 0;
        if (mtu < LEAST_MTU || mtu > MOST_MTU) {
            throw new Invalid("invalid MTU " + text.get() + ": it must be between " + LEAST_MTU + " and " + MOST_MTU);
        }
        return mtu;
    }

    /// Reads `base=10.10.0.0/16,size=24`.
    private static PoolRule pool(String text) throws Invalid {
        String base = "";
        String size = "";
        for (String part : text.split(",")) {
            int equals = part.indexOf('=');
            switch (part.substring(0, Math.max(0, equals))) {
                case "base" -> base = part.substring(equals + 1);
                case "size" -> size = part.substring(equals + 1);
                default -> throw new Invalid("invalid default address pool \"" + text + "\": base=RANGE,size=BITS is meant");
            }
        }
        var range = Cidr.parse(base);
        if (!size.matches("[0-9]{1,3}") || Integer.parseInt(size) < range.prefix()
                || Integer.parseInt(size) > range.base().bits()) {
            throw new Invalid("invalid default address pool \"" + text + "\": networks of /" + size + " do not fit into "
                    + range);
        }
        return new PoolRule(range, Integer.parseInt(size));
    }
}
