package carafe.network.port;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.Nftables;
import carafe.network.Driver;
import carafe.network.Firewall.BridgeRules;
import carafe.network.LinkOptions;
import carafe.network.Network;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PortFilterTest {

    private Town town;
    private PortFilter filter;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty());
            opened.admit(bridge("br0", false, Map.of()));
            opened.admit(bridge("br1", false, Map.of()));
            opened.hold();
            return opened;
        });
    }

    @AfterEach
    void leave() throws Exception {
        filter.close();
        town.close();
    }

    static BridgeRules bridge(String link, boolean internal, Map<String, String> options) throws Exception {
        var network = new Network("id-of-" + link, link, Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, link, options, Map.of());
        String net = link.equals("br0") ? "172.30.0.0/16" : "172.31.0.0/16";
        return new BridgeRules(network.id(), link, List.of(Cidr.parse(net), Cidr.parse("fd00:30::/64")), internal,
                network.settings());
    }

    static Elements.Target target(String binding, int hostPort, String address, int port) throws Exception {
        return target(Protocol.TCP, binding, hostPort, address, port);
    }

    static Elements.Target target(Protocol protocol, String binding, int hostPort, String address, int port)
            throws Exception {
        return new Elements.Target(
                new PortBinding(protocol, port, IpAddress.parse(binding), hostPort), IpAddress.parse(address), false,
                Elements.Direct.NOBODY);
    }

    @Test
    void aPortPublishedEverywhereIsReachedFromEverywhere() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80), target("::", 8080, "fd00:30::2", 80)));
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.ask(town, "host", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.1");
            assertThat(Service.ask(town, "host", "127.0.0.1", 8080)).isEqualTo("web 172.30.0.1");
            assertThat(Service.ask(town, "host", "127.1.2.3", 8080)).isEqualTo("web 172.30.0.1");
            assertThat(Service.ask(town, "peer", "10.9.0.1", 8080)).as("neighbour").isEqualTo("web 172.30.0.1");
            assertThat(Service.ask(town, "other", "10.9.0.1", 8080)).as("another bridge").startsWith("web ");
            assertThat(Service.askInVain(town, "host", "::1", 8080)).as("a refusal: clients go on to 127.0.0.1")
                    .isEqualTo("refused");
        }
    }

    @Test
    void aWatchThatFailsIsOpenedAgain() throws Exception {
        var opened = new AtomicInteger();
        try (var other = town.in("host", () -> PortFilter.open("other", Optional.empty(), (ours, table, stop) -> {
            if (opened.incrementAndGet() == 1) {
                throw new KernelException("bind", "netfilter socket", Errno.ENOMEM);
            }
            return PortFilter.kernels(ours, table, stop);
        }, Nftables::apply))) {
            other.publish("c", List.of(target("0.0.0.0", 8081, "172.30.0.2", 80)));
            other.hold();
            await(() -> opened.get() > 1);
            long before = other.assertions();
            await(() -> {
                flush();
                return other.assertions() > before;
            });
            other.publish("c", List.of());
        }
    }

    private void flush() {
        try {
            town.run("host", "nft", "flush", "ruleset");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aPortOfOneAddressIsReachedThereOnly() throws Exception {
        filter.publish("c", List.of(target("10.9.0.1", 8080, "172.30.0.2", 80)));
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "host", "10.9.0.1", 8080)).startsWith("web ");
            assertThat(Service.askInVain(town, "host", "127.0.0.1", 8080)).isEqualTo("refused");
            assertThat(Service.askInVain(town, "outside", "172.30.0.1", 8080)).isEqualTo("refused");
        }
    }

    @Test
    void aPortOfTheLoopbackIsTheHostsAlone() throws Exception {
        filter.publish("c", List.of(target("127.0.0.1", 8080, "172.30.0.2", 80)));
        // A neighbour that sends packets for 127.0.0.1 over the wire, to a host that would route them.
        town.in("host", () -> {
            carafe.kernel.Host.setSysctl("net/ipv4/conf/up0/route_localnet", "1");
            return null;
        });
        town.in("outside", () -> {
            carafe.kernel.Host.setSysctl("net/ipv4/conf/all/route_localnet", "1");
            return null;
        });
        town.run("outside", "ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
        town.run("outside", "ip", "route", "add", "127.0.0.0/8", "via", "10.9.0.1", "src", "10.9.0.2");
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "host", "127.0.0.1", 8080)).isEqualTo("web 172.30.0.1");
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).isEqualTo("refused");
            assertThat(Service.askInVain(town, "outside", "127.0.0.1", 8080)).doesNotStartWith("web");
            assertThat(Service.askInVain(town, "other", "172.31.0.1", 8080)).isEqualTo("refused");
        }
    }

    /// CVE-2020-8558: with route_localnet a container reaches what the host serves on its loopback.
    @Test
    void aContainerDoesNotReachTheHostsLoopback() throws Exception {
        town.in("web", () -> {
            carafe.kernel.Host.setSysctl("net/ipv4/conf/all/route_localnet", "1");
            return null;
        });
        town.run("web", "ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
        town.run("web", "ip", "route", "add", "127.0.0.0/8", "via", "172.30.0.1", "src", "172.30.0.2");
        try (var _ = Service.tcp(town, "host", 631)) {
            assertThat(Service.ask(town, "web", "172.30.0.1", 631)).isEqualTo("host 172.30.0.2");
            assertThat(Service.askInVain(town, "web", "127.0.0.1", 631)).isEqualTo("silence");
        }
    }

    @Test
    void whatIsNotPublishedCannotBeReachedThroughTheHost() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81)) {
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).as("not even this one").isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 80)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 80)).as("another bridge").isEqualTo("silence");
            assertThat(Service.ask(town, "peer", "172.30.0.2", 81)).isEqualTo("web 172.30.0.3");
            assertThat(Service.ask(town, "host", "172.30.0.2", 81)).isEqualTo("web 172.30.0.1");
        }
    }

    @Test
    void containersLeaveByTheHostsAddress() throws Exception {
        try (var _ = Service.tcp(town, "outside", 80); var _ = Service.udp(town, "outside", 53)) {
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.1");
            assertThat(Service.ask(town, "web", "fd00:9::2", 80)).isEqualTo("outside fd00:9:0:0:0:0:0:1");
            assertThat(Service.askUdp(town, "other", "10.9.0.2", 53)).isEqualTo("outside 10.9.0.1");
        }
    }

    @Test
    void withoutMasqueradeTheyKeepTheirOwn() throws Exception {
        filter.admit(bridge("br0", false, Map.of(LinkOptions.MASQUERADE, "false")));
        try (var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 172.30.0.2");
        }
    }

    @Test
    void internalNetworksLeadNowhere() throws Exception {
        filter.publish("o", List.of(target("0.0.0.0", 8081, "172.31.0.2", 80)));
        filter.admit(bridge("br0", true, Map.of()));
        try (var _ = Service.tcp(town, "outside", 80); var _ = Service.tcp(town, "other", 80);
                var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.askInVain(town, "web", "10.9.0.2", 80)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "web", "10.9.0.1", 8081)).as("published elsewhere").isEqualTo("silence");
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 80)).isEqualTo("silence");
            assertThat(Service.ask(town, "peer", "172.30.0.2", 80)).isEqualTo("web 172.30.0.3");
        }
    }

    @Test
    void modesOfTheGatewayOpenWhatTheySay() throws Exception {
        filter.admit(bridge("br0", false, Map.of("com.docker.network.bridge.gateway_mode_ipv4", "routed")));
        var routed = new Elements.Target(new PortBinding(Protocol.TCP, 80, IpAddress.parse("0.0.0.0"), 8080),
                IpAddress.parse("172.30.0.2"), true, Elements.Direct.NOBODY);
        filter.publish("c", List.of(routed));
        filter.admit(bridge("br1", false, Map.of("com.docker.network.bridge.gateway_mode_ipv4", "nat-unprotected")));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81);
                var _ = Service.tcp(town, "other", 82)) {
            assertThat(Service.ask(town, "outside", "172.30.0.2", 80)).isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).isEqualTo("refused");
            assertThat(Service.ask(town, "outside", "172.31.0.2", 82)).isEqualTo("other 10.9.0.2");
        }
    }

    @Test
    void containersLeaveByTheAddressThatIsAskedFor() throws Exception {
        town.run("host", "ip", "addr", "add", "10.9.0.7/24", "dev", "up0");
        town.run("host", "ip", "addr", "add", "fd00:9::7/64", "dev", "up0", "nodad");
        filter.admit(bridge("br0", false, Map.of(
                "com.docker.network.host_ipv4", "10.9.0.7", "com.docker.network.host_ipv6", "fd00:9::7")));
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        try (var _ = Service.tcp(town, "outside", 80); var _ = Service.tcp(town, "web", 80);
                var _ = Service.tcp(town, "other", 80)) {
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.7");
            assertThat(Service.ask(town, "web", "fd00:9::2", 80)).isEqualTo("outside fd00:9:0:0:0:0:0:7");
            assertThat(Service.ask(town, "other", "10.9.0.2", 80)).as("of another network").isEqualTo("outside 10.9.0.1");
            assertThat(Service.ask(town, "peer", "172.30.0.2", 80)).as("neighbour").isEqualTo("web 172.30.0.3");
            assertThat(Service.ask(town, "outside", "10.9.0.7", 8080)).isEqualTo("web 10.9.0.2");
            filter.admit(bridge("br0", false, Map.of()));
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.1");
        }
    }

    @Test
    void udpAndWhatIsUnpublished() throws Exception {
        filter.publish("c", List.of(target(Protocol.UDP, "0.0.0.0", 5353, "172.30.0.2", 53),
                target("0.0.0.0", 8080, "172.30.0.2", 80)));
        try (var _ = Service.udp(town, "web", 53); var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.askUdp(town, "outside", "10.9.0.1", 5353)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            filter.publish("c", List.of());
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).isEqualTo("refused");
        }
    }

    @Test
    void aDropOfTheHostsFirewallStaysADrop() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80), target("0.0.0.0", 9090, "172.30.0.2", 90)));
        town.feed("host", """
                table inet filter {
                    chain forward {
                        type filter hook forward priority filter; policy drop;
                        ct state established,related accept
                        iifname "br0" accept
                        meta l4proto tcp ct original proto-dst 8080 accept
                    }
                }
                """, "nft", "-f", "-");
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 90);
                var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("allowed").isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 9090)).as("not allowed").isEqualTo("silence");
            assertThat(Service.ask(town, "host", "127.0.0.1", 9090)).as("the host itself").startsWith("web ");
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.1");
        }
    }

    /// What docs/firewall.md tells people to write, the link apart.
    @Test
    void whatTheHostsRulesMarkMayPass() throws Exception {
        String page = Files.readString(Path.of(System.getProperty("carafe.root"), "docs/firewall.md"));
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81)) {
            for (String recipe : page.lines().filter(line -> line.startsWith("    nft add ") && line.contains("vpn")).toList()) {
                town.feed("host", recipe.strip().substring("nft ".length()).replace("wg0", "up0").replace("'", ""), "nft", "-f", "-");
            }
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("no mark is trusted").isEqualTo("silence");
            trust("0x20");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("another one is").isEqualTo("silence");
            trust("0x10");
            assertThat(Service.ask(town, "outside", "172.30.0.2", 81)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "fd00:30::2", 81)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 81)).as("it has no mark").isEqualTo("silence");
            town.run("host", "nft", "add", "rule", "inet", "vpn", "peers", "meta", "mark", "set", "0x4d1");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("it has others, too").isEqualTo("silence");
            trust("0xd0/0xf0");
            assertThat(Service.ask(town, "outside", "172.30.0.2", 81)).as("in these bits").isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "other", "172.30.0.2", 81)).startsWith("web ");
            trust("0x10/0xf0");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).isEqualTo("silence");
        }
    }

    @Test
    void whatIsMarkedPassesIntoInternalNetworksAndOutOfThem() throws Exception {
        town.run("host", "nft", "add", "table", "inet", "vpn");
        town.run("host", "nft", "add", "chain", "inet", "vpn", "peers", "{ type filter hook prerouting priority mangle; }");
        town.run("host", "nft", "add", "rule", "inet", "vpn", "peers", "iifname", "up0", "meta", "mark", "set", "7");
        trust("7");
        filter.admit(bridge("br0", true, Map.of()));
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).as("the answer is not").isEqualTo("silence");
            town.run("host", "nft", "add", "rule", "inet", "vpn", "peers", "iifname", "br0", "meta", "mark", "set", "7");
            assertThat(Service.ask(town, "outside", "172.30.0.2", 80)).isEqualTo("web 10.9.0.2");
        }
    }

    @Test
    void aContainerDoesNotMarkItsOwnPackets() throws Exception { // also with CAP_NET_ADMIN: a mark ends where its namespace does
        town.feed("other", "table inet t { chain mine { type filter hook output priority mangle; meta mark set 0x10; }; }",
                "nft", "-f", "-");
        trust("0x10");
        try (var _ = Service.tcp(town, "web", 81)) {
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 81)).isEqualTo("silence");
            town.feed("host", "table inet vpn { chain peers { type filter hook prerouting priority mangle; iifname \"br1\" meta mark"
                    + " set 0x10; }; }", "nft", "-f", "-");
            assertThat(Service.ask(town, "other", "172.30.0.2", 81)).as("the host's rules do").startsWith("web ");
        }
    }

    /// The next engine's configuration says so.
    private void trust(String mark) throws Exception {
        filter.close();
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty(), Optional.of(PacketMark.parse(mark)));
            opened.admit(bridge("br0", false, Map.of()));
            opened.admit(bridge("br1", false, Map.of()));
            opened.hold();
            return opened;
        });
        assertThat(filter.fault()).isEmpty();
    }

    @Test
    void aFlushOfTheRulesetIsMended() throws Exception { // CVE-2025-54410
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        var before = listing();
        long assertions = filter.assertions();
        town.run("host", "nft", "flush", "ruleset");
        await(() -> filter.assertions() > assertions);
        assertThat(listing()).isEqualTo(before);
        // A hand in our table is no different.
        long again = filter.assertions();
        town.run("host", "nft", "add", "rule", "inet", "carafe-test", "pass", "drop");
        await(() -> filter.assertions() > again);
        assertThat(listing()).isEqualTo(before);
        // What is published in the same moment is not lost either.
        town.run("host", "nft", "flush", "ruleset");
        filter.publish("d", List.of(target("0.0.0.0", 8081, "172.30.0.3", 80)));
        assertThat(town.run("host", "nft", "list", "ruleset")).contains("tcp . 8080 : 172.30.0.2 . 80")
                .contains("tcp . 8081 : 172.30.0.3 . 80");
    }

    /// A table that belongs to a process nobody else may touch, and the kernel tells nobody when it goes with that process.
    @Test
    void aTableThatCannotBePutIntoPlaceNowIsPutThereLater() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        var before = listing();
        var owner = town.start("host", "nft", "-i");
        try (var commands = owner.getOutputStream()) {
            commands.write("delete table inet carafe-test; add table inet carafe-test { flags owner; }\n".getBytes(UTF_8));
            commands.flush();
            await(() -> fault().equals(Optional.of("its chain guard is missing")));
            assertThatThrownBy(() -> filter.mend()).isInstanceOf(EngineException.class)
                    .hasMessageStartingWith("the table carafe-test cannot be put into place: ");
        }
        owner.waitFor();
        await(() -> fault().isEmpty());
        assertThat(listing()).isEqualTo(before);
    }

    private Optional<String> fault() {
        try {
            return filter.fault();
        } catch (EngineException e) {
            throw new AssertionError(e);
        }
    }

    /// As when the kernel told nobody of a change, or whoever hears it is gone.
    @Test
    void aCheckTellsWhatTheTableLacksAndPutsItIntoPlaceAgain() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        assertThat(filter.fault()).isEmpty();
        var before = listing();
        filter.unwatch();
        town.run("host", "nft", "add", "rule", "inet", "carafe-test", "pass", "drop");
        assertThat(filter.fault().orElseThrow()).startsWith("its chain pass has ");
        filter.mend();
        assertThat(filter.fault()).isEmpty();
        town.run("host", "nft", "flush", "map", "inet", "carafe-test", "everywhere4");
        assertThat(filter.fault()).contains("its set everywhere4 has 0 elements instead of 1");
        filter.mend();
        assertThat(filter.fault()).isEmpty();
        town.run("host", "nft", "delete", "table", "inet", "carafe-test");
        assertThat(filter.fault()).contains("it is missing");
        filter.mend();
        assertThat(filter.fault()).isEmpty();
        assertThat(listing()).isEqualTo(before);
    }

    @Test
    void theEnginesEndChangesNothing() throws Exception {
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80)));
        filter.close();
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            filter = town.in("host", () -> PortFilter.open("test", Optional.empty()));
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("silent at first").isEqualTo("web 10.9.0.2");
            filter.hold();
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).as("nobody told it").isEqualTo("refused");
            filter.remove();
            assertThat(town.run("host", "nft", "list", "ruleset")).isEmpty();
        }
    }

    /// What docs/firewall.md tells people to write.
    @Test
    void theRecipesForANftablesHostWork() throws Exception {
        String page = Files.readString(Path.of(System.getProperty("carafe.root"), "docs/firewall.md"));
        String table = page.substring(page.indexOf("    table inet filter {"), page.indexOf("To forbid one port"));
        Path rules = Files.createTempFile("recipe", ".nft");
        try {
            Files.writeString(rules, table.replace("lan0", "br0"));
            town.run("host", "nft", "-f", rules.toString());
        } finally {
            Files.delete(rules);
        }
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80), target("0.0.0.0", 8081, "172.30.0.2", 80)));
        String forbid = page.lines().filter(line -> line.contains("nft insert rule inet filter")).findFirst().orElseThrow();
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.1");
            town.run("host", forbid.strip().split(" "));
            assertThat(Service.askInVain(town, "outside", "10.9.0.1", 8080)).isEqualTo("silence");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8081)).isEqualTo("web 10.9.0.2");
        }
    }

    /// The table as `nft` lists it: read by people who wonder what an engine did to their host.
    @Test
    void theTableReadsWell() throws Exception {
        filter.dismiss("id-of-br1");
        filter.publish("c", List.of(target("0.0.0.0", 8080, "172.30.0.2", 80), target("10.9.0.1", 99, "172.30.0.2", 9)));
        String expected = Files.readString(Path.of("src/test/resources/carafe/network/port/listing.nft"));
        assertThat(town.run("host", "nft", "list", "ruleset")).isEqualTo(expected);
    }

    /// The words of the ruleset in order: the elements of a set have none.
    private List<String> listing() throws Exception {
        return Arrays.stream(town.run("host", "nft", "list", "ruleset").split("[\\s,]+")).sorted().toList();
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }
}
