package carafe.network.port;

import carafe.kernel.NftChain;
import carafe.kernel.NftChain.Hook;
import carafe.kernel.NftChain.Kind;
import carafe.kernel.NftSelector;
import carafe.kernel.NftSet;
import carafe.kernel.NftStatement;
import carafe.kernel.NftStatement.Accept;
import carafe.kernel.NftStatement.DestinationTranslated;
import carafe.kernel.NftStatement.Drop;
import carafe.kernel.NftStatement.Established;
import carafe.kernel.NftStatement.Family;
import carafe.kernel.NftStatement.In;
import carafe.kernel.NftStatement.Is;
import carafe.kernel.NftStatement.Loopback4;
import carafe.kernel.NftStatement.Marked;
import carafe.kernel.NftStatement.Masquerade;
import carafe.kernel.NftStatement.Pretend;
import carafe.kernel.NftStatement.ToThisHost;
import carafe.kernel.NftStatement.Translate;
import carafe.kernel.NftTable;
import carafe.kernel.NftType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The table: the same rules for every host and any number of networks and ports, which are elements of its sets. A
/// packet meets about ten rules, each a look-up in a hash, however many ports are published.
///
/// - `guard`: with route_localnet, which publishing on 127.0.0.1 needs, a container could talk to services on the host's
///   loopback; it cannot.
/// - `arrive` and `leave` send what is meant for a published port to its container, for others and for the host itself.
///   From outside nothing is translated that pretends to be for 127.0.0.0/8. What is for ::1 is only where an element
///   says so, which are those that lead to the [Translator]: Linux has no route_localnet for IPv6, and a refusal, after
///   which clients try 127.0.0.1, is better than silence.
/// - `pass` lets through what the host's own rules have given the engine's mark, whatever else is said of it but for the
///   translator; it refuses what may not enter or leave a bridge, and what goes to the translator but was not sent to a published
///   port: with a route to its prefix, neighbours would reach every port of every container. Its accepts end this chain
///   only: a drop of the host's own firewall stays a drop, because every chain at a hook is asked.
/// - `mask`: all clients of the translator have its one address; who talks to its own network through the host, and the
///   host's loopback, come with the bridge's address, so that answers come back; and what leaves the host carries its
///   address. The network is told by ranges, since a packet that br_netfilter translates on the bridge has no incoming
///   link here.
final class Ruleset {

    private static final List<NftType> LINK = List.of(NftType.IFNAME);
    private static final List<NftType> LINKS = List.of(NftType.IFNAME, NftType.IFNAME);

    static final NftSet BRIDGES = new NftSet("bridges", LINK, List.of());
    static final NftSet SAME = new NftSet("same", LINKS, List.of());
    static final NftSet PEERS = new NftSet("peers", LINKS, List.of());
    static final NftSet INTERNAL = new NftSet("internal", LINK, List.of());
    static final NftSet TRANSLATORS = new NftSet("translators", LINK, List.of());
    static final NftSet SOURCES = new NftSet("sources", LINK, List.of(NftType.IPV6_ADDR));

    private static final int RAW = -300;
    private static final int DSTNAT = -100;
    private static final int FILTER = 0;
    private static final int SRCNAT = 100;

    private static final List<NftSelector> IN = List.of(NftSelector.IN_NAME);
    private static final List<NftSelector> OUT = List.of(NftSelector.OUT_NAME);
    private static final List<NftSelector> IN_OUT = List.of(NftSelector.IN_NAME, NftSelector.OUT_NAME);

    private Ruleset() {}

    /// The sets of one family.
    ///
    /// `published` is by the host's address, `everywhere` for all of them; `routed` are container's ports that others may
    /// reach without translation, `direct` those that others may who come by a certain link, `anybody` those that all may who
    /// come by no bridge; `own` are the ranges of each
    /// bridge; `open` bridges let everything in; `masked` ones give what leaves the address of the link it leaves by, those
    /// in `leaving` the one it says.
    enum Sets {
        FOUR(NftType.IPV4_ADDR),
        SIX(NftType.IPV6_ADDR);

        final NftSet published;
        final NftSet everywhere;
        final NftSet routed;
        final NftSet direct;
        final NftSet anybody;
        final NftSet own;
        final NftSet open;
        final NftSet masked;
        final NftSet leaving;

