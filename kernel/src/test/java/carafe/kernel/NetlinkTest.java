package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Everything happens in namespaces that the test made; the host's own network is only read.
class NetlinkTest {

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    private static final NetNamespace.Settings NONE = new NetNamespace.Settings(Map.of());

    private NamespaceThread thread;
    private NetNamespace host;
    private NetNamespace guest;

    @BeforeEach
    void makeNamespaces() throws Exception {
        thread = NamespaceThread.start();
        host = thread.create(NONE);
        guest = thread.create(NONE);
    }

    @AfterEach
    void closeNamespaces() {
        guest.close();
        host.close();
        thread.close();
    }

    private int bridge() throws Exception {
        host.netlink().perform(NetRequest.addLink(LinkEnd.named("br").raised(), "bridge"));
        return host.netlink().link("br").orElseThrow().index();
    }

    @Test
    void aNewNamespaceHasAnUpLoopbackOnly() throws Exception {
        var links = guest.netlink().links();
        assertThat(links).extracting(LinkInfo::name).containsExactly("lo");
        assertThat(links.getFirst().up()).isTrue();
        assertThat(guest.netlink().addresses()).extracting(AddressInfo::address).contains(new byte[] {127, 0, 0, 1});
    }

    @Test
    void manyRequestsAreAllAnswered() throws Exception {
        var requests = new ArrayList<NetRequest>();
        for (int number = 0; number < 1000; number++) {
            requests.add(number % 2 == 0 ? NetRequest.raise("lo") : NetRequest.raise("none" + number));
        }
        var outcomes = host.netlink().attempt(requests);
        assertThat(outcomes).hasSize(1000);
        for (int number = 0; number < 1000; number++) {
            assertThat(outcomes.get(number).isEmpty()).isEqualTo(number % 2 == 0);
        }
    }

