package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.LinkInfo;
import carafe.kernel.Netlink;
import carafe.network.FabricConfig.PoolRule;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The ranges that the host has beside the engine: those of its own addresses, and those it has routes to. A route says
/// less about who uses a range the wider it is. One that takes everything, or half of it, as VPNs lay them beside the
/// default route, says nothing and is not among them.
record HostRanges(List<Held> held, List<Cidr> routes) {

    /// A host that has nothing.
    static final HostRanges NONE = new HostRanges(List.of(), List.of());

    /// No private range is wider: 10.0.0.0/8 and fc00::/7.
    private static final int WIDEST_FOUR = 8;
    private static final int WIDEST_SIX = 7;

    /// An address of the host with its range, and the name of its link.
    record Held(Cidr.Host address, String link) {}

    HostRanges {
        held = List.copyOf(held);
        routes = List.copyOf(routes);
    }

    /// Those of this host; links that are `passed` over are in nobody's way.
    static HostRanges read(Netlink host, Predicate<LinkInfo> passed) throws KernelException {
        var links = host.links().stream().collect(Collectors.toMap(LinkInfo::index, link -> link));
        var held = new ArrayList<Held>();
        for (var address : host.addresses()) {
            var link = links.get(address.link());
            if (link == null || !passed.test(link)) {
                held.add(new Held(new Cidr.Host(IpAddress.of(address.address()), address.prefix()),
                        link == null ? "link " + address.link() : link.name()));
            }
        }
        var routes = new ArrayList<Cidr>();
        for (var route : host.routes()) {
            var link = links.get(route.link());
            boolean wide = route.prefix() < (route.six() ? WIDEST_SIX : WIDEST_FOUR);
            if (!wide && (link == null || !passed.test(link))) {
                routes.add(Cidr.around(IpAddress.of(route.destination()), route.prefix()));
            }
        }
        return new HostRanges(held, routes);
    }

    /// All of them.
    List<Cidr> all() {
        return Stream.concat(held.stream().map(one -> one.address().range()), routes.stream()).toList();
    }

    /// Those that somebody is sure to use: without the routes to whole pools, as one to 10.0.0.0/8 by a company's router.
    List<Cidr> certain(Collection<PoolRule> pools) {
        var narrow = routes.stream().filter(route -> pools.stream().noneMatch(pool ->
                route.contains(pool.base()) && route.prefix() < pool.size()));
        return Stream.concat(held.stream().map(one -> one.address().range()), narrow).toList();
    }

    /// Those outside of `ranges`.
    HostRanges outside(Collection<Cidr> ranges) {
        return new HostRanges(
                held.stream().filter(one -> ranges.stream().noneMatch(one.address().range()::overlaps)).toList(),
                routes.stream().filter(route -> ranges.stream().noneMatch(route::overlaps)).toList());
    }

    /// What the host has in `range` itself, or around it on a link whose range is no wider, but for what it has on `link`. A
    /// part of a link's range without the host's own address may be given away (proxies of ARP and NDP). Each link has the
    /// addresses that lead no further.
    Optional<Held> holding(Cidr range, String link) {
        return held.stream()
                .filter(one -> !one.link().equals(link))
                .filter(one -> !one.address().address().six() || !one.address().address().isLinkLocal())
                .filter(one -> range.contains(one.address().address())
                        || range.overlaps(one.address().range()) && range.prefix() <= one.address().range().prefix())
                .findFirst();
    }

    /// The routes that lead to addresses of `ranges` too.
    List<Cidr> leadingTo(Collection<Cidr> ranges) {
        return routes.stream().filter(route -> ranges.stream().anyMatch(route::overlaps)).distinct().toList();
    }
}
