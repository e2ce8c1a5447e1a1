package carafe.network;

import carafe.kernel.LinkEnd;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Decides what a request for a network makes: ranges, gateways, the link's name; refuses contradictions in Docker's
/// words. Makes nothing.
final class NetworkPlanner {

    private final Ranges ranges;
    private final Clock clock;

    NetworkPlanner(Ranges ranges, Clock clock) {
        this.ranges = ranges;
        this.clock = clock;
    }

    /// What is in the way of a plan: the ranges of this engine's networks, those of the host, and the
    /// networks nobody is in (for the message when nothing is free).
    record Surroundings(Collection<Cidr> ours, HostRanges hosts, Collection<String> unused) {
        List<Cidr> all() {
            var all = new ArrayList<>(ours);
            all.addAll(hosts.all());
            return all;
        }

        /// What is left of that when a free range is wanted and there is none: see [HostRanges#certain].
        List<Cidr> certain(Collection<FabricConfig.PoolRule> pools) {
            var certain = new ArrayList<>(ours);
            certain.addAll(hosts.certain(pools));
            return certain;
        }

        /// The same and the ranges of these networks, which are not made yet.
        Surroundings with(Collection<Network> more) {
            return beside(more.stream().flatMap(network -> network.ranges().stream()).toList());
        }

        private Surroundings beside(Collection<Cidr> more) {
            var all = new ArrayList<>(ours);
            all.addAll(more);
            return new Surroundings(all, hosts, unused);
        }

        /// What is in the way outside of those ranges.
        Surroundings outside(Collection<Cidr> ranges) {
            return new Surroundings(ours.stream().filter(range -> ranges.stream().noneMatch(range::overlaps)).toList(),
                    hosts.outside(ranges), unused);
        }
    }

    Network plan(NetworkRequest request, String id, Surroundings around) throws EngineException {
        LinkOptions.check(request.options(), request.reach().internal());
        var driver = request.driver();
        if (driver == Driver.HOST || driver == Driver.NONE) {
            throw new EngineException.Forbidden(
                    "only one instance of \"" + driver.word() + "\" network is allowed");
        }
        boolean four = request.four().orElse(true);
        boolean six = request.six().orElse(false);
        if (request.pools().driver().equals("null")) {
            throw new EngineException.Invalid("ipv4 pool is empty: the IPAM driver null has no addresses, and containers of"
                    + " every network here get one; leave out --ipam-driver");
        }
        if (!request.pools().driver().isEmpty() && !request.pools().driver().equals("default")) {
            throw new EngineException.NotFound("could not find plugin " + request.pools().driver()
                    + " in v1 plugin registry: plugin not found");
        }
        String link = link(request, id);
        var subnets = new ArrayList<Subnet>();
        var taken = new ArrayList<>(around.ours);
        for (var pool : request.pools().pools()) {
            if (pool.subnet().isEmpty()) {
                subnetless(pool);
                continue;
            }
            var subnet = subnet(pool);
            if (subnet.six() ? six : four) { // Docker passes over those of a family that is not wanted
                refuseOverlap(subnet.range(), taken);
                if (driver == Driver.BRIDGE) { // what shares a link of the host's has that one's range
                    refuseHosts(subnet.range(), around.hosts.holding(subnet.range(), link));
                }
                taken.add(subnet.range());
                subnets.add(subnet);
            }
        }
        boolean several = List.of(false, true).stream()
                .anyMatch(family -> subnets.stream().filter(subnet -> subnet.six() == family).count() > 1);
        if (driver == Driver.BRIDGE && several) {
            throw new EngineException.Forbidden("bridge driver doesn't support multiple subnets");
        }
        if (!four && !six) {
            throw new EngineException.Invalid("IPv4 or IPv6 must be enabled");
        }
        choose(four && subnets.stream().allMatch(Subnet::six), false, subnets, around, request);
        choose(six && subnets.stream().noneMatch(Subnet::six), true, subnets, around, request);
        return new Network(id, request.name(), clock.instant(), driver,
                new Network.Addressing(four, six, "default", request.pools().options(), subnets),
                request.reach(), link, request.options(), request.labels());
    }