    @Test
    void whereAnswersDoNotFitTheNextOnesAreHeard() throws Exception {
        var before = sockets();
        try (var netlink = thread.inside(host.handle(), Netlink::open); var frame = new Frame()) {
            var own = sockets();
            own.removeAll(before);
            var least = frame.allocate(4, 4); // 0: as few bytes as the kernel lets
            Frame.checked(frame.attempt(Syscall.SETSOCKOPT, own.iterator().next(), Linux.SOL_SOCKET, Linux.SO_RCVBUF,
                    least.address(), 4), Syscall.SETSOCKOPT, "netlink");
            var many = Collections.nCopies(Netlink.MOST_TOGETHER, NetRequest.raise("lo"));
            assertThatThrownBy(() -> netlink.attempt(many)).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.is(Errno.ENOBUFS)).isTrue());
            for (int time = 0; time < 3; time++) {
                netlink.perform(NetRequest.raise("lo"));
                assertThat(netlink.link("lo")).isPresent();
            }
        }
    }

    /// The numbers of all descriptors of this process that are sockets.
    private static Set<Integer> sockets() throws IOException {
        var numbers = new HashSet<Integer>();
        try (var all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (var one : all) {
                if (Files.isSymbolicLink(one) && Files.readSymbolicLink(one).toString().startsWith("socket:")) {
                    numbers.add(Integer.valueOf(one.getFileName().toString()));
                }
            }
        }
        return numbers;
    }

    @Test
    void oneMessageMakesBothEndsWhereTheyBelong() throws Exception {
        int bridge = bridge();
        byte[] mac = {2, 0x42, 10, 0, 0, 7};
        host.netlink().perform(
                NetRequest.addVeth(
                        LinkEnd.named("h1").portOf(bridge).mtu(1400),
                        LinkEnd.named("eth0").in(guest.handle()).mac(mac).mtu(1400)),
                NetRequest.quiet("h1"),
                NetRequest.remark("h1", "carafe test"),
                NetRequest.raise("h1"));

        var end = host.netlink().link("h1").orElseThrow();
        assertThat(end.master()).isEqualTo(bridge);
        assertThat(end.up()).isTrue();
        assertThat(end.kind()).isEqualTo("veth");
        assertThat(end.mtu()).isEqualTo(1400);
        assertThat(end.alias()).isEqualTo("carafe test");
        var peer = guest.netlink().link("eth0").orElseThrow();
        assertThat(peer.mac()).isEqualTo(mac);
        assertThat(peer.mtu()).isEqualTo(1400);
        assertThat(peer.up()).isFalse();
        assertThat(end.peer()).isEqualTo(peer.index());
        assertThat(host.netlink().addresses()).noneMatch(address -> address.link() == end.index());
    }

    @Test
    void addressesAndRoutesAreSetInOneBatch() throws Exception {
        host.netlink().perform(NetRequest.addVeth(
                LinkEnd.named("h1").raised(), LinkEnd.named("eth0").in(guest.handle())));
        int eth = guest.netlink().link("eth0").orElseThrow().index();
        byte[] gateway = {10, 9, 8, 1};
        byte[] six = new byte[16];
        six[0] = (byte) 0xfd;
        six[15] = 5;
        guest.netlink().perform(
                NetRequest.addAddress(eth, new byte[] {10, 9, 8, 7}, 24),
                NetRequest.addAddress(eth, six, 64),
                NetRequest.raise(eth, true),
                NetRequest.addRoute(RouteInfo.defaultBy(gateway, eth)),
                NetRequest.addNeighbour(eth, gateway, new byte[] {2, 1, 1, 1, 1, 1}));

        assertThat(guest.netlink().addresses())
                .filteredOn(address -> address.link() == eth)
                .anySatisfy(address -> {
                    assertThat(address.address()).containsExactly(10, 9, 8, 7);
                    assertThat(address.prefix()).isEqualTo(24);
                })
                .anySatisfy(address -> assertThat(address.address()).isEqualTo(six));
        assertThat(guest.netlink().routes())
                .anySatisfy(route -> {
                    assertThat(route.isDefault()).isTrue();
                    assertThat(route.gateway()).isEqualTo(gateway);
                    assertThat(route.link()).isEqualTo(eth);
                })
                .anySatisfy(route -> {
                    assertThat(route.destination()).containsExactly(10, 9, 8, 0);
                    assertThat(route.isMain()).isTrue();
                });
        guest.netlink().perform(NetRequest.deleteAddress(eth, new byte[] {10, 9, 8, 7}, 24));
        assertThat(guest.netlink().routes()).filteredOn(route -> !route.six()).noneMatch(RouteInfo::isDefault);
    }

    @Test
    void theKernelsOwnWordsComeWithAFailure() throws Exception {
        assertThatThrownBy(() -> host.netlink().perform(NetRequest.addLink(LinkEnd.named("x0"), "nonsense")))
                .isInstanceOf(KernelException.class)
                .hasMessageStartingWith("netlink add link x0: ")
                .hasMessageContaining("Unknown device type");
        assertThatThrownBy(() -> host.netlink().perform(NetRequest.deleteLink("nothing")))
                .hasMessage("netlink delete link nothing: no such device");
    }

    @Test
    void aLinkIsDeletedByItsNumberWhateverItIsCalled() throws Exception {
        host.netlink().perform(NetRequest.addLink(LinkEnd.named("br3"), "bridge"));
        int index = host.netlink().link("br3").orElseThrow().index();
        host.netlink().perform(NetRequest.dress(index, LinkEnd.named("br4")));
        host.netlink().perform(NetRequest.deleteLink(index));
        assertThat(host.netlink().link("br4")).isEmpty();
        assertThatThrownBy(() -> host.netlink().perform(NetRequest.deleteLink(index)))
                .hasMessage("netlink delete link " + index + ": no such device");
    }

    @Test
    void aFailureInABatchStopsNothingBehindIt() throws Exception {
        var outcomes = host.netlink().attempt(List.of(
                NetRequest.deleteLink("nothing"),
                NetRequest.addLink(LinkEnd.named("br2"), "bridge"),
                NetRequest.deleteLink("nothing-2")));
        assertThat(outcomes.get(0)).get().extracting(KernelException::errno).isEqualTo(Errno.ENODEV);
        assertThat(outcomes.get(1)).isEmpty();
        assertThat(outcomes.get(2)).isPresent();
        assertThat(host.netlink().link("br2")).isPresent();
    }

    @Test
    void manyLinksAreListedAndGoAtOnce() throws Exception {
        int bridge = bridge();
        for (int i = 0; i < 40; i++) {
            host.netlink().perform(NetRequest.addVeth(
                    LinkEnd.named("h" + i).portOf(bridge).raised(),
                    LinkEnd.named("eth" + i).in(guest.handle())));
        }
        assertThat(host.netlink().links()).hasSize(42);
        var requests = new java.util.ArrayList<NetRequest>();
        for (int i = 0; i < 40; i++) {
            requests.add(NetRequest.regroup("h" + i, 77));
        }
        requests.add(NetRequest.deleteGroup(77));
        host.netlink().perform(requests);
        assertThat(host.netlink().links()).extracting(LinkInfo::name).containsExactlyInAnyOrder("lo", "br");
        assertThat(guest.netlink().links()).hasSize(1);
    }

    @Test
    void linksOnTopOfOthers() throws Exception {
        host.netlink().perform(NetRequest.addVeth(LinkEnd.named("p0").raised(), LinkEnd.named("p1")));
        int parent = host.netlink().link("p0").orElseThrow().index();
        host.netlink().perform(
                NetRequest.addShared(LinkEnd.named("eth0").in(guest.handle()), parent, NetRequest.Sharing.MACVLAN_BRIDGE,
                        NetRequest.IpvlanFlag.BRIDGE));
        var made = guest.netlink().link("eth0").orElseThrow();
        assertThat(made.kind()).isEqualTo("macvlan");
        assertThat(made.peer()).isEqualTo(parent);
    }

    @Test
    void portsAreIsolated() throws Exception {
        int bridge = bridge();
        host.netlink().perform(
                NetRequest.addVeth(LinkEnd.named("h1").portOf(bridge).raised(), LinkEnd.named("e").in(guest.handle())),
                NetRequest.isolate("h1"));
        // sysfs shows the namespace of who mounted it, so the flag is read where it is: in the answer about the port
        assertThat(host.netlink().link("h1").orElseThrow().isolated()).isTrue();
        assertThat(host.netlink().link("h1").orElseThrow().master()).isEqualTo(bridge);
    }

    @Test
    void settingsAreTheNamespacesOwn() throws Exception {
        String before = Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"));
        thread.set(guest.handle(), new NetNamespace.Settings(Map.of("ipv4/ip_forward", "1")));
        thread.set(host.handle(), new NetNamespace.Settings(Map.of("ipv4/ip_forward", "0")));
        String inGuest = thread.inside(guest.handle(), () -> read("/proc/sys/net/ipv4/ip_forward"));
        String inHost = thread.inside(host.handle(), () -> read("/proc/sys/net/ipv4/ip_forward"));
        assertThat(inGuest).isEqualTo("1");
        assertThat(inHost).isEqualTo("0");
        assertThat(Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"))).isEqualTo(before);
        assertThatThrownBy(() -> thread.set(guest.handle(), new NetNamespace.Settings(Map.of("ipv4/nonsense", "1"))))
                .hasMessageContaining("no such file or directory");
        assertThatThrownBy(() -> new NetNamespace.Settings(Map.of("../kernel/core_pattern", "x")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static String read(String path) throws KernelException {
        try (var file = Descriptors.open(Path.of(path), Linux.O_RDONLY, 0)) {
            return new String(FdStream.readAll(file, 100)).strip();
        }
    }

    @Test
    void namesThatAreNoLinksAreNeverSent() throws Exception {
        for (String name : List.of("", "a/b", "a b", "sixteen-letters-", "..", "veth%d", "a:1", "é")) {
            assertThat(LinkEnd.isName(name)).as(name).isFalse();
            assertThat(host.netlink().link(name)).isEmpty();
        }
    }

    @Test
    void anythingButAnAnswerIsRefusedAndNeverGuessed() throws Exception {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        var random = new Random(seed);
        byte[] good = new NetlinkMessage(Rtnetlink.RTM_NEWLINK, 0).u8(0).u8(0).u16(0).u32(7).u32(1).u32(1)
                .put(Rtnetlink.IFLA_IFNAME, "eth0").put32(Rtnetlink.IFLA_MTU, 1500)
                .begin(Rtnetlink.IFLA_LINKINFO).put(Rtnetlink.IFLA_INFO_KIND, "veth").end()
                .put(Rtnetlink.IFLA_STATS64, new byte[200]).bytes();
        int understood = 0;
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = good.clone();
            for (int j = random.nextInt(6); j > 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length + 1) : bytes.length;
            try {
                for (var message : NetlinkReader.messages(bytes, length)) {
                    switch (random.nextInt(4)) {
                        case 0 -> NetlinkDumps.address(message);
                        case 1 -> NetlinkDumps.route(message);
                        default -> NetlinkDumps.link(message);
                    }
                    understood++;
                }
            } catch (KernelException e) {
                assertThat(e.errno()).as("seed " + seed).isEqualTo(Errno.EBADMSG);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(understood).isPositive();
    }

    @Test
    void lengthsThatLieAreRefused() {
        byte[] message = new byte[16];
        ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(0, Integer.MAX_VALUE);
        assertThatThrownBy(() -> NetlinkReader.messages(message, 16)).hasMessageContaining("a message of 2147483647 bytes");
        ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(0, 0);
        assertThatThrownBy(() -> NetlinkReader.messages(message, 16)).hasMessageContaining("a message of 0 bytes");
    }
}
