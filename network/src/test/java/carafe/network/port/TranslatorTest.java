package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Host;
import carafe.network.Driver;
import carafe.network.Endpoint;
import carafe.network.EndpointListener.Attached;
import carafe.network.Network;
import carafe.network.Sandbox;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// IPv6 clients of `peer`, which has IPv4 only: its port 80 is published everywhere at 8080.
class TranslatorTest {

    private static final String ENGINE = "7c5f1b7e-0000-4000-8000-000000000064";
    private static final int LARGE = 8 << 20;

    @TempDir
    Path directory;

    private Town town;
    private PortFilter filter;
    private PublishedPorts ports;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        open();
        filter.hold();
    }

    private void open() throws Exception {
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty());
            opened.admit(PortFilterTest.bridge("br0", false, Map.of()));
            opened.admit(PortFilterTest.bridge("br1", false, Map.of()));
            return opened;
        });
        ports = ports(filter, ENGINE, directory);
    }

    private PublishedPorts ports(PortFilter through, String engine, Path notes) throws Exception {
        return ports(through, engine, notes, Failpoints.none());
    }

    private PublishedPorts ports(PortFilter through, String engine, Path notes, Failpoints failpoints) throws Exception {
        return town.in("host", () -> new PublishedPorts(
                through, new PublishedPorts.Ways(Optional.of(new Translator(through, engine, true, failpoints)), false), notes,
                Failpoints.none()));
    }

    @AfterEach
    void leave() throws Exception {
        close();
        town.close();
    }

    private void close() throws Exception {
        ports.close();
        filter.close();
    }

    private List<PortBinding> publish(Protocol protocol, String address) throws Exception {
        var request = PublishedPortsTest.request(protocol, 80, address, 8080, 8080);
        var bindings = town.in("host", () -> ports.reserve("c1", "peer", List.of(request), new Families(true, false, true)));
        attach();
        return bindings;
    }

    private void attach() throws Exception {
        var attached = peer();
        town.in("host", () -> {
            ports.attached(attached);
            return null;
        });
    }

    private static Attached peer() throws Exception {
        var network = new Network("id-of-br0", "front", Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", Map.of(), Map.of());
        var endpoint = new Endpoint("e".repeat(64), network.id(), "eth0", "vpeer", MacAddress.parse("02:42:ac:1e:00:03"),
                Optional.of(Cidr.parseHost("172.30.0.3/16")), Optional.empty(),
                new Endpoint.Gateways(Optional.of(IpAddress.parse("172.30.0.1")), Optional.empty(), 0, "front"),
                List.of(), List.of());
        return new Attached(new Sandbox("c1", "/none", List.of(endpoint)), network, endpoint, false);
    }

    @Test
    void clientsOfIpv6ReachAContainerThatHasIpv4Only() throws Exception {
        assertThat(publish(Protocol.TCP, "")).hasToString("[0.0.0.0:8080->80/tcp, [::]:8080->80/tcp]");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
            assertThat(Service.ask(town, "outside", "fd00:30::1", 8080)).as("any address").isEqualTo("peer 192.0.0.1");
            assertThat(Service.ask(town, "host", "fd00:9::1", 8080)).as("the host").isEqualTo("peer 192.0.0.1");
            assertThat(Service.ask(town, "host", "::1", 8080)).as("its loopback").isEqualTo("peer 192.0.0.1");
            assertThat(Service.ask(town, "web", "fd00:30::1", 8080)).as("a neighbour").isEqualTo("peer 192.0.0.1");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("IPv4 as before").isEqualTo("peer 10.9.0.2");
            ports.release("c1");
            for (String address : List.of("fd00:9::1", "::1")) {
                assertThat(Service.askInVain(town, "host", address, 8080)).as(address).isEqualTo("refused");
            }
        }
    }

    /// What is routed comes to the container as it is: there is no way for the translator, and no binding that promises one.
    @Test
    void aRoutedContainerWithIpv4OnlyIsPublishedByIpv4Only() throws Exception {
        var routed = new Families(true, false, false);
        var any = PublishedPortsTest.request(Protocol.TCP, 80, "", 8080, 8080);
        assertThat(town.in("host", () -> ports.reserve("c1", "peer", List.of(any), routed)))
                .hasToString("[0.0.0.0:8080->80/tcp]");
        assertThat(link(traces()).find()).as("no translator was made").isFalse();
        var six = PublishedPortsTest.request(Protocol.TCP, 80, "::", 8080, 8080);
        assertThatThrownBy(() -> town.in("host", () -> ports.reserve("c1", "peer", List.of(six), routed)))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("have no IPv6 addresses");
    }

    @Test
    void datagramsAreAnsweredAndClosedPortsRefused() throws Exception {
        publish(Protocol.UDP, "");
        try (var _ = Service.udp(town, "peer", 80)) {
            assertThat(Service.askUdp(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
            assertThat(Service.askUdp(town, "host", "::1", 8080)).isEqualTo("peer 192.0.0.1");
        }
        assertThatThrownBy(() -> Service.askUdp(town, "outside", "fd00:9::1", 8080))
                .as("the container's ICMP message arrives").isInstanceOf(PortUnreachableException.class);
    }

    @Test
    void aPortOfOneAddressIsReachedThereOnly() throws Exception {
        publish(Protocol.TCP, "::1");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).isEqualTo("peer 192.0.0.1");
            assertThat(Service.askInVain(town, "outside", "fd00:9::1", 8080)).isEqualTo("refused");
        }
        ports.release("c1");
        publish(Protocol.TCP, "fd00:9::1");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
            assertThat(Service.askInVain(town, "outside", "fd00:30::1", 8080)).isEqualTo("refused");
            assertThat(Service.askInVain(town, "host", "::1", 8080)).isEqualTo("refused");
        }
    }

    /// A server that sends and receives many bytes, which are a pattern.
    private AutoCloseable stream() throws Exception {
        var server = town.in("peer", () -> {
            var listening = new ServerSocket();
            listening.bind(new InetSocketAddress("0.0.0.0", 80));
            return listening;
        });
        Thread.ofPlatform().daemon().start(() -> {
            while (!server.isClosed()) {
                try (var client = server.accept()) {
                    byte[] got = client.getInputStream().readNBytes(LARGE);
                    client.getOutputStream().write(got);
                } catch (IOException gone) {
                    // the next one
                }
            }
        });
        return server;
    }

    private static byte[] pattern() {
        byte[] bytes = new byte[LARGE];
        new Random(5).nextBytes(bytes);
        return bytes;
    }

    private void exchange(String place, String address) throws Exception {
        byte[] sent = pattern();
        byte[] got = town.in(place, () -> {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getByName(address), 8080), 10_000);
                socket.setSoTimeout(20_000);
                socket.getOutputStream().write(sent);
                return socket.getInputStream().readNBytes(LARGE);
            }
        });
        assertThat(Arrays.equals(got, sent)).as("%s bytes of %s", got.length, sent.length).isTrue();
    }

    @Test
    void manyBytesArriveAsTheyWere() throws Exception {
        publish(Protocol.TCP, "");
        try (var _ = stream()) {
            exchange("outside", "fd00:9::1");
            exchange("host", "::1");
        }
    }

    @Test
    void bothSidesLearnThatThePathIsNarrow() throws Exception {
        publish(Protocol.TCP, "");
        town.run("host", "ip", "route", "add", "fd00:9::2/128", "dev", "up0", "mtu", "lock", "1280");
        town.run("host", "ip", "route", "add", "172.30.0.3/32", "dev", "br0", "mtu", "lock", "1300");
        try (var _ = stream()) {
            exchange("outside", "fd00:9::1");
        }
        assertThat(town.run("peer", "ip", "route", "get", "192.0.0.1")).as("the container was told").contains("mtu 1260");
        assertThat(town.run("outside", "ip", "route", "get", "fd00:9::1")).as("the client was told").contains("mtu 1320");
    }

    @Test
    void itWorksWithoutTheEngineAndTheNextOneTakesItOver() throws Exception {
        publish(Protocol.TCP, "");
        byte[] sent = pattern();
        String before = town.run("host", "ip", "-o", "link", "show", "type", "veth");
        try (var _ = stream(); var socket = town.in("outside", () -> new Socket("fd00:9::1", 8080))) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(sent, 0, LARGE / 2);
            close(); // as kill -9 would: sockets are closed, nothing else happens
            socket.getOutputStream().write(sent, LARGE / 2, LARGE / 4);
            open();
            town.in("host", () -> {
                ports.restore(List.of("c1"));
                return null;
            });
            attach();
            filter.hold();
            socket.getOutputStream().write(sent, LARGE * 3 / 4, LARGE / 4);
            assertThat(Arrays.equals(socket.getInputStream().readNBytes(LARGE), sent)).isTrue();
            exchange("outside", "fd00:9::1");
        }
        assertThat(ports.bindings("c1")).hasToString("[0.0.0.0:8080->80/tcp, [::]:8080->80/tcp]");
        assertThat(town.run("host", "ip", "-o", "link", "show", "type", "veth")).as("the same links").isEqualTo(before);
    }

    private String traces() throws Exception {
        return town.run("host", "ip", "-o", "link", "show", "type", "veth") + town.run("host", "ip", "route", "show")
                + town.run("host", "ip", "-6", "route", "show", "table", "all");
    }

    /// The kernel adds these to links seconds after they came up.
    private static List<String> withoutLinkLocal(String traces) {
        return traces.lines().filter(line -> !line.contains("fe80::")).toList();
    }

    /// The translator's link with its number, once it has its remark, which it gets last.
    private String whole() throws Exception {
        return traces().lines().filter(line -> line.contains("six6") && line.contains("alias")).findFirst()
                .map(line -> line.substring(0, line.indexOf(':'))).orElse("");
    }

    private static Matcher link(String traces) {
        return Pattern.compile("six6[0-9a-f]{10}").matcher(traces);
    }

    @Test
    void nothingIsLeft() throws Exception {
        String before = traces();
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (before.contains("NO-CARRIER") || !before.contains("local fd00:9::1")) { // links come up in their own time
            assertThat(System.nanoTime()).isLessThan(deadline);
            before = traces();
        }
        publish(Protocol.TCP, "");
        assertThat(link(traces()).find()).isTrue();
        ports.release("c1");
        ports.close();
        assertThat(withoutLinkLocal(traces())).containsExactlyInAnyOrderElementsOf(withoutLinkLocal(before));
        assertThat(town.run("host", "nft", "list", "table", "inet", "carafe-test")).doesNotContain("six6");
        open();
    }

    /// And the container is published as on a host that cannot translate.
    @Test
    void whatFailsAtAnyStepLeavesNothing() throws Exception {
        for (String step : List.of("translator.pair", "translator.settings", "translator.claim", "translator.programs",
                "translator.routes", "translator.remark", "translator.made")) {
            ports.close();
            ports = ports(filter, ENGINE, directory, Failpoints.parse(step + "=1*EIO->off"));
            assertThat(publish(Protocol.TCP, "")).as(step).hasToString("[0.0.0.0:8080->80/tcp]");
            assertThat(link(traces()).find()).as(step).isFalse();
            ports.release("c1");
        }
    }

    @Test
    void whatACrashLeavesGoesAndWhatItDidNotFinishIsMadeAnew() throws Exception {
        publish(Protocol.TCP, "");
        var name = link(traces());
        assertThat(name.find()).isTrue();
        town.run("host", "ip", "link", "set", name.group(), "alias", "translator of carafe"); // not whole
        town.run("host", "ip", "-6", "route", "del", "table", "local", "::1", "dev", name.group());
        close();
        open();
        town.in("host", () -> {
            ports.restore(List.of("c1"));
            return null;
        });
        attach();
        filter.hold();
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).isEqualTo("peer 192.0.0.1");
        }
        close();
        open();
        town.in("host", () -> {
            ports.restore(List.of()); // it ended meanwhile
            return null;
        });
        assertThat(link(traces()).find()).isFalse();
    }

    @Test
    void oneThatSomebodyRemovedComesBackWithTheNextContainer() throws Exception {
        publish(Protocol.TCP, "");
        var name = link(traces());
        assertThat(name.find()).isTrue();
        town.run("host", "ip", "link", "del", name.group());
        ports.release("c1");
        publish(Protocol.TCP, "");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
        }
    }

    /// Whoever may send packets to the host could send some for the prefix, and a container some for its translator.
    @Test
    void onlyPublishedPortsAreReached() throws Exception {
        publish(Protocol.TCP, "");
        var prefix = Pattern.compile("(fd[0-9a-f:]+)/96 dev six6").matcher(traces());
        assertThat(prefix.find()).isTrue();
        String container = IpAddress.parse(prefix.group(1).replaceAll("::$", ":0:0").replaceAll(":0:0$", ":ac1e:3")).toString();
        town.run("outside", "ip", "route", "add", prefix.group(1) + "/96", "via", "fd00:9::1");
        try (var _ = Service.tcp(town, "peer", 80); var _ = Service.tcp(town, "host", 7000)) {
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
            assertThat(Service.askInVain(town, "outside", container, 80)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "peer", "192.0.0.1", 7000)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "other", "192.0.0.1", 8080)).isEqualTo("silence");
        }
    }

    @Test
    void aDropOfTheHostsFirewallStaysADropInEitherFamily() throws Exception {
        publish(Protocol.TCP, "");
        try (var _ = Service.tcp(town, "peer", 80)) {
            for (String family : List.of("ip6", "ip")) {
                town.feed("host", "table " + family + " f {\nchain FORWARD {\ntype filter hook forward priority filter;"
                        + " policy drop;\n}\n}\n", "nft", "-f", "-");
                assertThat(Service.askInVain(town, "outside", "fd00:9::1", 8080)).as(family).isEqualTo("silence");
                var reach = town.in("host", () -> ports.reach("c1")).getLast();
                assertThat(reach.fromOthers()).isFalse();
                assertThat(reach.remarks()).last().asString().contains("table " + family + " f, chain FORWARD",
                        family.equals("ip") ? "to 172.30.0.3 port 80" : ":ac1e:3 port 80");
                town.run("host", "nft", "delete", "table", family, "f");
            }
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.1");
            var reach = town.in("host", () -> ports.reach("c1")).getLast();
            assertThat(reach.fromOthers()).isTrue();
            assertThat(reach.remarks()).containsExactly("at every IPv6 address of this host");
        }
    }

    /// What is translated is forwarded: here `localhost` would be silent at ::1. Refused, it is tried at 127.0.0.1.
    @Test
    void whereTheHostForwardsNoIpv4PortsAreOfIpv4Alone() throws Exception {
        town.feed("host", "table inet f {\nchain FORWARD {\ntype filter hook forward priority filter; policy drop;\n}\n}\n",
                "nft", "-f", "-");
        assertThat(publish(Protocol.TCP, "")).extracting(binding -> binding.address().six()).containsExactly(false);
        assertThat(Service.askInVain(town, "host", "::1", 8080)).isEqualTo("refused");
        town.run("host", "nft", "delete", "table", "inet", "f");
        town.in("host", () -> {
            Host.setSysctl("net/ipv4/ip_forward", "0");
            return null;
        });
        assertThat(publish(Protocol.TCP, "")).extracting(binding -> binding.address().six()).containsExactly(false);
        town.in("host", () -> {
            Host.setSysctl("net/ipv4/ip_forward", "1");
            return null;
        });
        assertThat(publish(Protocol.TCP, "")).extracting(binding -> binding.address().six())
                .containsExactlyInAnyOrder(false, true);
    }

    @Test
    void theHostForwardsWhatIsTranslatedIfItMay() throws Exception {
        String setting = "net/ipv6/conf/all/forwarding";
        town.in("host", () -> {
            Host.setSysctl(setting, "0");
            return null;
        });
        publish(Protocol.TCP, "");
        assertThat(town.in("host", () -> Host.sysctl(setting.replace('/', '.')))).contains("1");
        town.in("host", () -> {
            Host.setSysctl(setting, "0");
            return null;
        });
        var reach = town.in("host", () -> ports.reach("c1")).getLast();
        assertThat(reach.fromOthers()).isFalse();
        assertThat(reach.remarks()).last().asString().contains("does not forward IPv6");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).as("the host itself").isEqualTo("peer 192.0.0.1");
        }
    }

    private Optional<String> forwarding() throws Exception {
        return town.in("host", () -> Host.sysctl("net.ipv6.conf.all.forwarding"));
    }

    @Test
    void theHostForwardsForClientsOfOtherHostsOnlyAndNotAgainWhenTheEngineReturns() throws Exception {
        town.in("host", () -> {
            Host.setSysctl("net/ipv6/conf/all/forwarding", "0");
            return null;
        });
        publish(Protocol.TCP, "::1");
        assertThat(forwarding()).as("this host is its own client").contains("0");
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).isEqualTo("peer 192.0.0.1");
        }
        ports.release("c1");
        publish(Protocol.TCP, "fd00:9::1");
        assertThat(forwarding()).contains("1");
        town.in("host", () -> {
            Host.setSysctl("net/ipv6/conf/all/forwarding", "0");
            return null;
        });
        close();
        open();
        town.in("host", () -> {
            ports.restore(List.of("c1"));
            return null;
        });
        assertThat(forwarding()).as("somebody switched it off").contains("0");
    }

    /// No container has to come first.
    @Test
    void aLinkThatSomebodyRemovesIsMadeAgainAtOnce() throws Exception {
        publish(Protocol.TCP, "");
        var name = link(traces());
        assertThat(name.find()).isTrue();
        String before = whole();
        town.run("host", "ip", "link", "del", name.group());
        long deadline = System.nanoTime() + 20_000_000_000L;
        for (String now = whole(); now.isEmpty() || now.equals(before); now = whole()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
        }
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).isEqualTo("peer 192.0.0.1");
        }
    }

    /// The number of a new link, which goes again: each new one of the host has the next number.
    private int nextLink() throws Exception {
        town.run("host", "ip", "link", "add", "next", "type", "bridge");
        String line = town.run("host", "ip", "-o", "link", "show", "next");
        town.run("host", "ip", "link", "del", "next");
        return Integer.parseInt(line.substring(0, line.indexOf(':')));
    }

    @Test
    void whileItFailsPortsLeadNowhereUntilItWorksAgain() throws Exception {
        publish(Protocol.TCP, "");
        var name = link(traces());
        assertThat(name.find()).isTrue();
        town.run("host", "ip", "route", "add", "192.0.0.0/24", "dev", "up0"); // no address is left
        town.run("host", "ip", "link", "del", name.group());
        var second = PublishedPortsTest.request(Protocol.TCP, 80, "", 8081, 8081);
        assertThat(town.in("host", () -> ports.reserve("c2", "x", List.of(second), new Families(true, false, true))))
                .hasToString("[0.0.0.0:8081->80/tcp]");
        var again = PublishedPortsTest.request(Protocol.TCP, 80, "", 8083, 8083);
        assertThat(town.in("host", () -> ports.reserve("c4", "z", List.of(again), new Families(true, false, true)))).hasSize(1);
        int first = nextLink();
        for (int round = 1; round < 50; round++) {
            assertThat(nextLink()).as("nobody else makes links").isEqualTo(first + round);
        }
        var reach = town.in("host", () -> ports.reach("c1")).getLast();
        assertThat(reach.binding().address().six()).isTrue();
        assertThat(reach.fromThisHost()).isFalse();
        assertThat(reach.fromOthers()).isFalse();
        assertThat(Service.askInVain(town, "host", "::1", 8080)).as("a refusal, not silence").isEqualTo("refused");

        town.run("host", "ip", "route", "del", "192.0.0.0/24", "dev", "up0");
        var third = PublishedPortsTest.request(Protocol.TCP, 80, "", 8082, 8082);
        assertThat(town.in("host", () -> ports.reserve("c3", "y", List.of(third), new Families(true, false, true)))).hasSize(2);
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "host", "::1", 8080)).as("the first one's").isEqualTo("peer 192.0.0.1");
        }
        ports.release("c2");
        ports.release("c3");
        ports.release("c4");
    }

    @Test
    void enginesOfOneHostKeepOutOfEachOthersWay(@TempDir Path notes) throws Exception {
        var others = town.in("host", () -> PortFilter.open("next", Optional.empty()));
        var next = ports(others, "another engine", notes);
        try {
            others.hold();
            town.in("host", () -> next.reserve("c2", "x", List.of(
                    PublishedPortsTest.request(Protocol.TCP, 81, "", 8181, 8181)), new Families(true, false, true)));
            publish(Protocol.TCP, "");
            try (var _ = Service.tcp(town, "peer", 80)) {
                assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("peer 192.0.0.2");
            }
        } finally {
            next.release("c2");
            next.close();
            others.close();
        }
    }

    @Test
    void whereItCannotBeIpv4GoesOn() throws Exception {
        town.run("host", "ip", "route", "add", "192.0.0.0/24", "dev", "up0"); // the host's own translator, say
        assertThat(publish(Protocol.TCP, "")).hasToString("[0.0.0.0:8080->80/tcp]");
        assertThat(link(traces()).find()).isFalse();
        try (var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("peer 10.9.0.2");
            assertThat(Service.askInVain(town, "host", "::1", 8080)).isEqualTo("refused");
        }
        ports.release("c1");
        var request = PublishedPortsTest.request(Protocol.TCP, 80, "::", 8080, 8080);
        assertThatThrownBy(
                () -> town.in("host", () -> ports.reserve("c1", "peer", List.of(request), new Families(true, false, true))))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("have no IPv6 addresses");
    }
}
