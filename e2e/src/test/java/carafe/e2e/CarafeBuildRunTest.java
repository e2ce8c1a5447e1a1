package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What the program of a RUN step has around it: networks, limits, proxies, the client's ssh agent.
final class CarafeBuildRunTest extends BuildScene {

    CarafeBuildRunTest() throws Exception {}

    @Test
    void aStepMayBeInANetworkOfTheUser() throws Exception {
        run("network", "create", "--subnet", "10.214.7.0/24", "building").good();
        try {
            Path context = context("FROM busybox\nRUN ip -o -4 addr show\n");
            assertThat(run("build", "--progress", "plain", "--network", "building", context.toString()).good().err())
                    .contains("inet 10.214.7.");
        } finally {
            run("network", "rm", "building").good();
        }
        assertThat(run("build", "--network", "building", context("FROM busybox\nRUN true # gone\n").toString()).endedWith(1)
                .err()).contains("building");
    }

    @Test
    void aStepHasNoNetworkOrTheHostsWhereItSaysSo() throws Exception {
        String context = context("FROM busybox\n"
                + "RUN --network=none echo links-none $(ls /sys/class/net | wc -l)\n"
                + "RUN --network=host echo links-host $(readlink /proc/self/ns/net)\n").toString();
        assertThat(run("build", "--progress", "plain", context).endedWith(1).err()).contains("links-none 1",
                "RUN --network=host is not allowed; allow it with --allow network.host").doesNotContain("links-host net:");
        String said = run("build", "--progress", "plain", "--allow", "network.host", "--no-cache", context).good().err();
        assertThat(said).contains("links-none 1").contains("links-host " + Files.readSymbolicLink(Path.of("/proc/self/ns/net")));
    }

    @Test
    void theMemoryOfAStepIsLimited() throws Exception {
        Path context = context("FROM busybox\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1\n");
        assertThat(run("build", "--network", "none", "-m", "64m", context.toString()).endedWith(1).err())
                .contains("returned a non-zero code: 137");
        run("build", "--network", "none", "-m", "400m", context.toString()).good();
    }

    @Test
    void proxiesAreForProgramsAndLeaveNoTrace() throws Exception {
        Path context = context("FROM busybox\nRUN echo proxy $HTTP_PROXY\n");
        assertThat(run("build", "--progress", "plain", "-t", "proxied", "--network", "none", "--build-arg",
                "HTTP_PROXY=http://proxy.example:3128", context.toString()).good().err())
                .contains("proxy http://proxy.example:3128");
        assertThat(run("history", "--no-trunc", "proxied").good().text()).doesNotContain("proxy.example");
        assertThat(run("inspect", "proxied").good().text()).doesNotContain("proxy.example");
        assertThat(run("build", "--progress", "plain", "--network", "none", "--build-arg", "HTTP_PROXY=http://other.example",
                context.toString()).good().err()).contains("CACHED");
    }

    @Test
    void theClientsAgentIsThereForTheStepsThatAsk() throws Exception {
        Path socket = engine.directory().resolve("agent");
        try (var agent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            agent.bind(UnixDomainSocketAddress.of(socket));
            Path context = context("FROM busybox\nRUN --mount=type=ssh [ -S \"$SSH_AUTH_SOCK\" ] && echo agent-$((6*7))\n"
                    + "RUN [ -z \"$SSH_AUTH_SOCK\" ] && [ ! -e /run/buildkit ] && echo none-$((6*7))\n");
            assertThat(run("build", "--progress", "plain", "--network", "none", "--ssh", "default=" + socket,
                    context.toString()).good().err()).contains("agent-42", "none-42");
        }
        Path context = context("FROM busybox\nRUN --mount=type=ssh,required true\n");
        assertThat(run("build", "--network", "none", context.toString()).endedWith(1).err())
                .contains("ssh agent default: not found");
    }
}
