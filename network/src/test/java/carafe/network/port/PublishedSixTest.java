package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Host;
import carafe.network.EndpointListener.Attached;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Ports of a container that has addresses of both families, as others come to them by IPv6: through the host, and in the
/// modes of its network's gateway.
class PublishedSixTest {

    private static final String MODE = "com.docker.network.bridge.gateway_mode_ipv6";
    private static final String CALLS = "net/bridge/bridge-nf-call-ip6tables";

    @TempDir
    Path directory;

    private Town town;
    private PortFilter filter;
    private PublishedPorts ports;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> PortFilter.open("test", Optional.empty()));
        open(false);
        filter.hold();
    }

    private void open(boolean translated) throws Exception {
        ports = town.in("host", () -> new PublishedPorts(filter, new PublishedPorts.Ways(translated
                ? Optional.of(new Translator(filter, "7c5f1b7e-0000-4000-8000-000000000001", true, Failpoints.none()))
                : Optional.empty(), false), directory, Failpoints.none()));
    }

    @AfterEach
    void leave() throws Exception {
        ports.close();
        filter.close();
        town.close();
    }

    /// `web` publishes its port 80 at 8080, in a network with these options.
    private void publish(Map<String, String> options) throws Exception {
        var wish = PublishedPortsTest.request(Protocol.TCP, 80, "", 8080, 8080);
        town.in("host", () -> { // sysctls are those of the thread's namespace
            filter.admit(PortFilterTest.bridge("br0", false, options));
            return ports.reserve("c1", "name-c1", List.of(wish), new Families(true, true, true));
        });
        attach(options);
    }

    private void attach(Map<String, String> options) throws Exception {
        Attached attached = PublishedPortsTest.dual(options);
        town.in("host", () -> {
            ports.attached(attached);
            return null;
        });
    }

    /// Where br_netfilter is on, packets are translated on the bridge, and have to leave by the port they came in by.
    @Test
    void aContainerReachesItsOwnPortByTheHostsAddress() throws Exception {
        town.run("peer", "ip", "addr", "add", "fd00:30::3/64", "dev", "eth0", "nodad");
        town.run("peer", "ip", "route", "add", "default", "via", "fd00:30::1");
        publish(Map.of());
        try (var _ = Service.tcp(town, "web", 80)) {
            for (String calls : List.of("0", "1")) {
                town.in("host", () -> {
                    Host.setSysctl(CALLS, calls);
                    return null;
                });
                attach(Map.of());
                for (String address : List.of("fd00:9::1", "fd00:30::1")) {
                    assertThat(Service.ask(town, "web", address, 8080)).as("itself, %s", calls)
                            .isEqualTo("web fd00:30:0:0:0:0:0:1");
                    assertThat(Service.ask(town, "peer", address, 8080)).as("neighbour, %s", calls)
                            .isEqualTo("web fd00:30:0:0:0:0:0:1");
                }
                assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            }
        }
    }

    /// Linux has no route_localnet for IPv6: it is the translator that leads from ::1, to the container's IPv4.
    @Test
    void theHostsLoopbackLeadsToAContainerOfBothFamilies() throws Exception {
        ports.close();
        open(true);
        publish(Map.of());
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.ask(town, "host", "fd00:9::1", 8080)).as("by its own IPv6").startsWith("web fd00:");
            assertThat(Service.ask(town, "host", "::1", 8080)).isEqualTo("web 192.0.0.1");
            ports.release("c1");
            assertThat(Service.askInVain(town, "host", "::1", 8080)).isEqualTo("refused");
        }
    }

    /// Clients that are refused there go on to 127.0.0.1.
    @Test
    void withoutATranslatorTheHostsLoopbackIsRefusedAtOnce() throws Exception {
        publish(Map.of());
        try (var _ = Service.tcp(town, "web", 80)) {
            assertThat(Service.askInVain(town, "host", "::1", 8080)).isEqualTo("refused");
            assertThat(Service.ask(town, "host", "127.0.0.1", 8080)).isEqualTo("web 172.30.0.1");
        }
    }

    @Test
    void aRoutedNetworkIsReachedByItsOwnAddressesAtPublishedPortsAlone() throws Exception {
        publish(Map.of(MODE, "routed"));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81);
                var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:30::2", 80)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 81)).as("not published").isEqualTo("silence");
            assertThat(Service.askInVain(town, "outside", "fd00:9::1", 8080)).as("not translated").isEqualTo("refused");
            assertThat(Service.ask(town, "web", "fd00:9::2", 80)).as("not masked").isEqualTo("outside fd00:30:0:0:0:0:0:2");
            assertThat(Service.ask(town, "outside", "10.9.0.1", 8080)).as("IPv4 has a mode of its own").isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 80)).isEqualTo("silence");
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).isEqualTo("outside 10.9.0.1");
            ports.release("c1");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 80)).isEqualTo("silence");
        }
    }

    @Test
    void anUnprotectedNetworkIsReachedAtEveryPort() throws Exception {
        publish(Map.of(MODE, "nat-unprotected"));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 81);
                var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:30::2", 81)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.ask(town, "web", "fd00:9::2", 80)).as("masked").isEqualTo("outside fd00:9:0:0:0:0:0:1");
            assertThat(Service.askInVain(town, "outside", "172.30.0.2", 81)).as("in this family only").isEqualTo("silence");
        }
    }

    @Test
    void aTranslatedNetworkIsReachedThroughTheHostAlone() throws Exception {
        publish(Map.of(MODE, "nat"));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "outside", 80)) {
            assertThat(Service.ask(town, "outside", "fd00:9::1", 8080)).isEqualTo("web fd00:9:0:0:0:0:0:2");
            assertThat(Service.askInVain(town, "outside", "fd00:30::2", 80)).isEqualTo("silence");
            assertThat(Service.ask(town, "web", "fd00:9::2", 80)).isEqualTo("outside fd00:9:0:0:0:0:0:1");
        }
    }
}
