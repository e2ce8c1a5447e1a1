package carafe.network.port;

import carafe.kernel.FamilyTranslation;
import carafe.kernel.Host;
import carafe.kernel.KernelException;
import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.kernel.NftChain;
import carafe.kernel.Netlink;
import carafe.kernel.RouteInfo;
import carafe.network.RouterSettings;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// How IPv6 clients reach containers that have IPv4 only (ADR 37): a pair of links of this engine's, whose programs
/// translate every packet without remembering any. A published port leads to the container's address in a prefix of the
/// engine's own, which is routed to one end; what comes out of the other is IPv4. The table gives all clients one source
/// address, so the kernel's own connection tracking knows whose answer is whose.
///
/// Made when a port first needs it. Its links' names are made of the engine's id, so what a crash leaves is found without a
/// note; the remark on it, written last, says that it is whole and of which version. It works without the engine. When no
/// port needs it any more it stays until the engine stops or starts next. The lock guards all fields; what is done
/// under it takes a few milliseconds, once.
public final class Translator implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.network");

    private static final IpAddress LOOPBACK = IpAddress.find("::1").orElseThrow();

    /// 192.0.0.1 to 192.0.0.6, which RFC 7335 keeps for the IPv4 side of translators. One for each engine of a host.
    private static final int FIRST_OWN = 1;
    private static final int LAST_OWN = 6;

    /// Routes that short lead to everywhere else, not to these.
    private static final int SHORT_PREFIX = 8;

    private static final int MOST_BYTES = 65535;
    private static final int MTU_FOUR = 1500 - 20; // an IPv6 header is that much longer
    private static final int MARK = 10;
    private static final String REMARK = "translator of carafe ";

    private final PortFilter filter;
    private final Netlink links;
    private final boolean forward;
    private final Failpoints failpoints;
    private final String linkSix;
    private final String linkFour;
    private final byte[] mac;
    private final byte[] prefix;
    private final String remark;
    private Optional<FamilyTranslation> active = Optional.empty();
    private boolean worked; // once, in this life of the engine
    private boolean impossible;
    private boolean told;
    private boolean forwarding;

    /// The translator of the engine with that id, in the calling thread's network namespace. With `forward` it may let the
    /// host pass on IPv6 packets, without which only the host itself is a client.
    public Translator(PortFilter filter, String engineId, boolean forward, Failpoints failpoints) throws EngineException {
        this.filter = filter;
        this.forward = forward;
        this.failpoints = failpoints;
        byte[] digest = digest("translator of " + engineId);
        String mark = HexFormat.of().formatHex(digest, 0, MARK / 2);
        linkSix = "six6" + mark;
        linkFour = "six4" + mark;
        mac = new byte[] {2, digest[5], digest[6], digest[7], digest[8], digest[9]};
        prefix = Arrays.copyOfRange(digest, 10, 10 + FamilyTranslation.PREFIX_BYTES);
        prefix[0] = (byte) 0xfd;
        remark = REMARK + mark + " ";
        try {
            links = Netlink.open();
        } catch (KernelException e) {
            throw new EngineException.Unavailable("links cannot be reached: " + e.getMessage(), e);
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /// Whether packets are translated from now on. Where they cannot be at all, the log says so once; where they were and
    /// cannot be made to be again, each time. With `others` clients of other hosts are meant, too, whose packets the host
    /// has to pass on.
    synchronized boolean ready(boolean others) {
        if (impossible || !hasSix()) {
            return false;
        }
        try {
            var there = links.link(linkSix);
            if (active.isEmpty() || there.isEmpty() || !there.get().alias().equals(remark(active.get()))) {
                var found = there.flatMap(this::whole);
                if (found.isEmpty() && !hostPassesOn()) {
                    return false;
                }
                var translation = found.isPresent() ? found.get() : make(there.isPresent());
                active = Optional.of(translation);
                filter.translate(linkSix, linkFour, IpAddress.of(translation.sixOf(translation.own())));
                worked = true;
            }
            if (others) {
                passOn();
            }
            return true;
        } catch (KernelException | EngineException e) {
            impossible = !worked; // what worked may work again
            LOG.log(System.Logger.Level.WARNING, "IPv6 clients do not reach published ports of containers that have IPv4 only"
                    + " (networks with --ipv6 are not concerned), since this host cannot translate: " + e.getMessage());
            sweep();
            return false;
        }
    }

    /// The link whose removal, by whomever, ends the translation.
    String link() {
        return linkSix;
    }

    /// The address by which IPv6 reaches a container; empty while nothing is translated.
    synchronized Optional<IpAddress> sixOf(IpAddress four) {
        return active.map(translation -> IpAddress.of(translation.sixOf(four.bytes())));
    }

    /// The one address that a container sees of all its IPv6 clients.
    synchronized Optional<IpAddress> client() {
        return active.map(translation -> IpAddress.of(translation.own()));
    }

    /// What is translated is forwarded to its container, also what comes from the host itself. Where IPv4 is not forwarded,
    /// `localhost` would be silent at ::1, which is tried first; refused, it is tried at 127.0.0.1.
    private boolean hostPassesOn() {
        var obstacle = obstacle();
        if (obstacle.isPresent() && !told) {
            told = true;
            LOG.log(System.Logger.Level.WARNING, "ports of containers that have IPv4 only are published by IPv4 only"
                    + " (networks with --ipv6 are not concerned): " + obstacle.get());
        }
        return obstacle.isEmpty();
    }

    private Optional<String> obstacle() {
        if (!read("ipv4/ip_forward").equals("1")) {
            return Optional.of("this host forwards no IPv4 (net.ipv4.ip_forward is not 1)");
        }
        try {
            return filter.foreignChains().stream()
                    .filter(chain -> chain.hook() == NftChain.Hook.FORWARD && chain.drops() && !chain.family().equals("ip6"))
                    .map(chain -> "this host's firewall drops what it forwards (table " + chain.table() + ", chain "
                            + chain.name() + ")")
                    .findFirst();
        } catch (EngineException unreadable) {
            return Optional.ofNullable(unreadable.getMessage());
        }
    }

    private static boolean hasSix() {
        return Host.sysctl("net.ipv6.conf.all.disable_ipv6").filter("0"::equals).isPresent();
    }

    private String remark(FamilyTranslation translation) {
        return remark + IpAddress.of(translation.own()) + " " + translation.version();
    }

    /// What an earlier life of the engine made, if it is whole and ours would be no other.
    private Optional<FamilyTranslation> whole(LinkInfo there) {
        for (int last = FIRST_OWN; last <= LAST_OWN; last++) {
            var translation = translation(last);
            if (there.alias().equals(remark(translation))) {
                return Optional.of(translation);
            }
        }
        return Optional.empty();
    }

    private FamilyTranslation translation(int last) {
        return new FamilyTranslation(prefix, new byte[] {(byte) 192, 0, 0, (byte) last});
    }

    private FamilyTranslation make(boolean remains) throws KernelException, EngineException {
        if (remains) {
            links.perform(NetRequest.deleteLink(linkSix));
        }
        pass("translator.pair");
        links.perform(
                NetRequest.addVeth(
                        LinkEnd.named(linkSix).mac(mac).mtu(MOST_BYTES), LinkEnd.named(linkFour).mac(mac).mtu(MOST_BYTES)),
                NetRequest.quiet(linkSix),
                NetRequest.quiet(linkFour));
        pass("translator.settings");
        Host.setSysctl("net/ipv6/conf/" + linkFour + "/disable_ipv6", "1");
        Host.setSysctl("net/ipv6/conf/" + linkSix + "/accept_ra", "0");
        links.perform(NetRequest.raiseUnasking(linkFour), NetRequest.raiseUnasking(linkSix));
        pass("translator.claim");
        int six = index(linkSix);
        int four = index(linkFour);
        var translation = claim(four);
        pass("translator.programs");
        translation.attach(links, six, four);
        pass("translator.routes");
        links.perform(
                NetRequest.addRoute(RouteInfo.direct(Arrays.copyOf(prefix, 16), FamilyTranslation.PREFIX_BYTES * 8, six)),
                NetRequest.addLocalRoute(LOOPBACK.bytes(), six)); // or answers to ::1 could come in by lo only
        pass("translator.remark");
        links.perform(NetRequest.remark(linkSix, remark(translation)));
        pass("translator.made");
        return translation;
    }

    private void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw new EngineException.Internal(point + ": " + e.getMessage(), e);
        }
    }

    private int index(String name) throws KernelException, EngineException {
        return links.link(name).map(LinkInfo::index)
                .orElseThrow(() -> new EngineException.Unavailable("link " + name + " vanished while it was made"));
    }

    /// An address that nobody has: another engine's claim fails here, or ours does there.
    private FamilyTranslation claim(int four) throws KernelException, EngineException {
        for (int last = FIRST_OWN; last <= LAST_OWN; last++) {
            var translation = translation(last);
            var claim = NetRequest.claimRoute(RouteInfo.direct(translation.own(), 32, four), MTU_FOUR);
            if (isFree(IpAddress.of(translation.own())) && links.attempt(List.of(claim)).getFirst().isEmpty()) {
                return translation;
            }
        }
        var others = links.links().stream().filter(Translator::isOne).map(LinkInfo::name).sorted().toList();
        throw new EngineException.Unavailable("192.0.0.1 to 192.0.0.6 are in use, by other engines of this host or other"
                + " translators" + (others.isEmpty() ? "" : "; the links " + String.join(", ", others)
                        + " are translators of engines: that of one that is no more goes by ip link del NAME"));
    }

    /// Whether a link is the translator of an engine, of whichever.
    static boolean isOne(LinkInfo link) {
        return link.alias().startsWith(REMARK);
    }

    private boolean isFree(IpAddress own) throws KernelException {
        for (var route : links.routes()) {
            if (!route.six() && route.prefix() >= SHORT_PREFIX
                    && Cidr.around(IpAddress.of(route.destination()), route.prefix()).contains(own)) {
                return false;
            }
        }
        return true;
    }

    /// Once in the engine's life: who switches it off again means it.
    private void passOn() {
        if (!forward || forwarding) {
            return;
        }
        try {
            for (var setting : RouterSettings.missing(links.links(), links.routes(), true, Translator::read).entrySet()) {
                Host.setSysctl("net/" + setting.getKey(), setting.getValue());
            }
            forwarding = true;
        } catch (KernelException e) { // a link that went between being listed and being set; the next port tries again
            LOG.log(System.Logger.Level.WARNING, "IPv6 clients of other hosts do not reach published ports of containers that"
                    + " have IPv4 only: this host could not be told to pass on IPv6: " + e.getMessage());
        }
    }

    private static String read(String setting) {
        return Host.sysctl("net." + setting.replace('.', '\0').replace('/', '.').replace('\0', '/')).orElse("");
    }

    /// Whether IPv6 clients from elsewhere get through: the host passes on what it translated.
    static boolean forwards() {
        return read("ipv6/conf/all/forwarding").equals("1");
    }

    /// Takes it away, whoever made it.
    synchronized void sweep() {
        active = Optional.empty();
        try {
            filter.translateNothing();
            if (links.link(linkSix).isPresent()) {
                links.perform(NetRequest.deleteLink(linkSix)); // its routes and programs go with it
            }
        } catch (KernelException | EngineException e) {
            LOG.log(System.Logger.Level.WARNING, "link " + linkSix + " stays: " + e.getMessage());
        }
    }

    /// Lets go of the socket; what translates goes on.
    @Override
    public void close() {
        links.close();
    }
}
