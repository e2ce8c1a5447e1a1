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

    /// Clients pull the image when they hear that something was not found.
    @Test
    void aMistypedNetworkPullsNoImage() throws Exception {
        for (String network : List.of("nope", "container:nope")) {
            var refused = failing(125, "run", "--rm", "--network", network, IMAGE, "true");
            assertThat(refused.err()).doesNotContain("Unable to find image").contains(network.equals("nope")
                    ? "network nope not found" : "No such container: nope");
        }
        assertThat(docker("ps", "-aq").text()).isEmpty();
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
    void aNetworkMayHaveBothFamilies() throws Exception {
        network("lan", "--ipv6", "--subnet", "10.213.10.0/24", "--subnet", "fd00:213:10::/64");
        docker("run", "-d", "--name", "server", "--network", "lan", "--ip6", "fd00:213:10::77", IMAGE, "sleep", "600");
        assertThat(docker("exec", "server", "ip", "-o", "addr", "show", "eth0").text())
                .contains("inet 10.213.10.2/24").contains("inet6 fd00:213:10::77/64");
        assertThat(docker("exec", "server", "ip", "-4", "route").text()).contains("default via 10.213.10.1 dev eth0");
        assertThat(docker("exec", "server", "ip", "-6", "route").text()).contains("default via fd00:213:10::1 dev eth0");
        for (String address : List.of("10.213.10.2", "fd00:213:10::77", "fd00:213:10::1")) {
            assertThat(docker("run", "--rm", "--network", "lan", IMAGE, "ping", "-c", "1", "-W", "5", address).text())
                    .contains("1 packets received");
        }
        assertThat(inspect("server", "{{with .NetworkSettings.Networks.lan}}{{.GlobalIPv6Address}} {{.GlobalIPv6PrefixLen}}"
                + " {{.IPv6Gateway}} {{.IPAMConfig.IPv6Address}}{{end}}"))
                .isEqualTo("fd00:213:10::77 64 fd00:213:10::1 fd00:213:10::77");
        assertThat(docker("network", "inspect", "-f", "{{.EnableIPv6}}{{range .Containers}} {{.IPv6Address}}{{end}}", "lan")
                .text()).isEqualTo("true fd00:213:10::77/64");
        assertThat(failing(125, "run", "--rm", "--network", "lan", "--ip6", "fd00:213:10::77", IMAGE, "true").err())
                .contains("Address already in use");
    }

    @Test
    void linksHaveTheMtuAndTheAddressesAskedFor() throws Exception {
        network("lan", "--subnet", "10.213.11.0/24", "-o", "com.docker.network.driver.mtu=1400");
        docker("run", "-d", "--name", "server", "--network", "lan", "--link-local-ip", "169.254.77.5", IMAGE,
                "sleep", "600");
        assertThat(docker("exec", "server", "ip", "link", "show", "eth0").text()).contains("mtu 1400 ");
        assertThat(docker("exec", "server", "ip", "-o", "-4", "addr", "show", "eth0").text()).contains("inet 10.213.11.2/24")
                .contains("inet 169.254.77.5/");
        assertThat(docker("run", "--rm", "--network", "lan", IMAGE, "ping", "-c", "1", "-W", "5", "-s", "1372", "10.213.11.2")
                .text()).contains("1 packets received");
        assertThat(inspect("server", "{{with .NetworkSettings.Networks.lan}}{{.IPAMConfig.LinkLocalIPs}}{{end}}"))
                .isEqualTo("[169.254.77.5]");
    }

    @Test
    void aConfigurationServesOtherNetworks() throws Exception {
        network("config", "--config-only", "--subnet", "10.213.13.0/24", "--gateway", "10.213.13.254", "--label", "a=b",
                "-o", "com.docker.network.driver.mtu=1400");
        String told = "{{.Driver}} {{.Scope}} {{.ConfigOnly}} [{{.ConfigFrom.Network}}] {{range .IPAM.Config}}{{.Subnet}}"
                + " {{.Gateway}}{{end}} {{.Labels}} {{.Options}}";
        String copied = "10.213.13.0/24 10.213.13.254 map[a:b] map[com.docker.network.driver.mtu:1400]";
        assertThat(docker("network", "inspect", "-f", told, "config").text()).isEqualTo("null local true [] " + copied);
        made.addFirst("lan");
        docker("network", "create", "--config-from", "config", "lan");
        assertThat(docker("network", "inspect", "-f", told, "lan").text())
                .isEqualTo("bridge local false [config] " + copied);
        assertThat(docker("run", "--rm", "--network", "lan", IMAGE, "ip", "addr", "show", "eth0").text())
                .contains("mtu 1400 ").contains("inet 10.213.13.1/24");
        assertThat(failing(1, "network", "rm", "config").err()).contains("configuration network \"config\" is in use");
        assertThat(failing(125, "run", "--rm", "--network", "config", IMAGE, "true").err())
                .contains("cannot create endpoint on configuration-only network");
        assertThat(failing(1, "network", "create", "--config-from", "nope", "more").err())
                .contains("configuration network \"nope\" does not exist");
        assertThat(failing(1, "network", "create", "--config-from", "config", "--label", "c=d", "more").err())
                .contains("user specified configurations are not supported if the network depends on a configuration network");
        assertThat(failing(1, "network", "create", "--config-only", "--config-from", "config", "more").err())
                .contains("a configuration network cannot depend on another configuration network");
        assertThat(failing(1, "network", "create", "--config-only", "--internal", "more").err())
                .contains("configuration network can only contain network specific fields.");
        docker("network", "rm", "lan");
        docker("network", "rm", "config");
    }

    @Test
    void whatBelongsToASwarmIsRefused() throws Exception {
        assertThat(failing(1, "network", "create", "--scope", "swarm", "more").err())
                .contains("cannot create a swarm scoped network when swarm is not active");
        assertThat(failing(1, "network", "create", "--ingress", "more").err())
                .contains("Ingress network can only be global scope network");
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
