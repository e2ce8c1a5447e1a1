package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Containers linked to others, through each client. Not a question of the contract: Docker's own engine has no default
/// bridge in the tests.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeLinksTest {

    private final CarafeDaemon engine;

    CarafeLinksTest() throws Exception {
        engine = new CarafeDaemon();
    }

    static Stream<Client> clients() {
        return Stream.of(Client.docker20(), Client.docker28(), Client.carafe());
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        Client.docker28().to(engine).and("rm", "-f").and(known.toArray(String[]::new)).run().good();
        docker("network", "prune", "-f");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome ask(Client client, String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    private Outcome docker(String... words) throws Exception {
        return ask(Client.docker28(), words);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aLinkTellsNameAddressPortsAndEnvironment(Client client) throws Exception {
        docker("create", "--name", "db", "--expose", "5432", "--expose", "6000-6001/udp", "-e", "MODE=fast", "busybox", "sleep",
                "600");
        ask(client, "create", "--name", "web", "--link", "db:data-base", "--link", "db", "busybox", "sh", "-c",
                "env | sort; cat /etc/hosts; sleep 600");
        assertThat(client.to(engine).and("start", "web").run().err())
                .contains("Cannot link to a non running container: /db AS /web/d");
        docker("start", "db");
        ask(client, "start", "web");
        String address = docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "db").text();
        String host = docker("inspect", "-f", "{{.Config.Hostname}}", "db").text();
        Deadline.await("the program has told all", () -> docker("logs", "web").text().contains(host + " db"));
        assertThat(docker("logs", "web").lines()).contains(
                "DB_PORT=tcp://" + address + ":5432", "DATA_BASE_PORT=tcp://" + address + ":5432",
                "DATA_BASE_PORT_5432_TCP=tcp://" + address + ":5432", "DATA_BASE_PORT_5432_TCP_ADDR=" + address,
                "DATA_BASE_PORT_5432_TCP_PORT=5432", "DATA_BASE_PORT_5432_TCP_PROTO=tcp",
                "DATA_BASE_PORT_6000_UDP=udp://" + address + ":6000",
                "DATA_BASE_PORT_6000_UDP_START=udp://" + address + ":6000", "DATA_BASE_PORT_6000_UDP_PORT_START=6000",
                "DATA_BASE_PORT_6000_UDP_END=udp://" + address + ":6001", "DATA_BASE_PORT_6000_UDP_PORT_END=6001",
                "DATA_BASE_NAME=/web/data-base", "DB_NAME=/web/db", "DATA_BASE_ENV_MODE=fast",
                address + "\tdata-base " + host + " db", address + "\tdb " + host);
        assertThat(docker("exec", "web", "env").lines()).contains("DB_NAME=/web/db");
        docker("stop", "-t", "0", "db");
        docker("run", "-d", "--name", "first-come", "busybox", "sleep", "600");
        docker("start", "db");
        String moved = docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "db").text();
        assertThat(docker("exec", "web", "cat", "/etc/hosts").lines()).contains(moved + "\tdb " + host);
        assertThat(client.to(engine).and("run", "--link", "nobody", "busybox", "true").run().err())
                .contains("could not get container for nobody: No such container: nobody");
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aLinkInANetworkIsANameForOneOnly(Client client) throws Exception {
        docker("network", "create", "--subnet", "10.213.10.0/24", "linked");
        docker("run", "-d", "--name", "store", "--network", "linked", "busybox", "sleep", "600");
        ask(client, "run", "-d", "--name", "front", "--network", "linked", "--link", "store:database", "busybox", "sleep", "600");
        docker("run", "-d", "--name", "late", "busybox", "sleep", "600");
        ask(client, "network", "connect", "--link", "store:Later", "linked", "late");
        assertThat(docker("exec", "front", "nslookup", "-type=a", "database", "127.0.0.11").text()).contains("10.213.10.2");
        assertThat(docker("exec", "late", "nslookup", "-type=a", "later", "127.0.0.11").text()).contains("10.213.10.2");
        assertThat(docker("exec", "front", "env").text()).doesNotContain("DATABASE_");
        assertThat(Client.docker28().to(engine).and("exec", "store", "nslookup", "-type=a", "database", "127.0.0.11").run()
                .text()).doesNotContain("10.213.10.2");
    }

    @Test
    void whoSharesProcessesIsRestartedWithTheirOwner() throws Exception {
        restarted(owner -> docker("restart", "-t", "0", owner));
    }

    @Test
    void whoSharesProcessesIsRestartedWhenTheirOwnerEnds() throws Exception {
        restarted(owner -> Command.of("kill", "-9", docker("inspect", "-f", "{{.State.Pid}}", owner).text()).run().good());
    }

    private interface End {
        void of(String container) throws Exception;
    }

    private void restarted(End end) throws Exception {
        docker("run", "-d", "--name", "owner", "--restart", "always", "busybox", "sleep", "600");
        docker("run", "-d", "--name", "guest", "--restart", "always", "--pid", "container:owner", "busybox", "sleep", "600");
        String before = docker("inspect", "-f", "{{.State.Pid}}", "guest").text();
        end.of("owner");
        Deadline.await("the guest runs again in the owner's new namespace", () -> {
            var pid = docker("inspect", "-f", "{{.State.Pid}}", "guest").text();
            var guest = namespace("guest");
            return !pid.equals(before) && guest.code() == 0 && guest.text().equals(namespace("owner").text());
        });
    }

    /// Of processes in the container; refused while it is between two lives.
    private Outcome namespace(String container) throws Exception {
        return Client.docker28().to(engine).and("exec", container, "readlink", "/proc/self/ns/pid").run();
    }
}
