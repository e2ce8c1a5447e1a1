package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Networks that users make: who is in them, who reaches whom, what the client says of them.
abstract class NetworkContract extends Contract {

    private final List<String> made = new ArrayList<>();

    NetworkContract(DockerCommandContract whole) {
        super(whole);
    }

    /// Containers go first: the order of these methods is that of their classes, ours before the parent's.
    @AfterEach
    void removeNetworks() throws Exception {
        List<String> left = docker("ps", "-aq", "--no-trunc").lines();
        if (!left.isEmpty()) {
            command("rm", "-f").and(left.toArray(String[]::new)).run().good();
        }
        for (String name : made) {
            command("network", "rm", name).run();
        }
        made.clear();
    }

    private String network(String name, String... options) throws Exception {
        made.add(name);
        return command("network", "create").and(options).and(name).run().good().text();
    }

    @Test
    void aNetworkIsMadeListedInspectedAndRemoved() throws Exception {
        String id = network("lan", "--subnet", "10.213.1.0/24", "--ip-range", "10.213.1.128/25", "--gateway", "10.213.1.254",
                "--label", "a=b", "--aux-address", "host=10.213.1.130");
        assertThat(id).matches("[0-9a-f]{64}");
        assertThat(docker("network", "ls", "--filter", "name=lan", "--format", "{{.Name}} {{.Driver}} {{.Scope}}").text())
                .isEqualTo("lan bridge local");
        assertThat(docker("network", "ls", "-q", "--no-trunc", "--filter", "label=a=b").text()).isEqualTo(id);
        assertThat(docker("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}}"
                + "{{end}} {{index .Labels \"a\"}}", "lan").text())
                .isEqualTo("10.213.1.0/24 10.213.1.128/25 10.213.1.254 b");
        assertThat(failing(1, "network", "create", "lan").err()).contains("network with name lan already exists");
        assertThat(failing(1, "network", "create", "--subnet", "10.213.1.0/25", "more").err())
                .contains("Pool overlaps with other one on this address space");
        assertThat(docker("network", "rm", "lan").text()).isEqualTo("lan");
        assertThat(failing(1, "network", "inspect", "lan").err())
                .containsAnyOf("network lan not found", "No such network: lan"); // docker 20.10 has words of its own
        assertThat(failing(1, "network", "rm", "bridge").err()).contains("bridge");
    }

    @Test
    void containersOfANetworkReachEachOther() throws Exception {
        network("lan", "--subnet", "10.213.2.0/24");
        docker("run", "-d", "--name", "server", "--network", "lan", "--ip", "10.213.2.77", "--network-alias", "db", IMAGE,
                "sleep", "600");
        assertThat(docker("run", "--rm", "--network", "lan", IMAGE, "ping", "-c", "1", "-W", "5", "10.213.2.77").text())
                .contains("1 packets received");
        assertThat(inspect("server", "{{.NetworkSettings.Networks.lan.IPAddress}} {{.NetworkSettings.Networks.lan.Gateway}}"
                + " {{.NetworkSettings.Networks.lan.IPPrefixLen}} {{.NetworkSettings.Networks.lan.Aliases}}"))
                .startsWith("10.213.2.77 10.213.2.1 24 [db");
        assertThat(docker("exec", "server", "cat", "/etc/hosts").text()).contains("10.213.2.77\t");
        assertThat(docker("network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}", "lan").text())
                .isEqualTo("server 10.213.2.77/24");
        assertThat(failing(1, "network", "rm", "lan").err()).contains("has active endpoints");
        assertThat(failing(125, "run", "--rm", "--network", "lan", "--ip", "10.213.2.77", IMAGE, "true").err())
                .contains("Address already in use");
    }

    @Test
    void runningContainersComeAndGo() throws Exception {
        network("first", "--subnet", "10.213.3.0/24");
        network("second", "--subnet", "10.213.4.0/24");
        docker("run", "-d", "--name", "mover", "--network", "first", IMAGE, "sleep", "600");
        docker("network", "connect", "--ip", "10.213.4.9", "second", "mover");
        assertThat(docker("exec", "mover", "ip", "-o", "-4", "addr").text()).contains("10.213.3.2/24").contains("10.213.4.9/24");
        docker("network", "disconnect", "first", "mover");
        assertThat(docker("exec", "mover", "ip", "-o", "-4", "addr").text()).doesNotContain("10.213.3.").contains("10.213.4.9/24");
        assertThat(failing(1, "network", "disconnect", "first", "mover").err()).contains("is not connected to");
        docker("restart", "-t", "0", "mover");
        assertThat(docker("exec", "mover", "ip", "-o", "-4", "addr").text()).contains("10.213.4.9/24");
        assertThat(docker("ps", "--filter", "network=second", "--format", "{{.Names}}").text()).isEqualTo("mover");
    }

    @Test
    void aNetworkIsSharedWithAnotherContainer() throws Exception {
        network("lan", "--subnet", "10.213.5.0/24");
        docker("run", "-d", "--name", "owner", "--network", "lan", IMAGE, "sleep", "600");
        assertThat(docker("run", "--rm", "--network", "container:owner", IMAGE, "ip", "-o", "-4", "addr").text())
                .contains("10.213.5.2/24");
        docker("stop", "-t", "0", "owner");
        docker("create", "--name", "guest", "--network", "container:owner", IMAGE, "true");
        assertThat(failing(1, "start", "guest").err()).contains("cannot join network of a non running container");
    }

    @Test
    void unusedNetworksArePruned() throws Exception {
        network("used", "--subnet", "10.213.7.0/24");
        network("spare", "--subnet", "10.213.8.0/24");
        docker("run", "-d", "--name", "user", "--network", "used", IMAGE, "sleep", "600");
        assertThat(docker("network", "prune", "-f").text()).startsWith("Deleted Networks:").contains("spare").doesNotContain("used");
        assertThat(docker("network", "ls", "--format", "{{.Name}}").lines()).contains("used").doesNotContain("spare");
    }

    @Test
    void eventsTellOfNetworks() throws Exception {
        long begin = java.time.Instant.now().getEpochSecond();
        String id = network("told", "--subnet", "10.213.9.0/24");
        docker("run", "--rm", "--network", "told", IMAGE, "true");
        docker("network", "rm", "told");
        String until = Long.toString(java.time.Instant.now().getEpochSecond() + 1);
        Deadline.await("the network's events are there", () -> docker("events", "--since", Long.toString(begin), "--until", until,
                "--filter", "type=network", "--filter", "network=" + id, "--format", "{{.Action}}").lines()
                .equals(List.of("create", "connect", "disconnect", "destroy")));
    }
}
