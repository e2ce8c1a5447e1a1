package carafe.network;

import static carafe.network.FabricStage.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.KernelException;
import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Networks on links of the host, as far as every kernel has them: macvlan, and what is refused before a link is made.
/// [IpvlanTest] has the rest.
class SharedLinkTest extends FabricScene {

    private static final int PATIENCE_MILLIS = 10_000;

    static NetworkRequest shared(String name, Driver driver, Map<String, String> options, String... subnets) {
        return new NetworkRequest(name, driver, Optional.empty(),
                Optional.of(List.of(subnets).stream().anyMatch(subnet -> subnet.indexOf(':') >= 0)),
                new NetworkRequest.Pools("default", Map.of(),
                        List.of(subnets).stream().map(FabricStage::pool).toList()),
                Network.Reach.USUAL, options, Map.of());
    }

    @Test
    void ofSeveralSubnetsEachHasItsOwnGateway() throws Exception {
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named("up0").raised(), LinkEnd.named("up1")));
        var network = fabric.create(shared("wide", Driver.MACVLAN, Map.of("parent", "up0"), "10.77.0.0/24", "10.78.0.0/24"));
        var one = fabric.open(ONE, List.of(joining(network, "10.78.0.9"))).endpoints().getFirst();
        assertThat(one.gateways().four()).get().hasToString("10.78.0.1");
        var two = fabric.open(TWO, List.of(joining(network))).endpoints().getFirst();
        assertThat(two.gateways().four()).get().hasToString("10.77.0.1");
        assertThatThrownBy(() -> fabric.create(shared("br", Driver.BRIDGE, Map.of(), "10.79.0.0/24", "10.80.0.0/24")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("bridge driver doesn't support multiple subnets");
        assertThat(fabric.create(shared("dual", Driver.BRIDGE, Map.of(), "10.79.0.0/24", "fd00:80::/64")).ranges()).hasSize(2);
    }

    @Test
    void withoutAParentContainersReachEachOtherAndNothingElse() throws Exception {
        var network = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        assertThat(network.link()).isEqualTo("dm-" + network.id().substring(0, 12));
        assertThat(stage.netlink().link(network.link()).orElseThrow().alias()).startsWith("carafe ");
        assertThat(stage.netlink().link(network.link()).orElseThrow().up()).isTrue();
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        assertThat(new Neighbours(stage).reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        try (var inside = stage.enter(one)) {
            assertThat(inside.netlink().link("eth0").orElseThrow().kind()).isEqualTo("macvlan");
            assertThat(inside.netlink().routes()).noneMatch(RouteInfo::isDefault);
        }
        fabric.close(ONE);
        fabric.close(TWO);
        fabric.settle();
        fabric.remove(network);
        assertThat(stage.links()).containsExactly("lo");
    }

    @Test
    void aLinkThatWasMadeIsMadeAgainAfterItIsLost() throws Exception {
        var network = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        var gone = fabric.create(shared("gone", Driver.MACVLAN, Map.of(), "10.78.0.0/24"));
        fabric.abandon();
        stage.netlink().perform(NetRequest.deleteLink(network.link())); // as a reboot does
        fabric = stage.open();
        fabric.restore(List.of(network), Map.of());
        fabric.settle();
        assertThat(stage.links()).contains(network.link()).doesNotContain(gone.link());
        fabric.rest();
        assertThat(stage.links()).containsExactly("lo");
    }

    /// The kernel takes the containers' links along; nobody starts anything, and all is as it was.
    @Test
    void aLinkThatSomebodyDeletesUnderContainersComesBackWithTheirs() throws Exception {
        var network = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24", "fd00:77::/64"));
        var other = fabric.create(shared("other", Driver.MACVLAN, Map.of(), "10.78.0.0/24"));
        var options = Map.of(Cables.SYSCTLS, "net.ipv4.conf.IFNAME.log_martians=1");
        var one = fabric.open(ONE, List.of(joining(other),
                new Joining(network, Joining.Wanted.ANYTHING, List.of(), 0, options)));
        var two = fabric.open(TWO, List.of(joining(network)));
        byte[] mac = stage.netlink().link(network.link()).orElseThrow().mac();
        String before = shown(one);
        for (int round = 0; round < 2; round++) {
            stage.netlink().perform(NetRequest.deleteLink(network.link()));
            long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
            while (!shown(one).equals(before) || !shown(two).contains("10.77.0.3")) {
                assertThat(System.nanoTime()).as("before:\n%snow:\n%s", before, shown(one)).isLessThan(deadline);
                Thread.onSpinWait();
            }
            assertThat(new Neighbours(stage).reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
            assertThat(stage.netlink().link(network.link()).orElseThrow().mac()).isEqualTo(mac);
            assertThat(stage.netlink().link(network.link()).orElseThrow().alias()).startsWith("carafe ");
        }
        try (var inside = stage.enter(one)) {
            assertThat(stage.thread().inside(inside.handle(),
                    () -> carafe.kernel.Host.sysctl("net.ipv4.conf.eth1.log_martians"))).contains("1");
        }
        fabric.close(ONE);
        fabric.close(TWO);
        fabric.remove(network);
        fabric.remove(other);
        fabric.settle();
        assertThat(stage.links()).as("what the engine removes stays so").containsExactly("lo");
    }

    private void awaitRelay(Failpoints failpoints) {
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
        while (!failpoints.passed().contains("relay.link")) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void whoIsDisconnectedWhileItsLinkIsLaidAnewHasNone() throws Exception {
        fabric.close();
        var failpoints = Failpoints.parse("relay.link=1*sleep(500)->off");
        fabric = stage.open(FabricStage.NAME, failpoints);
        var network = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        try (var inside = stage.enter(fabric.open(ONE, List.of(joining(network))))) {
            stage.netlink().perform(NetRequest.deleteLink(network.link()));
            awaitRelay(failpoints);
            fabric.disconnect(ONE, network.id());
            fabric.abandon(); // whatever was on its way has happened
            assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactly("lo");
        }
        fabric = stage.open();
    }

    @Test
    void whoEndsWhileItsLinkIsLaidAnewDoesNotEndTheWatch() throws Exception {
        fabric.close();
        var failpoints = Failpoints.parse("relay.link=1*sleep(500)->off");
        fabric = stage.open(FabricStage.NAME, failpoints);
        var network = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        fabric.open(ONE, List.of(joining(network)));
        stage.netlink().perform(NetRequest.deleteLink(network.link()));
        awaitRelay(failpoints);
        fabric.close(ONE);
        fabric.settle();
        var two = fabric.open(TWO, List.of(joining(network, "10.77.0.9")));
        String before = shown(two);
        stage.netlink().perform(NetRequest.deleteLink(network.link()));
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
        while (stage.netlink().link(network.link()).isEmpty() || !shown(two).equals(before)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void whoIsStartedAnewHasItsAddressesAtOnce() throws Exception {
        var lan = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        for (int round = 0; round < 20; round++) {
            fabric.open(ONE, List.of(joining(lan, "10.77.0.9")));
            fabric.close(ONE);
        }
        assertThat(shown(fabric.open(ONE, List.of(joining(lan, "10.77.0.9"))))).contains("10.77.0.9");
    }

    @Test
    void whoGivesItsLinkAnotherNameIsDisconnectedAllTheSame() throws Exception {
        var lan = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        var bridged = fabric.create(FabricStage.request("br", Map.of(), FabricStage.pool("10.78.0.0/24")));
        var one = fabric.open(ONE, List.of(joining(lan), joining(bridged)));
        var outside = new Neighbours(stage);
        for (String link : List.of("eth0", "eth1")) {
            outside.ip(one, "link", "set", link, "down");
            outside.ip(one, "link", "set", link, "name", "hidden" + link);
            outside.ip(one, "link", "set", "hidden" + link, "up");
        }
        outside.ip(one, "link", "add", "link", "hiddeneth1", "own", "type", "macvlan");
        fabric.disconnect(ONE, lan.id());
        assertThat(outside.ip(one, "-o", "link")).doesNotContain("hiddeneth0").contains("hiddeneth1").contains("own@");
        fabric.disconnect(ONE, bridged.id());
        assertThat(outside.ip(one, "-o", "link")).doesNotContain("hidden");
    }

    @Test
    void whoGivesItsLinkAnotherNameIsTakenOverByTheNextEngine() throws Exception {
        var lan = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        var bridged = fabric.create(FabricStage.request("br", Map.of(), FabricStage.pool("10.78.0.0/24")));
        var one = fabric.open(ONE, List.of(joining(lan), joining(bridged)));
        var outside = new Neighbours(stage);
        try (var process = Dweller.in(stage, one)) {
            for (String link : List.of("eth0", "eth1")) {
                outside.ip(one, "link", "set", link, "down");
                outside.ip(one, "link", "set", link, "name", "hidden" + link);
                outside.ip(one, "link", "set", "hidden" + link, "up");
            }
            fabric.abandon();
            fabric = stage.open();
            fabric.restore(List.of(lan, bridged), Map.of(ONE, process.pid()));
            fabric.settle();
            var taken = fabric.sandbox(ONE).orElseThrow();
            assertThat(taken.endpoints()).isEqualTo(one.endpoints());
            assertThat(stage.links()).contains(one.in(bridged.id()).orElseThrow().hostLink());
            for (var network : List.of(lan, bridged)) {
                assertThat(fabric.usage(network).getFirst().inUse()).isEqualTo(2);
                assertThatThrownBy(() -> fabric.remove(network)).hasMessageContaining("has active endpoints");
            }
            assertThat(outside.ip(taken, "-o", "link")).contains("hiddeneth0@", "hiddeneth1@").doesNotContain(" eth");
            fabric.disconnect(ONE, lan.id());
            assertThat(outside.ip(taken, "-o", "link")).doesNotContain("hiddeneth0@").contains("hiddeneth1@");
            fabric.disconnect(ONE, bridged.id());
            assertThat(outside.ip(taken, "-o", "link")).doesNotContain("hidden");
            fabric.close(ONE);
        }
    }

    @Test
    void aParentThatIsDeletedWhileNoEngineRunsComesBackWithTheContainersLinks() throws Exception {
        var lan = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24", "fd00:77::/64"));
        var one = fabric.open(ONE, List.of(joining(lan)));
        String before = shown(one);
        try (var process = Dweller.in(stage, one)) {
            fabric.abandon();
            stage.netlink().perform(NetRequest.deleteLink(lan.link()));
            fabric = stage.open();
            fabric.restore(List.of(lan), Map.of(ONE, process.pid()));
            var taken = fabric.sandbox(ONE).orElseThrow();
            assertThat(taken.endpoints()).isEqualTo(one.endpoints());
            assertThat(shown(taken)).isEqualTo(before);
            fabric.disconnect(ONE, lan.id());
            assertThat(new Neighbours(stage).ip(taken, "-o", "link")).doesNotContain("eth");
            fabric.close(ONE);
        }
    }

    /// By whatever is left of what it was given.
    @Test
    void ofTwoNetworksOnOneParentTheRightLinkGoes() throws Exception {
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named("up0").raised(), LinkEnd.named("up1")));
        var parent = Map.of("parent", "up0");
        var first = fabric.create(shared("first", Driver.MACVLAN, parent, "10.77.0.0/24"));
        var second = fabric.create(shared("second", Driver.MACVLAN, parent, "10.78.0.0/24"));
        for (boolean swapped : new boolean[] {false, true}) {
            String end = swapped ? ".0.9" : ".0.5"; // the kernel is slow to let go of a hardware address
            var one = fabric.open(ONE, List.of(joining(first, "10.77" + end), joining(second, "10.78" + end)));
            var outside = new Neighbours(stage);
            outside.ip(one, "link", "set", "eth0", "down");
            outside.ip(one, "link", "set", "eth0", "name", "hidden");
            if (swapped) {
                outside.ip(one, "link", "set", "eth1", "down");
                outside.ip(one, "link", "set", "eth1", "name", "eth0");
            } else {
                outside.ip(one, "link", "set", "hidden", "address", "02:00:00:00:00:77");
            }
            fabric.disconnect(ONE, first.id());
            assertThat(outside.ip(one, "-o", "addr")).doesNotContain("hidden");
            assertThat(outside.ip(one, "-o", "link")).doesNotContain("hidden")
                    .contains(one.in(second.id()).orElseThrow().mac().toString());
            fabric.close(ONE);
        }
    }

    @Test
    void whoRenamesItsLinkAllTheTimeIsDisconnectedAllTheSame() throws Exception {
        var lan = fabric.create(shared("alone", Driver.MACVLAN, Map.of(), "10.77.0.0/24"));
        for (int round = 0; round < 10; round++) {
            var one = fabric.open(ONE, List.of(joining(lan)));
            var ended = new AtomicBoolean();
            try (var inside = stage.enter(one)) {
                int index = inside.netlink().link("eth0").orElseThrow().index();
                var renamer = Thread.ofPlatform().start(() -> {
                    while (!ended.get()) {
                        try {
                            inside.netlink().attempt(List.of(NetRequest.dress(index, LinkEnd.named("x0")),
                                    NetRequest.dress(index, LinkEnd.named("eth0"))));
                        } catch (KernelException e) {
                            throw new AssertionError(e);
                        }
                    }
                });
                try {
                    fabric.disconnect(ONE, lan.id());
                } finally {
                    ended.set(true);
                    renamer.join();
                }
                assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactly("lo");
            }
            fabric.close(ONE);
        }
    }

    /// Addresses and routes of the container, without numbers of links and what the kernel adds in its own time.
    private String shown(Sandbox sandbox) throws Exception {
        String all = new Neighbours(stage).ip(sandbox, "-o", "addr") + new Neighbours(stage).ip(sandbox, "-o", "link");
        return all.lines().filter(line -> line.contains("eth") && !line.contains("fe80:"))
                .map(line -> line.replaceAll("^[0-9]+: ", "").replaceAll("@if[0-9]+", "").replaceAll(" state [A-Z]+", "")
                        .replaceAll("tentative|LOWER_UP|NO-CARRIER", "").replaceAll("[ ,\\\\]+", " "))
                .sorted().collect(Collectors.joining("\n"));
    }

    @Test
    void whatCannotBeSharedIsRefusedAndLeavesNothing() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan0").raised(), "bridge"));
        refused(Driver.MACVLAN, Map.of("parent", "no0"), "there is no link no0");
        refused(Driver.IPVLAN, Map.of("parent", "no0.10"), "there is no link no0");
        refused(Driver.IPVLAN, Map.of("parent", "lan0.4095"), "vlan id must be between 1-4094");
        refused(Driver.IPVLAN, Map.of("parent", "lan0.x"), "vlan id must be between 1-4094");
        refused(Driver.IPVLAN, Map.of("parent", "lo"), "loopback interface is not a valid ipvlan parent link");
        refused(Driver.MACVLAN, Map.of("parent", "lo"), "loopback interface is not a valid macvlan parent link");
        refused(Driver.IPVLAN, Map.of("parent", "lan0", "ipvlan_mode", "l4"), "requested ipvlan mode 'l4' is not valid");
        refused(Driver.IPVLAN, Map.of("parent", "lan0", "ipvlan_flag", "x"), "requested ipvlan flag 'x' is not valid");
        refused(Driver.MACVLAN, Map.of("parent", "lan0", "macvlan_mode", "x"), "unknown macvlan mode: x");
        assertThat(stage.links()).containsExactlyInAnyOrder("lo", "lan0");
        fabric.create(shared("last", Driver.MACVLAN, Map.of("parent", "lan0"), "10.77.0.0/24")); // its range is free
    }

    private void refused(Driver driver, Map<String, String> options, String message) {
        assertThatThrownBy(() -> fabric.create(shared("x", driver, options, "10.77.0.0/24")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining(message);
    }

    @Test
    void networksOfOneParentMustNotContradictEachOther() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan0").raised(), "bridge"));
        var l3 = fabric.create(shared("l3", Driver.IPVLAN, Map.of("parent", "lan0", "ipvlan_mode", "l3"), "10.77.0.0/24"));
        assertThatThrownBy(() -> fabric.create(shared("l2", Driver.IPVLAN, Map.of("parent", "lan0"), "10.78.0.0/24")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("cannot create ipvlan network l2: network l3 already shares lan0 with ipvlan_mode l3 and"
                        + " ipvlan_flag bridge, and a link has one of each; name the same, or another parent");
        fabric.create(shared("also", Driver.IPVLAN, Map.of("parent", "lan0", "ipvlan_mode", "l3"), "10.79.0.0/24"));
        var one = new Joining.Wanted(Optional.empty(), Optional.empty(), List.of(),
                Optional.of(carafe.spec.network.MacAddress.parse("02:00:00:00:00:77")), "");
        assertThatThrownBy(() -> fabric.open(ONE, List.of(new Joining(l3, one, List.of(), 0, Map.of()))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("ipvlan interfaces do not support custom mac address assignment");
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan1").raised(), "bridge"));
        fabric.create(shared("whole", Driver.MACVLAN, Map.of("parent", "lan1", "macvlan_mode", "passthru"), "10.80.0.0/24"));
        assertThatThrownBy(() -> fabric.create(shared("part", Driver.MACVLAN, Map.of("parent", "lan1"), "10.81.0.0/24")))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessageContaining("network whole already uses parent interface lan1");
    }
}
