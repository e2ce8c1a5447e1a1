package carafe.network.port;

import carafe.kernel.NftElement;
import carafe.kernel.NftSet;
import carafe.kernel.NftType;
import carafe.kernel.NftValue;
import carafe.network.Firewall.BridgeRules;
import carafe.network.LinkOptions.GatewayMode;
import carafe.spec.network.IpAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// What a network or a published port is in the table: a pure function to elements of its sets.
final class Elements {

    private Elements() {}

    /// An element and the set it is of.
    record Member(NftSet set, NftElement element) {}

    /// Where a binding leads: the container's address, whether its network is routed, so that nothing is translated, and who
    /// else comes to that address itself.
    record Target(PortBinding binding, IpAddress address, boolean routed, Direct direct) {}

    /// Who comes to a published port at the container's own address: those behind some links of the host, or everybody who
    /// has a route to it.
    record Direct(boolean everybody, List<String> links) {
        static final Direct NOBODY = new Direct(false, List.of());

        Direct {
            links = List.copyOf(links);
        }
    }

    /// The elements of a bridge.
    static Set<Member> of(BridgeRules rules) {
        var members = new LinkedHashSet<Member>();
        String link = rules.link();
        put(members, Ruleset.BRIDGES, name(link));
        put(members, Ruleset.SAME, name(link), name(link));
        for (var range : rules.ranges()) {
            members.add(new Member(Ruleset.Sets.of(range.six()).own, new NftElement(
                    List.of(name(link), address(range.base())), List.of(), List.of(name(link), address(range.last())))));
        }
        if (rules.options().peers()) {
            put(members, Ruleset.PEERS, name(link), name(link));
        }
        if (rules.internal()) {
            put(members, Ruleset.INTERNAL, name(link));
            return members;
        }
        for (boolean six : new boolean[] {false, true}) {
            var mode = six ? rules.options().gatewaySix() : rules.options().gatewayFour();
            boolean translated = mode == GatewayMode.NAT || mode == GatewayMode.NAT_UNPROTECTED;
            if (translated && rules.options().masquerade() && rules.ranges().stream().anyMatch(r -> r.six() == six)) {
                var sets = Ruleset.Sets.of(six);
                var leave = six ? rules.options().leaveSix() : rules.options().leaveFour();
                members.add(leave.isEmpty()
                        ? new Member(sets.masked, new NftElement(List.of(name(link))))
                        : new Member(sets.leaving, new NftElement(List.of(name(link)), List.of(address(leave.get())))));
            }
            if (mode == GatewayMode.NAT_UNPROTECTED) {
                put(members, Ruleset.Sets.of(six).open, name(link));
            }
        }
        return members;
    }

    /// The elements of the pair that translates between the families.
    static Set<Member> translator(String six, String four, IpAddress source) {
        var members = new LinkedHashSet<Member>();
        put(members, Ruleset.TRANSLATORS, name(six));
        put(members, Ruleset.TRANSLATORS, name(four));
        members.add(new Member(Ruleset.SOURCES, new NftElement(List.of(name(six)), List.of(address(source)))));
        return members;
    }

    /// The elements of a published port.
    static Set<Member> of(Target target) {
        var binding = target.binding();
        var sets = Ruleset.Sets.of(target.address().six());
        var protocol = new NftValue(NftType.INET_PROTO, binding.protocol().toString());
        var address = address(target.address());
        var port = port(binding.containerPort());
        var members = new LinkedHashSet<Member>();
        if (target.routed()) {
            put(members, sets.routed, protocol, address, port);
            return members;
        }
        var to = List.of(address, port);
        members.add(binding.address().isUnspecified()
                ? new Member(sets.everywhere, new NftElement(List.of(protocol, port(binding.hostPort())), to))
                : new Member(sets.published, new NftElement(
                        List.of(protocol, address(binding.address()), port(binding.hostPort())), to)));
        if (target.direct().everybody()) {
            put(members, sets.anybody, protocol, address, port);
        }
        for (String link : target.direct().links()) {
            put(members, sets.direct, name(link), protocol, address, port);
        }
        return members;
    }

    private static void put(Set<Member> members, NftSet set, NftValue... key) {
        members.add(new Member(set, new NftElement(List.of(key))));
    }

    private static NftValue name(String link) {
        return new NftValue(NftType.IFNAME, link);
    }

    private static NftValue address(IpAddress address) {
        return new NftValue(address.six() ? NftType.IPV6_ADDR : NftType.IPV4_ADDR, address.toString());
    }

    private static NftValue port(int number) {
        return new NftValue(NftType.INET_SERVICE, Integer.toString(number));
    }
}
