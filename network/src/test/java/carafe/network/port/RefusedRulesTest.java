package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
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
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The kernel refuses to change the table while ports are given up. Nobody who has the port or the address later gets what
/// was meant for the one before him, and nothing stays taken.
class RefusedRulesTest {

    @TempDir
    Path directory;

    private Town town;
    private PortFilter filter;
    private PublishedPorts ports;
    private volatile boolean refusing;
    private boolean ended;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty(), PortFilter::kernels, (nftables, transaction) -> {
                if (refusing) {
                    throw new KernelException("sendmsg", "nftables", Errno.ENOBUFS);
                }
                nftables.apply(transaction);
            });
            opened.admit(PortFilterTest.bridge("br0", false, Map.of()));
            return opened;
        });
        ports = town.in("host", () -> new PublishedPorts(filter, PublishedPorts.Ways.NONE, directory, Failpoints.none()));
        filter.hold();
    }

    @AfterEach
    void leave() throws Exception {
        refusing = false;
        if (!ended) {
            end();
        }
        town.close();
    }

    /// The engine ends.
    private void end() {
        ended = true;
        ports.close();
        filter.close();
    }

    /// The container `id` in br0 at this address, in a network of its own for each priority.
    private static Attached at(String id, String address, long priority) throws Exception {
        var network = new Network("id-of-br0-" + priority, "front", Instant.EPOCH, Driver.BRIDGE, Network.Addressing.NONE,
                Network.Reach.USUAL, "br0", Map.of(), Map.of());
        var endpoint = new Endpoint("e".repeat(64), network.id(), "eth0", "vweb", MacAddress.parse("02:42:ac:1e:00:02"),
                Optional.of(Cidr.parseHost(address + "/16")), Optional.empty(),
                new Endpoint.Gateways(Optional.of(IpAddress.parse("172.30.0.1")), Optional.empty(), priority, "front"),
                List.of(), List.of());
        return new Attached(new Sandbox(id, "/none", List.of(endpoint)), network, endpoint, false);
    }

    private void publish(String id, Attached attached) throws Exception {
        town.in("host", () -> ports.reserve(id, "name-" + id,
                List.of(new PortRequest(Protocol.TCP, 80, Optional.empty(), false, 8080, 8080)),
                new Families(true, false, true)));
        ports.attached(attached);
    }

    private void end(Attached attached) {
        ports.detached(attached.sandbox().containerId(), attached.endpoint());
        ports.release(attached.sandbox().containerId());
    }

    private String asked() throws Exception {
        return Service.ask(town, "outside", "10.9.0.1", 8080);
    }

    private boolean isPublished() throws Exception {
        return town.run("host", "nft", "list", "map", "inet", "carafe-test", "everywhere4").contains("8080");
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void eventually(Condition condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void whoHasTheAddressNextIsNotLetInAsLongAsTheyComeThere() throws Exception {
        var gone = at("c1", "172.30.0.2", 0);
        publish("c1", gone);
        refusing = true;
        end(gone);
        assertThat(ports.bindings("c1")).isEmpty();
        assertThat(isPublished()).isTrue();
        assertThatThrownBy(() -> ports.attached(at("c2", "172.30.0.2", 0))).isInstanceOf(EngineException.Unavailable.class)
                .hasMessageStartingWith("packets for ports of a container that is gone still come to its address 172.30.0.2")
                .hasMessageContaining("no buffer space");
        ports.attached(at("c3", "172.30.0.3", 0));
        refusing = false;
        ports.attached(at("c2", "172.30.0.2", 0));
        assertThat(isPublished()).isFalse();
    }

    @Test
    void whoWantsThePortNextGetsItWithItsPacketsOrNotAtAll() throws Exception {
        var gone = at("c1", "172.30.0.2", 0);
        var next = at("c2", "172.30.0.3", 0);
        publish("c1", gone);
        refusing = true;
        end(gone);
        assertThatThrownBy(() -> publish("c2", next)).isInstanceOf(EngineException.Internal.class)
                .hasMessageContaining("no buffer space");
        end(next);
        refusing = false;
        publish("c2", next);
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "peer", 80)) {
            assertThat(asked()).isEqualTo("peer 10.9.0.2");
        }
    }

    @Test
    void theyAreTakenAwayAsSoonAsTheKernelLetsThem() throws Exception {
        var gone = at("c1", "172.30.0.2", 0);
        publish("c1", gone);
        refusing = true;
        end(gone);
        refusing = false;
        eventually(() -> !isPublished());
        assertThat(filter.fault()).isEmpty();
    }

    @Test
    void theyAreTakenAwayAtTheLatestWhenTheEngineEnds() throws Exception {
        var gone = at("c1", "172.30.0.2", 0);
        publish("c1", gone);
        refusing = true;
        end(gone);
        refusing = false;
        end();
        assertThat(isPublished()).isFalse();
    }

    @Test
    void whoLeavesOneNetworkIsReachedInTheOtherOnceTheKernelLetsHim() throws Exception {
        var low = at("c1", "172.30.0.2", 0);
        var high = at("c1", "172.30.0.3", 9);
        publish("c1", low);
        ports.attached(new Attached(new Sandbox("c1", "/none", List.of(low.endpoint(), high.endpoint())), high.network(),
                high.endpoint(), true));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "peer", 80)) {
            assertThat(asked()).isEqualTo("peer 10.9.0.2");
            refusing = true;
            ports.detached("c1", high.endpoint());
            assertThatThrownBy(() -> ports.attached(at("c2", "172.30.0.3", 0))).hasMessageContaining("172.30.0.3");
            refusing = false;
            eventually(() -> asked().equals("web 10.9.0.2"));
        }
    }
}
