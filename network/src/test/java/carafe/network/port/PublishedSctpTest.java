package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Associations through a published port. Sockets of SCTP are a module that a kernel need not have, so this runs in the
/// virtual machine.
@Tag("modules")
class PublishedSctpTest {

    private Town town;
    private PortFilter filter;
    private Process server;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> PortFilter.open("test", Optional.empty()));
        filter.hold();
        filter.admit(PortFilterTest.bridge("br0", false, Map.of()));
        server = town.start("web", "socat", "-d", "-d", "SCTP4-LISTEN:132,fork", "SYSTEM:echo web $SOCAT_PEERADDR");
        String said = "";
        while (!said.contains("listening")) { // until it ends, which ends its output
            int next = server.getInputStream().read();
            assertThat(next).as("socat: " + said).isNotNegative();
            said += (char) next;
        }
    }

    @AfterEach
    void leave() throws Exception {
        server.descendants().forEach(ProcessHandle::destroyForcibly);
        server.destroyForcibly().waitFor();
        filter.close();
        town.close();
    }

    @Test
    void anAssociationGoesThroughThePublishedPort() throws Exception {
        filter.publish("c", List.of(PortFilterTest.target(Protocol.SCTP, "0.0.0.0", 8132, "172.30.0.2", 132)));
        assertThat(ask("outside", "10.9.0.1", 8132)).isEqualTo("web 10.9.0.2");
        assertThat(ask("host", "10.9.0.1", 8132)).isEqualTo("web 10.9.0.1");
        assertThat(ask("peer", "10.9.0.1", 8132)).as("neighbour").isEqualTo("web 172.30.0.1");
        refused("outside", "10.9.0.1", 132);
        refused("outside", "172.30.0.2", 132); // unpublished ports are closed to who routes to them
        filter.publish("c", List.of());
        refused("outside", "10.9.0.1", 8132);
    }

    private void refused(String place, String address, int port) {
        assertThatThrownBy(() -> town.run(
                place, "socat", "-u", "SCTP4:" + address + ":" + port + ",connect-timeout=2", "STDOUT"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(": Connection "); // refused, or nobody answered
    }

    private String ask(String place, String address, int port) throws Exception {
        return town.run(place, "socat", "-u", "SCTP4:" + address + ":" + port + ",connect-timeout=30", "STDOUT").strip();
    }
}