    private void choose(boolean wanted, boolean six, List<Subnet> subnets, Surroundings around, NetworkRequest request)
            throws EngineException {
        if (!wanted) {
            return;
        }
        var beside = around.beside(subnets.stream().map(Subnet::range).toList());
        var range = ranges.choose(six, beside).orElseThrow(() -> Ranges.exhausted(six, around.unused));
        subnets.add(new Subnet(range, needsGateway(request) ? Optional.of(range.base().plus(1)) : Optional.empty(),
                Optional.empty(), Map.of()));
    }

    private static boolean needsGateway(NetworkRequest request) {
        return request.driver() == Driver.BRIDGE || !request.reach().internal();
    }

    static void subnetless(NetworkRequest.Pool pool) throws EngineException.Invalid {
        if (!pool.allocation().isEmpty() || !pool.gateway().isEmpty() || !pool.auxiliary().isEmpty()) {
            String what = !pool.gateway().isEmpty() ? "gateway" : !pool.allocation().isEmpty() ? "ip-range" : "aux-address";
            throw new EngineException.Invalid("invalid network config:\n" + what + " requires a subnet");
        }
    }

    static Subnet subnet(NetworkRequest.Pool pool) throws EngineException.Invalid {
        var given = Cidr.findHost(pool.subnet())
                .orElseThrow(() -> invalid("invalid subnet " + pool.subnet() + ": invalid CIDR block notation"));
        var range = given.range();
        if (!given.address().equals(range.base())) {
            throw invalid("invalid subnet " + pool.subnet() + ": it should be " + range);
        }
        Ranges.refuseUnfit("invalid network config:\ninvalid subnet " + pool.subnet(), range);
        Optional<Cidr> allocation = Optional.empty();
        if (!pool.allocation().isEmpty()) {
            var part = Cidr.findHost(pool.allocation())
                    .orElseThrow(() -> invalid("invalid ip-range " + pool.allocation() + ": invalid CIDR block notation"));
            if (!part.address().equals(part.range().base())) {
                throw invalid("invalid ip-range " + pool.allocation() + ": it should be " + part.range());
            }
            allocation = Optional.of(part.range());
            if (!range.contains(part.range())) {
                throw invalid("invalid ip-range " + pool.allocation() + ": parent subnet is an "
                        + "invalid range for " + range);
            }
        }
        var auxiliary = new LinkedHashMap<String, IpAddress>();
        for (var entry : pool.auxiliary().entrySet()) {
            auxiliary.put(entry.getKey(), inside(range, entry.getValue(), "auxiliary address"));
        }
        IpAddress gateway;
        if (pool.gateway().isEmpty()) {
            var first = allocation.orElse(range);
            gateway = first.base().equals(range.base()) && range.base().bits() - range.prefix() > 1
                    ? first.base().plus(1)
                    : first.base();
            while (auxiliary.containsValue(gateway) && range.contains(gateway.plus(1))) {
                gateway = gateway.plus(1);
            }
        } else {
            gateway = inside(range, pool.gateway(), "gateway");
        }
        return new Subnet(range, Optional.of(gateway), allocation, auxiliary);
    }

    private static EngineException.Invalid invalid(String detail) {
        return new EngineException.Invalid("invalid network config:\n" + detail);
    }

    private static IpAddress inside(Cidr range, String text, String what) throws EngineException.Invalid {
        var address = IpAddress.find(text).orElseThrow(() -> invalid("invalid " + what + " " + text + ": invalid address"));
        if (!range.contains(address)) {
            throw invalid("invalid " + what + " " + text + ": parent subnet is an invalid range for " + range);
        }
        return address;
    }

