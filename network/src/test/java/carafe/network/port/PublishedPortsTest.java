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
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishedPortsTest {

    @TempDir
    Path directory;

    private Town town;
    private PortFilter filter;
    private PublishedPorts ports;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        open(Failpoints.none(), PublishedPorts.Ways.NONE);
        filter.hold();
    }

    private void open(Failpoints failpoints, PublishedPorts.Ways ways) throws Exception {
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty());
            opened.admit(PortFilterTest.bridge("br0", false, Map.of()));
            return opened;
        });
        ports = town.in("host", () -> new PublishedPorts(filter, ways, directory, failpoints));
    }

    @AfterEach
    void leave() throws Exception {
        ports.close();
        filter.close();
        town.close();
    }

    static PortRequest request(Protocol protocol, int containerPort, String address, int first, int last) {
        return new PortRequest(protocol, containerPort, IpAddress.find(address), !address.isEmpty(), first, last);
    }

    private static PortRequest tcp(int containerPort, String address, int hostPort) {
        return request(Protocol.TCP, containerPort, address, hostPort, hostPort);
    }

    private List<PortBinding> reserve(String id, boolean six, PortRequest... requests) throws Exception {
        return town.in("host", () -> ports.reserve(id, "name-" + id, List.of(requests), new Families(true, six, true)));
    }

    /// The container `id` comes to br0 with this address.
    private Attached attached(String id, String address, long priority) throws Exception {
        var network = new Network("id-of-br0", "front", Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", Map.of(), Map.of());
        var endpoint = new Endpoint("e".repeat(64), network.id() + priority, "eth0", "vweb", MacAddress.parse("02:42:ac:1e:00:02"),
                Optional.of(Cidr.parseHost(address + "/16")), Optional.empty(),
                new Endpoint.Gateways(Optional.of(IpAddress.parse("172.30.0.1")), Optional.empty(), priority, "front"),
                List.of(), List.of());
        return new Attached(new Sandbox(id, "/none", List.of(endpoint)), network, endpoint, false);
    }

    private EngineException refusal(String id, PortRequest... requests) {
        try {
            reserve(id, false, requests);
        } catch (EngineException refused) {
            return refused;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("it was not refused");
    }

    @Test
    void aPublishedPortLeadsToTheContainerUntilItIsReleased() throws Exception {
        assertThat(reserve("c1", false, tcp(80, "", 8080))).hasToString("[0.0.0.0:8080->80/tcp]");
        ports.attached(attached("c1", "172.30.0.2", 0));
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "host", "127.0.0.1", 8080)).isEqualTo("web 172.30.0.1");
            town.in("host", () -> {
                ports.attached(attached("c1", "172.30.0.2", 0)); // sysctls are those of the thread's namespace
                return null;
            });
            for (String calls : List.of("0", "1")) {
                town.in("host", () -> {
                    if (Host.sysctl("net.bridge.bridge-nf-call-iptables").isPresent()) {
                        Host.setSysctl("net/bridge/bridge-nf-call-iptables", calls);
                    }
                    return null;
                });
                assertThat(Service.ask(town, "web", "10.9.0.1", 8080)).as("itself").isEqualTo("web 172.30.0.1");
                assertThat(Service.ask(town, "peer", "10.9.0.1", 8080)).as("neighbour").isEqualTo("web 172.30.0.1");
            }
            ports.release("c1");
            assertThat(Service.askInVain(town, "host", "127.0.0.1", 8080)).isEqualTo("refused");
        }
        assertThat(ports.bindings("c1")).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    /// A client with one socket for ever: each of its datagrams is of the same flow.
    @Test
    void datagramsFollowThePortFromOneContainerToTheNext() throws Exception {
        try (var client = town.in("outside", () -> new DatagramSocket());
                var _ = Service.udp(town, "web", 53);
                var _ = Service.udp(town, "peer", 53)) {
            client.connect(new InetSocketAddress("10.9.0.1", 5353));
            assertThat(said(client)).isEqualTo("nothing"); // the flow begins while nobody has the port
            for (String place : List.of("web", "peer", "web")) {
                reserve(place, false, request(Protocol.UDP, 53, "", 5353, 5353));
                ports.attached(attached(place, place.equals("web") ? "172.30.0.2" : "172.30.0.3", 0));
                assertThat(said(client)).isEqualTo(place + " 10.9.0.2");
                ports.release(place);
                assertThat(said(client)).isEqualTo("nothing");
            }
        }
    }

    private static String said(DatagramSocket client) throws Exception {
        client.setSoTimeout(500);
        try {
            client.send(new DatagramPacket(new byte[1], 1));
            var answer = new DatagramPacket(new byte[100], 100);
            client.receive(answer);
            return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8);
        } catch (PortUnreachableException | SocketTimeoutException e) {
            return "nothing";
        }
    }

    @Test
    void theContainerThatHasThePortIsNamed() throws Exception {
        reserve("c1", false, tcp(80, "", 8080), tcp(81, "127.0.0.1", 9090));
        assertThat(refusal("c2", tcp(80, "", 8080))).isInstanceOf(EngineException.Internal.class)
                .hasMessage("driver failed programming external connectivity on endpoint name-c2 (c2): Bind for"
                        + " 0.0.0.0:8080 failed: port is already allocated (by container name-c1)");
        assertThat(refusal("c2", tcp(80, "127.0.0.1", 8080))).hasMessageContaining(
                "Bind for 127.0.0.1:8080 failed: port is already allocated");
        assertThat(refusal("c2", tcp(80, "", 9090))).hasMessageContaining("Bind for 0.0.0.0:9090 failed");
        assertThat(refusal("c2", tcp(80, "", 7000), tcp(81, "", 7000))).hasMessageContaining("asked for twice");
        assertThat(reserve("c2", false, tcp(80, "10.9.0.1", 9090), request(Protocol.UDP, 80, "", 8080, 8080)))
                .as("another address, another protocol, and nothing is left of what was refused").hasSize(2);
        assertThat(reserve("c3", false, tcp(80, "", 7000))).hasSize(1);
    }

    @Test
    void theContainerThatHasThePortIsNamedAsItIsCalledNow() throws Exception {
        reserve("c1", false, tcp(80, "", 8080));
        ports.rename("c1", "shop");
        ports.rename("c2", "nobody");
        assertThat(refusal("c3", tcp(80, "", 8080))).hasMessageContaining("(by container shop)");
        ports.close();
        filter.close();
        open(Failpoints.none(), PublishedPorts.Ways.NONE);
        town.in("host", () -> {
            ports.restore(List.of("c1"));
            return null;
        });
        assertThat(refusal("c3", tcp(80, "", 8080))).as("the next engine").hasMessageContaining("(by container shop)");
        assertThat(directory.toFile().list()).containsExactly("c1");
    }

    @Test
    void otherProgramsSeeThatThePortIsTaken() throws Exception {
        reserve("c1", true, tcp(80, "", 8080), request(Protocol.UDP, 53, "", 5353, 5353));
        for (String address : List.of("0.0.0.0", "127.0.0.1", "::", "::1")) {
            assertThatThrownBy(() -> town.in("host", () -> {
                try (var server = new ServerSocket()) {
                    server.bind(new InetSocketAddress(address, 8080));
                }
                return null;
            })).as(address).isInstanceOf(BindException.class);
        }
        assertThatThrownBy(() -> town.in("host", () -> {
            new DatagramSocket(new InetSocketAddress("0.0.0.0", 5353)).close();
            return null;
        })).isInstanceOf(BindException.class);
    }

    @Test
    void aPortOfAnotherProgramIsNoticedBeforeTheStart() throws Exception {
        try (var _ = Service.tcp(town, "host", 8080)) {
            assertThat(refusal("c1", tcp(80, "", 8080))).hasMessageEndingWith(
                    "failed to bind host port 0.0.0.0:8080/tcp: address already in use");
            assertThat(refusal("c1", tcp(80, "192.0.2.7", 8081)))
                    .hasMessageContaining("cannot assign requested address");
            assertThat(reserve("c1", false, request(Protocol.TCP, 80, "", 8080, 8082)))
                    .hasToString("[0.0.0.0:8081->80/tcp]");
        }
        assertThat(reserve("c2", false, tcp(80, "", 8080))).as("a server that ended").hasSize(1);
    }

    @Test
    void aServerThatJustEndedIsNoHindrance() throws Exception {
        try (var _ = Service.tcp(town, "host", 8080)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).isEqualTo("host 10.9.0.2"); // now TIME_WAIT
        }
        assertThat(reserve("c1", false, tcp(80, "", 8080))).hasSize(1);
        assertThatThrownBy(() -> town.in("host", () -> {
            new ServerSocket(8080).close();
            return null;
        })).as("and it is held all the same").isInstanceOf(BindException.class);
    }

    @Test
    void anyPortIsOneOfTheKernelsOwnRangeAndNotGivenTwice() throws Exception {
        var first = reserve("c1", true, request(Protocol.TCP, 80, "", 0, 0), request(Protocol.TCP, 81, "", 0, 0));
        assertThat(first).hasToString("[0.0.0.0:32768->80/tcp, [::]:32768->80/tcp,"
                + " 0.0.0.0:32769->81/tcp, [::]:32769->81/tcp]");
        ports.release("c1");
        assertThat(reserve("c2", false, request(Protocol.TCP, 80, "", 0, 0))).as("not at once the same")
                .hasToString("[0.0.0.0:32770->80/tcp]");
    }

    private void adapt(String id, Families families, PortRequest... requests) throws Exception {
        town.in("host", () -> {
            ports.adapt(id, "name-" + id, List.of(requests), families);
            return null;
        });
    }

    /// `web` with both its addresses.
    private static Attached dual() throws Exception {
        return dual(Map.of());
    }

    static Attached dual(Map<String, String> options) throws Exception {
        var network = new Network("id-of-br0", "front", Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", options, Map.of());
        var ways = new Endpoint.Gateways(
                Optional.of(IpAddress.parse("172.30.0.1")), Optional.of(IpAddress.parse("fd00:30::1")), 0, "front");
        var endpoint = new Endpoint("e".repeat(64), network.id(), "eth0", "vweb", MacAddress.parse("02:42:ac:1e:00:02"),
                Optional.of(Cidr.parseHost("172.30.0.2/16")), Optional.of(Cidr.parseHost("fd00:30::2/64")), ways,
                List.of(), List.of());
        return new Attached(new Sandbox("c1", "/none", List.of(endpoint)), network, endpoint, true);
    }

    /// A container that comes to a network of another family while it runs, and leaves it.
    @Test
    void portsComeAndGoWithTheFamiliesOfTheNetworks() throws Exception {
        var six = new Families(false, true, false);
        var both = new Families(true, true, false);
        PortRequest[] wishes = {tcp(80, "", 8080), request(Protocol.TCP, 80, "", 0, 0), tcp(80, "10.9.0.1", 9090)};
        town.in("host", () -> ports.reserve("c1", "name-c1", List.of(wishes[0], wishes[1]), six));
        assertThat(ports.bindings("c1")).hasToString("[[::]:8080->80/tcp, [::]:32768->80/tcp]");
        ports.attached(dual());
        adapt("c1", both, wishes);
        assertThat(ports.bindings("c1")).hasToString("[[::]:8080->80/tcp, [::]:32768->80/tcp, 0.0.0.0:8080->80/tcp,"
                + " 0.0.0.0:32768->80/tcp, 10.9.0.1:9090->80/tcp]");
        ports.attached(dual());
        try (var _ = Service.tcp(town, "web", 80)) {
            for (int port : new int[] {8080, 32768, 9090}) {
                assertThat(Service.ask(town, "outside", "10.9.0.1", port)).isEqualTo("web 10.9.0.2");
            }
            adapt("c1", six, wishes);
            assertThat(ports.bindings("c1")).hasToString("[[::]:8080->80/tcp, [::]:32768->80/tcp]");
            for (int port : new int[] {8080, 32768, 9090}) {
                assertThat(Service.askInVain(town, "outside", "10.9.0.1", port)).isEqualTo("refused");
            }
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("web fd00:9:0:0:0:0:0:2");
        }
        String noted = Files.readString(directory.resolve("c1"));
        reserve("c2", false, tcp(80, "", 8080));
        assertThatThrownBy(() -> adapt("c1", both, wishes)).isInstanceOf(EngineException.Internal.class)
                .hasMessage("driver failed programming external connectivity on endpoint name-c1 (c1): Bind for"
                        + " 0.0.0.0:8080 failed: port is already allocated (by container name-c2)");
        assertThat(Files.readString(directory.resolve("c1"))).as("all or nothing").isEqualTo(noted);
        assertThat(ports.bindings("c1")).hasSize(2);
        ports.release("c2");
        try (var _ = town.in("host", () -> {
            var taken = new ServerSocket();
            taken.bind(new InetSocketAddress("127.0.0.1", 32768));
            return taken;
        })) {
            adapt("c1", both, wishes);
            assertThat(ports.bindings("c1")).extracting(PortBinding::hostText).as("any other is as good")
                    .contains("0.0.0.0:8080", "[::]:32768", "10.9.0.1:9090").doesNotContain("0.0.0.0:32768").hasSize(5);
        }
        adapt("c1", both, wishes);
        assertThat(ports.bindings("c1")).as("nothing new").hasSize(5);
        adapt("c1", six);
        assertThat(ports.bindings("c1")).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    /// `first` of the networks of a container decides where its ports are; it is another one after the container left it.
    @Test
    void portsStayWhereTheyAreWhenAnotherNetworkPublishesElsewhere() throws Exception {
        var at = IpAddress.find("127.0.0.1");
        var fixed = new PortRequest(Protocol.TCP, 80, at, false, 8080, 8080);
        var any = new PortRequest(Protocol.TCP, 80, at, false, 0, 0);
        var chosen = tcp(80, "10.9.0.1", 9090);
        var four = new Families(true, false, false);
        var both = new Families(true, true, false);
        reserve("c1", false, tcp(80, "", 8080), request(Protocol.TCP, 80, "", 0, 0), chosen);
        var before = ports.bindings("c1");
        assertThat(before).hasToString("[0.0.0.0:8080->80/tcp, 0.0.0.0:32768->80/tcp, 10.9.0.1:9090->80/tcp]");
        adapt("c1", four, any, fixed, chosen);
        assertThat(ports.bindings("c1")).as("to a narrower place").containsExactlyInAnyOrderElementsOf(before);
        ports.release("c1");
        reserve("c1", false, fixed, any, chosen);
        adapt("c1", both, tcp(80, "", 8080), request(Protocol.TCP, 80, "", 0, 0), chosen);
        assertThat(ports.bindings("c1")).as("to a wider one, and to one more family").hasToString("[127.0.0.1:8080->80/tcp,"
                + " 127.0.0.1:32769->80/tcp, 10.9.0.1:9090->80/tcp, [::]:8080->80/tcp, [::]:32769->80/tcp]");
        adapt("c1", four, fixed, any);
        assertThat(ports.bindings("c1")).hasToString("[127.0.0.1:8080->80/tcp, 127.0.0.1:32769->80/tcp]");
    }

    @Test
    void hostsBehindTrustedLinksReachWhatIsPublishedAtTheContainersAddress() throws Exception {
        reserve("c1", true, tcp(80, "127.0.0.1", 8080), tcp(80, "", 9090), tcp(82, "127.0.0.1", 8082));
        ports.attached(dual(Map.of("com.docker.network.bridge.trusted_host_interfaces", "eth9")));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81); var _ = Service.tcp(town, "web", 82)) {
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 80)).isEqualTo("silence");
            ports.attached(dual(Map.of("com.docker.network.bridge.trusted_host_interfaces", "eth9:up0")));
            assertThat(Service.ask(town, "outside", "172.30.0.2", 80)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "fd00:30::2", 80)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.ask(town, "outside", "172.30.0.2", 82)).as("at the host's loopback only").isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 9090)).as("as ever").isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("not published").isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 82)).as("not in this family").isEqualTo("silence");
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 80)).as("another bridge").isEqualTo("silence");
            assertThat(ports.reach("c1").getFirst().remarks()).contains("from hosts behind eth9, up0 that have a route to it,"
                    + " as far as the host's firewall lets them, at 172.30.0.2:80 too");
            ports.release("c1");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).isEqualTo("silence");
        }
    }

    @Test
    void whereDirectRoutingIsAllowedEverybodyReachesWhatIsPublishedAtTheContainersAddress() throws Exception {
        ports.close();
        filter.close();
        open(Failpoints.none(), new PublishedPorts.Ways(Optional.empty(), true));
        filter.admit(PortFilterTest.bridge("br1", false, Map.of()));
        filter.hold();
        reserve("c1", true, tcp(80, "127.0.0.1", 8080), tcp(80, "", 9090));
        ports.attached(dual(Map.of()));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81)) {
            assertThat(Service.ask(town, "outside", "172.30.0.2", 80)).isEqualTo("web 10.9.0.2");
            assertThat(Service.ask(town, "outside", "fd00:30::2", 80)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 9090)).as("as ever").isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("not published").isEqualTo("silence");
            assertThat(Service.askInVain(town, "other", "172.30.0.2", 80)).as("another bridge").isEqualTo("silence");
            assertThat(ports.reach("c1").getFirst().remarks()).contains("from all hosts that have a route to it, as far as"
                    + " the host's firewall lets them, at 172.30.0.2:80 too");
            ports.release("c1");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).isEqualTo("silence");
        }
    }

    @Test
    void thePortsLeadToTheEndpointWithTheDefaultRoute() throws Exception {
        reserve("c1", false, tcp(80, "", 8080));
        var low = attached("c1", "172.30.0.2", 0);
        var high = attached("c1", "172.30.0.3", 9);
        ports.attached(low);
        var both = new Sandbox("c1", "/none", List.of(low.endpoint(), high.endpoint()));
        ports.attached(new Attached(both, high.network(), high.endpoint(), true));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "peer", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).startsWith("peer");
            ports.detached("c1", high.endpoint());
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).startsWith("web");
        }
    }

    @Test
    void theNextEngineTakesOverWhatRunsAndGivesBackWhatDoesNot() throws Exception {
        reserve("c1", false, tcp(80, "", 8080), request(Protocol.TCP, 81, "", 0, 0));
        reserve("c2", false, tcp(80, "", 9090));
        var kept = ports.bindings("c1");
        ports.attached(attached("c1", "172.30.0.2", 0));
        Files.writeString(directory.resolve("c3"), "broken\ntcp 0.0"); // died while writing
        ports.close(); // as kill -9 would: sockets are closed, nothing else happens
        filter.close();
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("nobody there").isEqualTo("web 10.9.0.2");
            open(Failpoints.none(), PublishedPorts.Ways.NONE);
            town.in("host", () -> {
                ports.restore(List.of("c1", "c3"));
                return null;
            });
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("not yet told").isEqualTo("web 10.9.0.2");
            ports.attached(attached("c1", "172.30.0.2", 0));
            filter.hold();
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("taken over").isEqualTo("web 10.9.0.2");
        }
        assertThat(ports.bindings("c1")).isEqualTo(kept);
        assertThat(refusal("c4", tcp(80, "", 8080))).hasMessageContaining("(by container name-c1)");
        assertThat(reserve("c4", false, tcp(80, "", 9090))).hasSize(1);
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("c1", "c4");
    }

    @Test
    void aFailureAtAnyStepLeavesNothing() throws Exception {
        for (String step : List.of("ports.reserve", "ports.file", "ports.publish")) {
            ports.close();
            filter.close();
            open(Failpoints.parse(step + "=1*EIO->off"), PublishedPorts.Ways.NONE);
            filter.hold();
            assertThatThrownBy(() -> {
                reserve("c1", false, tcp(80, "", 8080));
                ports.attached(attached("c1", "172.30.0.2", 0));
            }).as(step).hasStackTraceContaining("EIO");
            ports.release("c1"); // what the engine does after a failed start
            assertThat(directory).as(step).isEmptyDirectory();
            assertThat(town.run("host", "nft", "list", "map", "inet", "carafe-test", "everywhere4")).as(step)
                    .doesNotContain("8080");
            assertThat(reserve("c2", false, tcp(80, "", 8080))).as(step).hasSize(1);
            ports.release("c2");
        }
    }

    @Test
    void saysFromWhereAPortCanBeReached() throws Exception {
        reserve("c1", false, tcp(80, "", 8080), tcp(81, "127.0.0.1", 8081));
        assertThat(ports.reach("c1").getFirst().remarks()).first().asString().startsWith("it leads nowhere");
        ports.attached(attached("c1", "172.30.0.2", 0));
        var open = ports.reach("c1");
        assertThat(open).extracting(Reach::fromThisHost).containsExactly(true, true);
        assertThat(open).extracting(Reach::fromOthers).containsExactly(true, false);
        assertThat(open.getFirst().remarks()).containsExactly("at every IPv4 address of this host");
        town.feed("host", """
                table ip filter {
                    chain FORWARD {
                        type filter hook forward priority filter; policy drop;
                        ct state established accept
                    }
                }
                """, "nft", "-f", "-");
        var closed = ports.reach("c1").getFirst();
        assertThat(closed.fromOthers()).isFalse();
        assertThat(closed.remarks()).last().asString()
                .contains("table ip filter, chain FORWARD", "ufw route allow proto tcp to 172.30.0.2 port 80");
    }

    @Test
    void addressesThatLeadNowhereAreRefused() {
        assertThat(refusal("c1", tcp(80, "::", 8080))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("have no IPv6 addresses");
    }
}
