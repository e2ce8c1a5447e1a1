package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The recipes of docs/firewall.md for ufw, given to ufw itself as Debian has it, on the town's host.
class UfwTest {

    private static final Path ROOT = Path.of(System.getProperty("carafe.root"), "e2e/target/tools/ufw");

    /// What the package's installation does, then ufw. Its root is the fetched tree; what it writes stays in `$1`, and the
    /// mounts go with the process.
    private static final String INSTALLED = """
            set -e
            cd "$1"; root=$2; shift 2
            mkdir -p upper work root
            mount -t overlay overlay -o "lowerdir=$root,upperdir=upper,workdir=work" root
            cd root
            mkdir -p proc dev run tmp
            mount --rbind /proc proc
            touch dev/null
            mount --bind /dev/null dev/null
            if [ ! -e etc/ufw/user.rules ]; then
              cp usr/share/ufw/iptables/*.rules usr/share/ufw/*.init usr/share/ufw/ufw.conf etc/ufw/
              for each in iptables ip6tables; do
                for program in $each $each-restore $each-save; do ln -s xtables-nft-multi usr/sbin/$program; done
              done
            fi
            exec env -i PATH=/usr/sbin:/usr/bin chroot . /usr/bin/python3 /usr/sbin/ufw "$@"
            """;

    @TempDir
    Path directory;

    private Town town;
    private PortFilter filter;

    @BeforeEach
    void settle() throws Exception {
        town = new Town();
        filter = town.in("host", () -> {
            var opened = PortFilter.open("test", Optional.empty());
            opened.admit(PortFilterTest.bridge("br0", false, Map.of()));
            opened.admit(PortFilterTest.bridge("br1", false, Map.of()));
            opened.hold();
            return opened;
        });
    }

    @AfterEach
    void leave() throws Exception {
        filter.close();
        town.close();
    }

    private void ufw(String... words) throws Exception {
        var command = new ArrayList<>(List.of(
                "/usr/bin/unshare", "--mount", "sh", "-c", INSTALLED, "sh", directory.toString(), ROOT.toString()));
        command.addAll(Arrays.asList(words));
        town.run("host", command.toArray(String[]::new));
    }

    private String outside(int port) throws Exception {
        return Service.ask(town, "outside", "10.9.0.1", port);
    }

    private String outsideInVain(int port) throws Exception {
        return Service.askInVain(town, "outside", "10.9.0.1", port);
    }

    @Test
    void publishedPortsAreWhatUfwLetsPass() throws Exception {
        filter.publish("c", List.of(PortFilterTest.target("0.0.0.0", 8080, "172.30.0.2", 80),
                PortFilterTest.target("0.0.0.0", 9090, "172.30.0.2", 90)));
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 90);
                var _ = Service.tcp(town, "outside", 80)) {
            assertThat(outside(8080)).as("without ufw").isEqualTo("web 10.9.0.2");
            ufw("--force", "enable");
            assertThat(outsideInVain(8080)).as("ufw drops what is forwarded").isEqualTo("silence");
            assertThat(Service.ask(town, "host", "127.0.0.1", 8080)).as("the host itself").startsWith("web ");
            assertThat(Service.askInVain(town, "web", "10.9.0.2", 80)).isEqualTo("silence");

            ufw("deny", "8080");
            ufw("route", "allow", "proto", "tcp", "to", "172.30.0.2", "port", "80");
            assertThat(outside(8080)).as("a rule for what is meant for the host is not asked").isEqualTo("web 10.9.0.2");
            assertThat(outsideInVain(9090)).as("another port").isEqualTo("silence");
            ufw("route", "allow", "in", "on", "br0");
            assertThat(Service.ask(town, "web", "10.9.0.2", 80)).as("what containers begin").isEqualTo("outside 10.9.0.1");
            ufw("reload");
            assertThat(outside(8080)).as("after ufw reload").isEqualTo("web 10.9.0.2");
            ufw("--force", "route", "delete", "allow", "proto", "tcp", "to", "172.30.0.2", "port", "80");
            assertThat(outsideInVain(8080)).isEqualTo("silence");
        }
    }

    @Test
    void portsAreOpenedForAllContainersOfABridge() throws Exception {
        filter.publish("c", List.of(PortFilterTest.target("0.0.0.0", 8080, "172.30.0.2", 80),
                PortFilterTest.target("0.0.0.0", 9090, "172.30.0.2", 90)));
        ufw("--force", "enable");
        ufw("route", "allow", "proto", "tcp", "from", "10.9.0.0/24", "to", "172.30.0.0/16", "port", "80");
        try (var _ = Service.tcp(town, "web", 80); var _ = Service.tcp(town, "web", 90)) {
            assertThat(outside(8080)).as("for one network of clients").isEqualTo("web 10.9.0.2");
            assertThat(Service.askInVain(town, "other", "10.9.0.1", 8080)).as("who is not of it").isEqualTo("silence");
            assertThat(outsideInVain(9090)).isEqualTo("silence");
            ufw("route", "allow", "out", "on", "br0", "to", "any", "port", "90", "proto", "tcp");
            assertThat(outside(9090)).as("whatever its address is").isEqualTo("web 10.9.0.2");
            ufw("disable");
            assertThat(Service.ask(town, "other", "10.9.0.1", 8080)).startsWith("web ");
        }
    }
}