        Sets(NftType address) {
            String family = address == NftType.IPV4_ADDR ? "4" : "6";
            var target = List.of(address, NftType.INET_SERVICE);
            var whole = List.of(NftType.INET_PROTO, address, NftType.INET_SERVICE);
            published = new NftSet("published" + family, whole, target);
            everywhere =
                    new NftSet("everywhere" + family, List.of(NftType.INET_PROTO, NftType.INET_SERVICE), target);
            routed = new NftSet("routed" + family, whole, List.of());
            direct = new NftSet("direct" + family,
                    List.of(NftType.IFNAME, NftType.INET_PROTO, address, NftType.INET_SERVICE), List.of());
            anybody = new NftSet("anybody" + family, whole, List.of());
            own = new NftSet("own" + family, List.of(NftType.IFNAME, address), List.of(), true);
            open = new NftSet("open" + family, LINK, List.of());
            masked = new NftSet("masked" + family, LINK, List.of());
            leaving = new NftSet("leaving" + family, LINK, List.of(address));
        }

        static Sets of(boolean six) {
            return six ? SIX : FOUR;
        }

        private boolean six() {
            return this == SIX;
        }

        private NftSelector destination() {
            return six() ? NftSelector.DESTINATION6 : NftSelector.DESTINATION4;
        }
    }

    /// The table of that name, which says whose it is; packets with the mark `trusted` may enter and leave all bridges.
    static NftTable table(String name, String owner, Optional<PacketMark> trusted) {
        var sets = new ArrayList<>(List.of(BRIDGES, SAME, PEERS, INTERNAL, TRANSLATORS, SOURCES));
        for (var family : Sets.values()) {
            sets.addAll(List.of(family.published, family.everywhere, family.routed, family.direct, family.anybody, family.own,
                    family.open, family.masked, family.leaving));
        }
        return new NftTable(name, owner, sets, List.of(
                new NftChain("guard", Kind.FILTER, Hook.PREROUTING, RAW, guard()),
                new NftChain("arrive", Kind.NAT, Hook.PREROUTING, DSTNAT, arrive()),
                new NftChain("leave", Kind.NAT, Hook.OUTPUT, DSTNAT, leave()),
                new NftChain("pass", Kind.FILTER, Hook.FORWARD, FILTER, pass(trusted)),
                new NftChain("mask", Kind.NAT, Hook.POSTROUTING, SRCNAT, mask())));
    }

    private static List<List<NftStatement>> guard() {
        return List.of(
                List.of(new Family(false), in(IN, BRIDGES), new Loopback4(NftSelector.DESTINATION4, false), new Drop()),
                List.of(new Family(false), in(IN, BRIDGES), new Loopback4(NftSelector.SOURCE4, false), new Drop()),
                List.of(new Family(true), in(IN, BRIDGES), new Is(NftSelector.DESTINATION6, false, "::1"), new Drop()),
                List.of(new Family(true), in(IN, BRIDGES), new Is(NftSelector.SOURCE6, false, "::1"), new Drop()));
    }

    private static List<List<NftStatement>> arrive() {
        var outside = new Loopback4(NftSelector.DESTINATION4, true);
        var outside6 = new Is(NftSelector.DESTINATION6, true, "::1"); // br_netfilter asks before the kernel refuses it
        return List.of(
                List.of(new Family(false), outside, byAddress(Sets.FOUR)),
                List.of(new Family(false), outside, new ToThisHost(), byPort(Sets.FOUR)),
                List.of(new Family(true), outside6, byAddress(Sets.SIX)),
                List.of(new Family(true), outside6, new ToThisHost(), byPort(Sets.SIX)));
    }

    private static List<List<NftStatement>> leave() {
        var reachable = new Is(NftSelector.DESTINATION6, true, "::1");
        return List.of(
                List.of(new Family(false), byAddress(Sets.FOUR)),
                List.of(new Family(false), new ToThisHost(), byPort(Sets.FOUR)),
                List.of(new Family(true), byAddress(Sets.SIX)),
                List.of(new Family(true), reachable, new ToThisHost(), byPort(Sets.SIX)));
    }

