package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The default bridge of our engine: containers have it unless they say otherwise, two engines of a host have two, and
/// nothing of it is left when nobody needs it.
final class CarafeNetworkTest {

    private static final Client CLIENT = Client.docker28();

    private static Outcome ask(EngineUnderTest engine, String... words) throws Exception {
        return CLIENT.to(engine).and(words).run().good();
    }

    private static void load(EngineUnderTest engine) throws Exception {
        ask(engine, "load", "--input", TestImages.dockerArchive(engine.directory()).toString());
    }

    private static String address(EngineUnderTest engine, String name) throws Exception {
        return ask(engine, "inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name).text();
    }

    @Test
    void twoEnginesOfAHostHaveTwoBridges() throws Exception {
        try (var one = new CarafeDaemon(); var two = new CarafeDaemon()) {
            one.start();
            two.start();
            String subnet = "{{range .IPAM.Config}}{{.Subnet}}{{end}} {{index .Options \"com.docker.network.bridge.name\"}}";
            String first = ask(one, "network", "inspect", "-f", subnet, "bridge").text();
            String second = ask(two, "network", "inspect", "-f", subnet, "bridge").text();
            assertThat(first.split(" ")[0]).isNotEqualTo(second.split(" ")[0]);
            assertThat(first.split(" ")[1]).startsWith("carafe").isNotEqualTo(second.split(" ")[1]);
        }
    }

    /// Not a question of the contract: Docker 20.10 gives such a container a default route and leaves the rest to iptables.
    @Test
    void anInternalNetworkLeadsNowhere() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            ask(engine, "network", "create", "--internal", "--subnet", "10.213.6.0/24", "inner");
            assertThat(ask(engine, "run", "--rm", "--network", "inner", "busybox", "ip", "route").text())
                    .contains("10.213.6.0/24").doesNotContain("default");
            ask(engine, "network", "rm", "inner");
        }
    }

    /// Not questions of the contract: Docker has these since 28.
    @ParameterizedTest
    @MethodSource("clients")
    void networksOfIpv6OnlyAndPrioritiesOfGateways(Client client) throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            client.to(engine).and("network", "create", "--ipv4=false", "--ipv6", "--subnet", "fd00:213:20::/64", "six").run().good();
            client.to(engine).and("network", "create", "--subnet", "10.213.21.0/24", "four").run().good();
            client.to(engine).and("run", "-d", "--name", "server", "--network", "six", "--ip6", "fd00:213:20::77", "busybox",
                    "sleep", "600").run().good();
            assertThat(ask(engine, "exec", "server", "ip", "-o", "addr", "show", "eth0").text())
                    .contains("inet6 fd00:213:20::77/64").doesNotContain("inet 1");
            assertThat(ask(engine, "exec", "server", "ip", "-4", "route").text()).isEmpty();
            assertThat(client.to(engine).and("run", "--rm", "--network", "six", "busybox", "ping", "-c", "1", "-W", "5", "server")
                    .run().good().text()).contains("1 packets received");
            assertThat(ask(engine, "inspect", "-f", "{{with .NetworkSettings.Networks.six}}[{{.IPAddress}}] {{.GlobalIPv6Address}}"
                    + "{{end}}", "server").text()).isEqualTo("[] fd00:213:20::77");
            assertThat(client.to(engine).and("network", "inspect", "-f", "{{.EnableIPv4}} {{.EnableIPv6}}", "six").run().good()
                    .text()).isEqualTo("false true");
            client.to(engine).and("network", "create", "--subnet", "10.213.22.0/24", "preferred").run().good();
            client.to(engine).and("run", "-d", "--name", "two", "--network", "four", "--network",
                    "name=preferred,gw-priority=5", "busybox", "sleep", "600").run().good();
            assertThat(ask(engine, "exec", "two", "ip", "-4", "route").text()).contains("default via 10.213.22.1 ");
            assertThat(ask(engine, "inspect", "-f", "{{.NetworkSettings.Networks.preferred.GwPriority}}", "two").text())
                    .isEqualTo("5");
            client.to(engine).and("network", "disconnect", "preferred", "two").run().good();
            assertThat(ask(engine, "exec", "two", "ip", "-4", "route").text()).contains("default via 10.213.21.1 ");
            client.to(engine).and("network", "connect", "--gw-priority", "9", "preferred", "two").run().good();
            assertThat(ask(engine, "exec", "two", "ip", "-4", "route").text()).contains("default via 10.213.22.1 ");
            engine.remember(ask(engine, "ps", "-aq", "--no-trunc").lines());
            ask(engine, "rm", "-f", "server", "two");
            ask(engine, "network", "rm", "six", "four", "preferred");
        }
    }

    private static Stream<Client> clients() {
        return Stream.of(Client.docker28(), Client.carafe());
    }

    /// Not questions of the contract: Docker needs a kernel with dummy links for networks without a parent, and the newer
    /// client a newer Docker for hardware addresses.
    @ParameterizedTest
    @MethodSource("allClients")
    void linksHaveTheHardwareAddressAskedForAndShareAParent(Client client) throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            client.to(engine).and("run", "-d", "--name", "mac", "--mac-address", "02:42:0a:d5:0b:77", "busybox", "sleep", "600")
                    .run().good();
            assertThat(ask(engine, "exec", "mac", "ip", "link", "show", "eth0").text()).contains("link/ether 02:42:0a:d5:0b:77");
            assertThat(ask(engine, "inspect", "-f", "{{.NetworkSettings.Networks.bridge.MacAddress}}", "mac").text())
                    .isEqualTo("02:42:0a:d5:0b:77");
            client.to(engine).and("network", "create", "-d", "macvlan", "--subnet", "10.213.12.0/24", "--gateway",
                    "10.213.12.1", "lan").run().good();
            client.to(engine).and("run", "-d", "--name", "shared", "--network", "lan", "--ip", "10.213.12.77", "busybox",
                    "sleep", "600").run().good();
            assertThat(ask(engine, "exec", "shared", "ip", "-o", "-4", "addr", "show", "eth0").text())
                    .contains("inet 10.213.12.77/24");
            assertThat(ask(engine, "exec", "shared", "ip", "-4", "route").text()).contains("10.213.12.0/24 dev eth0");
            assertThat(client.to(engine).and("run", "--rm", "--network", "lan", "busybox", "ping", "-c", "1", "-W", "5",
                    "10.213.12.77").run().good().text()).contains("1 packets received");
            assertThat(client.to(engine).and("network", "inspect", "-f",
                    "{{.Driver}}{{range .Containers}} {{.IPv4Address}}{{end}}", "lan").run().good().text())
                    .isEqualTo("macvlan 10.213.12.77/24");
            engine.remember(ask(engine, "ps", "-aq", "--no-trunc").lines());
            ask(engine, "rm", "-f", "shared");
            ask(engine, "network", "rm", "lan");
            ask(engine, "rm", "-f", "mac");
        }
    }

    private static Stream<Client> allClients() {
        return Stream.of(Client.docker20(), Client.docker28(), Client.carafe());
    }

    @Test
    void containersKeepTheirAddressesWhenTheDaemonDies() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            ask(engine, "run", "-d", "--name", "first", "busybox", "sleep", "600");
            ask(engine, "run", "-d", "--name", "second", "busybox", "sleep", "600");
            String address = address(engine, "second");
            engine.kill();
            engine.start();
            assertThat(address(engine, "second")).isEqualTo(address);
            assertThat(ask(engine, "exec", "first", "ping", "-c", "1", "-W", "5", address).text()).contains("1 packets received");
            ask(engine, "run", "-d", "--name", "third", "busybox", "sleep", "600");
            assertThat(address(engine, "third")).isNotIn(address, address(engine, "first"));
            engine.remember(ask(engine, "ps", "-aq", "--no-trunc").lines());
            ask(engine, "rm", "-f", "first", "second", "third");
        }
    }

    @Test
    void whatTheEngineWasToldOfNamesIsForThoseWhoSayNothing() throws Exception {
        try (var engine = new CarafeDaemon().with("--dns", "10.99.0.1", "--dns-opt", "ndots:3", "--dns-search", "corp.example",
                "--host-gateway-ip", "10.99.0.7", "--host-gateway-ip", "fd00::7")) {
            engine.start();
            load(engine);
            assertThat(ask(engine, "run", "--rm", "--add-host", "up:host-gateway", "busybox", "cat", "/etc/resolv.conf",
                    "/etc/hosts").lines()).contains("nameserver 10.99.0.1", "search corp.example", "options ndots:3",
                    "10.99.0.7\tup", "fd00::7\tup");
            assertThat(ask(engine, "run", "--rm", "--dns", "10.99.0.2", "--dns-search", "other.example", "busybox", "cat",
                    "/etc/resolv.conf").lines())
                    .containsExactly("nameserver 10.99.0.2", "search other.example", "options ndots:3");
            ask(engine, "network", "create", "lan");
            assertThat(ask(engine, "run", "--rm", "--network", "lan", "busybox", "cat", "/etc/resolv.conf").lines())
                    .containsExactly("nameserver 127.0.0.11", "search corp.example", "options ndots:3");
            ask(engine, "network", "rm", "lan");
        }
    }

    @Test
    void anotherRouterOfTheDefaultBridgeIsTheDefaultRoute() throws Exception {
        try (var engine = new CarafeDaemon().with("--bip", "172.31.176.1/24", "--default-gateway", "172.31.176.254")) {
            engine.start();
            load(engine);
            assertThat(ask(engine, "run", "--rm", "busybox", "ip", "route").text())
                    .contains("default via 172.31.176.254 dev eth0", "172.31.176.0/24 dev eth0");
            assertThat(ask(engine, "network", "inspect", "-f", "{{json .IPAM.Config}}", "bridge").text())
                    .contains("\"Gateway\":\"172.31.176.1\"", "\"DefaultGatewayIPv4\":\"172.31.176.254\"");
        }
    }

    @Test
    void settingsOfOneInterfaceAreItsOwn() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            ask(engine, "network", "create", "--subnet", "10.213.12.0/24", "lan");
            String option = "driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.";
            String[] show = {"busybox", "sh", "-c", "cd /proc/sys/net/ipv4/conf; echo $(cat eth0/log_martians"
                    + " eth0/rp_filter lo/log_martians)"};
            for (var client : List.of(CLIENT, Client.carafe())) {
                assertThat(client.to(engine).and("run", "--rm", "--network", "name=lan,\"" + option
                        + "log_martians=1,net.ipv4.conf.IFNAME.rp_filter=2\"").and(show).run().good().text()).isEqualTo("1 2 0");
                var refused = client.to(engine).and("run", "--rm", "--network", "name=lan,driver-opt="
                        + "com.docker.network.endpoint.sysctls=net.ipv4.ip_forward=1").and(show).run();
                assertThat(refused.code()).isEqualTo(125);
                assertThat(refused.err()).contains("invalid sysctl setting for an interface: net.ipv4.ip_forward=1");
            }
            engine.remember(ask(engine, "ps", "-aq", "--no-trunc").lines());
            ask(engine, "network", "rm", "lan");
        }
    }

    @Test
    void explainTellsTheWayIntoTheNetworks() throws Exception {
        try (var engine = new CarafeDaemon()) {
            engine.start();
            load(engine);
            ask(engine, "network", "create", "--subnet", "10.213.11.0/24", "lan");
            var run = Client.carafe().to(engine).and("run", "--rm", "--explain", "--network", "lan", "-p", "127.0.0.1::80",
                    "busybox", "true").run().good();
            assertThat(run.err()).contains("The container's way into its networks", "tcp 127.0.0.1:any port for 80",
                    "lan: 10.213.11.2/24", "RTM_NEWLINK veth", "RTM_NEWROUTE default via 10.213.11.1 dev eth0",
                    "→ 10.213.11.2:80", "bind(127.0.0.11)", "[veth(4)]").containsPattern("[0-9] [µm]s +RTM_NEWLINK veth");
            var plan = Client.carafe().to(engine).and("run", "--dry-run", "--network", "lan", "-p", "8080:80", "busybox",
                    "true").run().good();
            assertThat(plan.text()).contains("tcp 8080 for 80", "lan: a free address of 10.213.11.0/24",
                    "RTM_NEWLINK veth veth… (port of", "[network_namespaces(7)]");
            ask(engine, "network", "rm", "lan");
        }
    }
}