    private static void refuseOverlap(Cidr range, Collection<Cidr> taken) throws EngineException.Forbidden {
        if (taken.stream().anyMatch(range::overlaps)) {
            throw new EngineException.Forbidden(
                    "invalid pool request: Pool overlaps with other one on this address space");
        }
    }

    private static void refuseHosts(Cidr range, Optional<HostRanges.Held> held) throws EngineException.Forbidden {
        if (held.isPresent()) {
            throw new EngineException.Forbidden("invalid pool request: Pool overlaps with other one on this address space: "
                    + range + " is in use on this host, whose link " + held.get().link() + " has "
                    + held.get().address() + "; choose another range with --subnet");
        }
    }

    private static String link(NetworkRequest request, String id) throws EngineException.Invalid {
        if (request.driver() == Driver.BRIDGE) {
            String wanted = request.options().getOrDefault(LinkOptions.BRIDGE_NAME, "");
            if (!wanted.isEmpty() && !LinkEnd.isName(wanted)) {
                throw new EngineException.Invalid("invalid bridge name: " + wanted
                        + " (a link's name has at most 15 characters, none of them blank, slash or colon)");
            }
            return wanted.isEmpty() ? "br-" + id.substring(0, 12) : wanted;
        }
        String parent = request.options().getOrDefault("parent", "");
        if (parent.isEmpty()) {
            return Parents.nowhere(request.driver(), id);
        }
        if (!LinkEnd.isName(parent)) {
            throw new EngineException.Invalid("invalid parent interface: " + parent);
        }
        return parent;
    }

    private static Map<String, IpAddress> router(Cidr range, Optional<IpAddress> address, String key)
            throws EngineException.Invalid {
        if (address.isPresent() && !range.contains(address.get())) {
            throw new EngineException.Invalid(key + " " + address.get() + " is not in the default bridge's range " + range
                    + "; \"" + (range.six() ? "fixed-cidr-v6" : "bip") + "\" chooses the range");
        }
        return address.isEmpty() ? Map.of() : Map.of(Subnet.gatewayName(range.six()), address.get());
    }

    /// The link of the default bridge and the addresses it has, where it is the host's own.
    record Ground(String link, List<Cidr.Host> addresses) {
        /// The host's own first address of the family whose range has room for others.
        Optional<Cidr.Host> first(boolean six) {
            return addresses.stream()
                    .filter(address -> address.address().six() == six && address.address().bits() - address.prefix() > 1)
                    .findFirst();
        }
    }

    private Cidr.Host ownFour(FabricConfig.DefaultBridge wanted, Ground ground, Optional<Subnet> before, Surroundings around)
            throws EngineException {
        if (wanted.four().isPresent()) {
            Ranges.refuseUnfit("bip " + wanted.four().get(), wanted.four().get().range());
            return wanted.four().get();
        }
        var given = given(ground, false, "bip", around);
        if (given.isPresent()) {
            return given.get();
        }
        var used = around.all();
        var certain = around.certain(ranges.pools());
        return kept(before, used)
                .or(() -> ranges.chooseDefault(used).map(NetworkPlanner::first))
                .or(() -> kept(before, certain))
                .or(() -> ranges.chooseDefault(certain).map(NetworkPlanner::first))
                .orElseThrow(() -> Ranges.exhausted(false, around.unused));
    }

    private static Cidr.Host first(Cidr range) {
        return new Cidr.Host(range.base().plus(1), range.prefix());
    }

    /// The bridge's address in the range that it had, if nobody else uses that.
    private static Optional<Cidr.Host> kept(Optional<Subnet> before, Collection<Cidr> used) {
        return before.filter(subnet -> used.stream().noneMatch(subnet.range()::overlaps))
                .map(subnet -> new Cidr.Host(subnet.gateway().orElse(subnet.range().base().plus(1)), subnet.range().prefix()));
    }