    private static List<List<NftStatement>> pass(Optional<PacketMark> trusted) {
        var rules = new ArrayList<List<NftStatement>>();
        trusted.ifPresent(mark -> rules.add(List.of(
                new Marked(mark.mark(), mark.mask()), new In(OUT, true, TRANSLATORS.name()), new Accept())));
        rules.addAll(List.of(
                List.of(in(IN_OUT, PEERS), new Accept()),
                List.of(in(IN, INTERNAL), new Drop()),
                List.of(in(OUT, INTERNAL), new Drop()),
                List.of(new Family(true), in(OUT, TRANSLATORS), new DestinationTranslated(), new Accept()),
                List.of(new Family(true), in(OUT, TRANSLATORS), new Drop()),
                List.of(new Family(false), in(IN, TRANSLATORS), new In(OUT, true, BRIDGES.name()), new Drop()),
                List.of(new Family(false), in(IN, TRANSLATORS), new Accept()),
                List.of(new Family(false), in(OUT, TRANSLATORS), new Established(), new Accept()),
                List.of(new Family(false), in(OUT, TRANSLATORS), new Drop()),
                List.of(in(OUT, BRIDGES), new Established(), new Accept()),
                List.of(in(OUT, BRIDGES), new DestinationTranslated(), new Accept()),
                List.of(new Family(false), in(OUT, Sets.FOUR.open), new Accept()),
                List.of(new Family(true), in(OUT, Sets.SIX.open), new Accept()),
                List.of(new Family(false), in(target(Sets.FOUR), Sets.FOUR.routed), new Accept()),
                List.of(new Family(true), in(target(Sets.SIX), Sets.SIX.routed), new Accept()),
                List.of(new Family(false), in(arriving(Sets.FOUR), Sets.FOUR.direct), new Accept()),
                List.of(new Family(true), in(arriving(Sets.SIX), Sets.SIX.direct), new Accept()),
                List.of(new Family(false), new In(IN, true, BRIDGES.name()), in(target(Sets.FOUR), Sets.FOUR.anybody),
                        new Accept()),
                List.of(new Family(true), new In(IN, true, BRIDGES.name()), in(target(Sets.SIX), Sets.SIX.anybody),
                        new Accept()),
                List.of(in(OUT, BRIDGES), new Drop())));
        return rules;
    }

    private static List<List<NftStatement>> mask() {
        return List.of(
                List.of(new Family(true), new Pretend(true, NftSelector.OUT_NAME, SOURCES.name())),
                List.of(new Family(false), in(List.of(NftSelector.OUT_NAME, NftSelector.SOURCE4), Sets.FOUR.own),
                        new DestinationTranslated(), new Masquerade()),
                List.of(new Family(true), in(List.of(NftSelector.OUT_NAME, NftSelector.SOURCE6), Sets.SIX.own),
                        new DestinationTranslated(), new Masquerade()),
                List.of(new Family(false), in(OUT, BRIDGES), new Loopback4(NftSelector.SOURCE4, false),
                        new Masquerade()),
                List.of(new Family(false), new In(IN_OUT, true, SAME.name()),
                        new Pretend(false, NftSelector.IN_NAME, Sets.FOUR.leaving.name())),
                List.of(new Family(true), new In(IN_OUT, true, SAME.name()),
                        new Pretend(true, NftSelector.IN_NAME, Sets.SIX.leaving.name())),
                List.of(new Family(false), in(IN, Sets.FOUR.masked), new In(IN_OUT, true, SAME.name()),
                        new Masquerade()),
                List.of(new Family(true), in(IN, Sets.SIX.masked), new In(IN_OUT, true, SAME.name()),
                        new Masquerade()));
    }

    private static In in(List<NftSelector> what, NftSet set) {
        return new In(what, false, set.name());
    }

    private static List<NftSelector> target(Sets family) {
        return List.of(NftSelector.PROTOCOL, family.destination(), NftSelector.DESTINATION_PORT);
    }

    private static List<NftSelector> arriving(Sets family) {
        return List.of(NftSelector.IN_NAME, NftSelector.PROTOCOL, family.destination(), NftSelector.DESTINATION_PORT);
    }

    private static Translate byAddress(Sets family) {
        return new Translate(family.six(), target(family), family.published.name());
    }

    private static Translate byPort(Sets family) {
        return new Translate(family.six(), List.of(NftSelector.PROTOCOL, NftSelector.DESTINATION_PORT),
                family.everywhere.name());
    }
}
