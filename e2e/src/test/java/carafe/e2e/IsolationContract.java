package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a container sees of the host by default: Docker's isolation, no more and no less.
abstract class IsolationContract extends Contract {

    IsolationContract(DockerCommandContract whole) {
        super(whole);
    }

    private String inside(String script) throws Exception {
        return docker("run", "--rm", IMAGE, "sh", "-c", script).text();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "mnt", "uts", "ipc", "net"})
    void namespacesAreItsOwn(String namespace) throws Exception {
        String host = Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)).toString();
        assertThat(inside("readlink /proc/self/ns/" + namespace)).startsWith(namespace + ":").isNotEqualTo(host);
    }

    @Test
    void itsProcessIsTheFirst() throws Exception {
        assertThat(docker("run", "--rm", IMAGE, "sh", "-c", "echo $$; ls -d /proc/[0-9]* | wc -l").lines())
                .first()
                .isEqualTo("1");
    }

    @Test
    void theHostNameIsTheShortIdOrWhatIsAsked() throws Exception {
        assertThat(inside("hostname")).matches("[0-9a-f]{12}");
        assertThat(docker("run", "--rm", "-h", "named", IMAGE, "sh", "-c", "hostname; cat /etc/hostname").lines())
                .containsExactly("named", "named");
    }

    @Test
    void capabilitiesAreDockersFourteen() throws Exception {
        assertThat(inside("grep ^Cap /proc/self/status | tr -d '\\t' | sort").lines()).containsExactlyInAnyOrder(
                "CapAmb:0000000000000000", "CapBnd:00000000a80425fb", "CapEff:00000000a80425fb",
                "CapInh:0000000000000000", "CapPrm:00000000a80425fb");
    }

    @Test
    void anotherUserHasNoCapability() throws Exception {
        assertThat(docker("run", "--rm", "-u", "guest", IMAGE, "grep", "^CapEff", "/proc/self/status").text())
                .endsWith("0000000000000000");
    }

    @ParameterizedTest
    @CsvSource({"--cap-drop=ALL,0000000000000000", "--cap-add=SYS_ADMIN,00000000a82425fb"})
    void capabilitiesAreAddedAndDropped(String flag, String mask) throws Exception {
        assertThat(docker("run", "--rm", flag, IMAGE, "grep", "^CapEff", "/proc/self/status").text()).endsWith(mask);
    }

    @Test
    void seccompFiltersByDefault() throws Exception {
        assertThat(inside("grep ^Seccomp: /proc/self/status")).endsWith("2");
        assertThat(docker("run", "--rm", "--security-opt", "seccomp=unconfined", IMAGE,
                "grep", "^Seccomp:", "/proc/self/status").text()).endsWith("0");
    }

    @Test
    void mountingIsRefused() throws Exception {
        assertThat(command("run", "--rm", IMAGE, "mount", "-t", "tmpfs", "x", "/tmp").run().code()).isNotZero();
    }

    @Test
    void newPrivilegesAreRefusedOnRequest() throws Exception {
        assertThat(docker("run", "--rm", "--security-opt", "no-new-privileges", IMAGE,
                "grep", "^NoNewPrivs", "/proc/self/status").text()).endsWith("1");
        assertThat(inside("grep ^NoNewPrivs /proc/self/status")).endsWith("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/proc/kcore", "/proc/keys", "/proc/timer_list"})
    void maskedFilesAreEmpty(String path) throws Exception {
        assertThat(inside("[ ! -e " + path + " ] || head -c 10 " + path + " | wc -c")).isIn("", "0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/proc/sys/kernel/printk", "/proc/sysrq-trigger", "/sys/kernel/profiling"})
    void kernelSwitchesAreReadOnly(String path) throws Exception {
        assertThat(inside("[ ! -e " + path + " ] || (echo 0 > " + path + ") 2>&1 || true"))
                .satisfiesAnyOf(
                        said -> assertThat(said).isEmpty(),
                        said -> assertThat(said).contains("Read-only file system"));
    }

    @Test
    void devicesAreTheUsualOnesOnly() throws Exception {
        assertThat(inside("ls /dev | grep -v '^core$'").split("\\s+")).containsExactlyInAnyOrder(
                "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
                "tty", "urandom", "zero");
        assertThat(inside("echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c").lines())
                .containsExactly("4", "4");
        assertThat(inside("mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk 2>&1 || true"))
                .contains("Operation not permitted");
    }

    @Test
    void noDescriptorIsInherited() throws Exception {
        assertThat(inside("ls /proc/1/fd").split("\\s+")).isSubsetOf("0", "1", "2", "3", "10");
        assertThat(docker("run", "--rm", IMAGE, "ls", "/proc/self/fd").text().split("\\s+"))
                .containsExactly("0", "1", "2", "3");
    }

    @Test
    void withoutANetworkOnlyLoopbackIsThere() throws Exception {
        assertThat(docker("run", "--rm", "--network", "none", IMAGE, "ls", "/sys/class/net").text()).isEqualTo("lo");
        assertThat(docker("run", "--rm", "--network", "none", IMAGE, "ip", "-o", "addr", "show", "lo").text())
                .contains("127.0.0.1/8");
        docker("run", "--rm", "--network", "none", IMAGE, "ping", "-c", "1", "-W", "5", "127.0.0.1");
    }

    @Test
    void theHostsNetworkIsTheHosts() throws Exception {
        String host = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
        assertThat(docker("run", "--rm", "--network", "host", IMAGE, "readlink", "/proc/self/ns/net").text())
                .isEqualTo(host);
    }

    @Test
    void hostsNamesTheContainer() throws Exception {
        assertThat(docker("run", "--rm", "--network", "none", "-h", "me", IMAGE, "cat", "/etc/hosts").text())
                .contains("127.0.0.1\tlocalhost");
        assertThat(docker("run", "--rm", "--network", "none", "--add-host", "db:10.1.2.3", IMAGE, "cat", "/etc/hosts")
                .text()).contains("10.1.2.3\tdb");
    }

    @Test
    void theRootIsNotTheHosts() throws Exception {
        assertThat(inside("ls /").split("\\s+")).contains("bin", "dev", "etc", "proc", "sys").doesNotContain("work");
        assertThat(inside("cat /proc/1/mountinfo | wc -l; grep -c ' / / ' /proc/1/mountinfo").lines().toList())
                .hasSize(2);
    }
}