    private static Optional<Cidr.Host> given(Ground ground, boolean six, String key, Surroundings around)
            throws EngineException.Conflict {
        var given = ground.first(six);
        if (given.isPresent() && around.ours.stream().anyMatch(given.get().range()::overlaps)) {
            throw new EngineException.Conflict("the bridge " + ground.link() + " of the host has the range "
                    + given.get().range() + ", and so has a network; remove that, or choose another range with \"" + key
                    + "\"");
        }
        return given;
    }

    private Cidr.Host ownSix(FabricConfig.DefaultBridge wanted, Ground ground, Optional<Network> known, Surroundings around)
            throws EngineException {
        if (wanted.six().isPresent()) {
            Ranges.refuseUnfit("bip6 " + wanted.six().get(), wanted.six().get().range());
            return wanted.six().get();
        }
        if (wanted.fixedSix().isPresent()) {
            Ranges.refuseUnfit("fixed-cidr-v6 " + wanted.fixedSix().get(), wanted.fixedSix().get());
        } else {
            var given = given(ground, true, "fixed-cidr-v6", around);
            if (given.isPresent()) {
                return given.get();
            }
        }
        var old = known.flatMap(network -> network.subnet(true)).map(Subnet::range)
                .filter(range -> around.ours.stream().noneMatch(range::overlaps));
        return first(wanted.fixedSix().or(() -> old).or(() -> ranges.choose(true, around))
                .orElseThrow(() -> Ranges.exhausted(true, around.unused)));
    }

    private static void checkPart(String key, Optional<Cidr> part, Cidr range) throws EngineException.Invalid {
        if (part.isPresent() && !range.contains(part.get())) {
            throw new EngineException.Invalid(key + " " + part.get() + " is not in the bridge's range " + range);
        }
    }

    /// The default bridge as the configuration wants it; what is not configured is as a bridge of the host's has it, or
    /// stays as `known` has it while nothing of the host, and no other network, is in the way.
    Network defaultBridge(FabricConfig.DefaultBridge wanted, Ground ground, Optional<Network> known, String id,
            Surroundings around) throws EngineException {
        var subnets = new ArrayList<Subnet>();
        var own = ownFour(wanted, ground, known.flatMap(network -> network.subnet(false)), around);
        checkPart("fixed-cidr", wanted.fixedFour(), own.range());
        subnets.add(new Subnet(own.range(), Optional.of(own.address()), wanted.fixedFour(),
                router(own.range(), wanted.gateways().four(), "default-gateway")));
        if (wanted.ipv6()) {
            var six = ownSix(wanted, ground, known, around);
            checkPart("fixed-cidr-v6", wanted.fixedSix(), six.range());
            subnets.add(new Subnet(six.range(), Optional.of(six.address()),
                    wanted.fixedSix().filter(part -> !part.equals(six.range())),
                    router(six.range(), wanted.gateways().six(), "default-gateway-v6")));
        } else if (wanted.gateways().six().isPresent()) {
            throw new EngineException.Invalid("default-gateway-v6 " + wanted.gateways().six().get()
                    + " needs IPv6 on the default bridge: \"ipv6\": true");
        }
        var options = new LinkedHashMap<String, String>();
        options.put("com.docker.network.bridge.default_bridge", "true");
        options.put(LinkOptions.ICC, String.valueOf(wanted.peers()));
        options.put(LinkOptions.MASQUERADE, String.valueOf(wanted.masquerade()));
        options.put(LinkOptions.BIND, wanted.bindAddress().map(IpAddress::toString).orElse("0.0.0.0"));
        options.put(LinkOptions.BRIDGE_NAME, ground.link());
        options.put(LinkOptions.MTU, String.valueOf(wanted.mtu()));
        return new Network(
                known.map(Network::id).orElse(id), Network.DEFAULT, known.map(Network::created).orElse(clock.instant()),
                Driver.BRIDGE, new Network.Addressing(true, wanted.ipv6(), "default", Map.of(), subnets),
                Network.Reach.USUAL, ground.link(), options, Map.of());
    }
}
