package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// A container is cut off from its network and comes back, under each client: packets stop, names follow, and what was
/// open goes on. Not a question of the contract: the reference engine runs without iptables, which its names need.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafePartitionTest {

    private final EngineUnderTest engine;
    private Client client = Client.docker28();

    CarafePartitionTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        docker("load", "--input", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> containers = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(containers);
        if (!containers.isEmpty()) {
            client.to(engine).and("rm", "-f").and(containers.toArray(String[]::new)).run().good();
        }
        docker("network", "prune", "-f");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    @Test
    void underDocker28() throws Exception {
        cutOffAndBack(Client.docker28());
    }

    @Test
    void underDocker20() throws Exception {
        cutOffAndBack(Client.docker20());
    }

    @Test
    void underCarafe() throws Exception {
        cutOffAndBack(Client.carafe());
    }

    private void cutOffAndBack(Client with) throws Exception {
        client = with;
        docker("network", "create", "--subnet", "10.215.10.0/24", "lan");
        docker("network", "create", "--subnet", "10.215.11.0/24", "side");
        docker("run", "-d", "--name", "server", "--network", "lan", "--ip", "10.215.10.20", "--network-alias", "db", "busybox",
                "sh", "-c", "sleep 600 | nc -l -p 9000 > /got");
        docker("run", "-d", "--name", "asker", "--network", "lan", "busybox", "sh", "-c",
                "until (echo before; until [ -e /more ]; do sleep 0.1; done; echo after; sleep 600) | nc db 9000; do sleep 0.1; done");
        Deadline.await("the two have spoken", () -> said().contains("before"));
        assertThat(pinged("server")).contains("(10.215.10.20)").contains("1 packets received");

        docker("network", "disconnect", "lan", "server");
        assertThat(ping("10.215.10.20").endedWith(1).out()).contains("0 packets received");
        unknown("server");
        unknown("db");
        docker("exec", "asker", "touch", "/more");

        // The same address again: what was open goes on.
        docker("network", "connect", "--ip", "10.215.10.20", "--alias", "store", "lan", "server");
        Deadline.await("what was said meanwhile has arrived", () -> said().contains("after"));
        assertThat(pinged("server")).contains("(10.215.10.20)").contains("1 packets received");
        assertThat(pinged("store")).contains("(10.215.10.20)").contains("1 packets received");
        unknown("db");

        // Another name of its own: the old one is free.
        docker("rename", "server", "shop");
        assertThat(pinged("shop")).contains("(10.215.10.20)").contains("1 packets received");
        unknown("server");
        docker("rename", "shop", "server");

        // Another address: the name leads there.
        docker("network", "disconnect", "lan", "server");
        docker("network", "connect", "--ip", "10.215.10.30", "lan", "server");
        assertThat(pinged("server")).contains("(10.215.10.30)").contains("1 packets received");

        // Another network: the name is found where both are.
        docker("network", "connect", "side", "asker");
        docker("network", "connect", "--ip", "10.215.11.20", "side", "server");
        docker("network", "disconnect", "lan", "server");
        assertThat(pinged("server")).contains("(10.215.11.20)").contains("1 packets received");
        docker("network", "disconnect", "side", "asker");
        unknown("server");
    }

    private Outcome docker(String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    private String said() throws Exception {
        return client.to(engine).and("exec", "server", "cat", "/got").run().out();
    }

    private Outcome ping(String name) throws Exception {
        return client.to(engine).and("exec", "asker", "ping", "-c", "1", "-W", "2", name).run();
    }

    private String pinged(String name) throws Exception {
        return ping(name).good().text();
    }

    private void unknown(String name) throws Exception {
        assertThat(ping(name).endedWith(1).err()).contains("bad address '" + name + "'");
    }
}
