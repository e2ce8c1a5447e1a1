package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a default container is isolated from, observed from inside.
class IsolationTest extends StageTest {

    @Test
    void programPrintsAndExits() throws Exception {
        var output = stage.run("sh", "-c", "echo out; echo err >&2; exit 7");
        assertThat(output.out()).isEqualTo("out\n");
        assertThat(output.err()).isEqualTo("err\n");
        assertThat(output.exit().code()).isEqualTo(7);
        assertThat(output.exit().signal()).isZero();
        assertThat(output.exit().oomKilled()).isFalse();
    }

    @Test
    void itIsProcessOneAndSeesNoOther() throws Exception {
        var output = stage.run("sh", "-c", "echo $$; ls /proc | grep -c '^[0-9]'");
        assertThat(output.out().lines().findFirst()).contains("1");
        assertThat(Integer.parseInt(output.out().lines().toList().get(1))).isLessThan(6);
    }

    @Test
    void hostnameIsItsOwn() throws Exception {
        var host = Host.sysctl("kernel.hostname");
        var output = stage.run(stage.bundle(TestSpecs.withHostname(
                TestSpecs.standard(stage.id(), "hostname"), "carafe-inside")));
        assertThat(output.out()).isEqualTo("carafe-inside\n");
        assertThat(Host.sysctl("kernel.hostname")).isEqualTo(host);
    }

    @Test
    void capabilitiesAreDockersFourteen() throws Exception {
        var status = stage.run("grep", "Cap", "/proc/self/status").out();
        assertThat(status.lines().map(line -> line.replace("\t", ""))).containsExactly(
                "CapInh:0000000000000000", "CapPrm:00000000a80425fb", "CapEff:00000000a80425fb",
                "CapBnd:00000000a80425fb", "CapAmb:0000000000000000");
    }

    @Test
    void seccompFilterIsInstalled() throws Exception {
        var output = stage.run("sh", "-c", "grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp; unshare -U true");
        assertThat(output.out()).isEqualTo("Seccomp:\t2\n");
        assertThat(output.err()).contains("mount: permission denied").contains("unshare(0x10000000): Operation not");
    }

    @Test
    void noNewPrivilegesIsSetWhenAskedFor() throws Exception {
        String[] command = {"grep", "NoNewPrivs", "/proc/self/status"};
        assertThat(stage.run(command).out()).isEqualTo("NoNewPrivs:\t0\n");
        var asked = TestSpecs.withNoNewPrivileges(TestSpecs.standard(stage.id(), command));
        assertThat(stage.run(stage.bundle(asked)).out()).isEqualTo("NoNewPrivs:\t1\n");
    }

    @Test
    void maskedPathsAreEmpty() throws Exception {
        var output = stage.run("sh", "-c", "for p in " + String.join(" ", StandardContainer.MASKED_PATHS)
                + "; do [ -e $p ] || continue; if [ -d $p ]; then ls -A $p; else cat $p; fi; done; echo end");
        assertThat(output.out()).isEqualTo("end\n");
        assertThat(output.err()).isEmpty();
    }

    @Test
    void kernelSettingsAreReadOnly() throws Exception {
        var output = stage.run("sh", "-c",
                "echo 1 > /proc/sys/kernel/printk; mkdir /sys/fs/cgroup/x; echo 1 > /sys/kernel/profiling");
        assertThat(output.err().lines().filter(line -> line.contains("Read-only file system")).count()).isEqualTo(3);
    }

    @Test
    void readOnlyPathsAreReadOnlyMounts() throws Exception {
        String mounts = stage.run("cat", "/proc/self/mountinfo").out();
        for (String path : StandardContainer.READONLY_PATHS) {
            if (Files.exists(Path.of(path))) {
                assertThat(mounts).containsPattern(" " + path + " ro,");
            }
        }
        assertThat(mounts).doesNotContain(" /tmp/").contains(" /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm ");
    }

    @Test
    void onlyHarmlessDevicesAreThere() throws Exception {
        var names = stage.run("ls", "/dev").out().lines().toList();
        assertThat(names).isEqualTo(List.of(
                "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
                "tty", "urandom", "zero"));
        var use = stage.run("sh", "-c", "echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo y > /dev/full");
        assertThat(use.out()).isEqualTo("3\n");
        assertThat(use.err()).contains("No space left on device");
    }

    @Test
    void devicesOfTheHostCannotBeOpened() throws Exception {
        String major = Files.readAllLines(Path.of("/proc/partitions")).get(2).strip().split(" +")[0];
        var output = stage.run("sh", "-c", "mknod /tmp/disk b " + major + " 0 && dd if=/tmp/disk of=/dev/null count=1");
        assertThat(output.err()).contains("/tmp/disk': Operation not permitted");
    }

    @Test
    void networkIsOnlyLoopback() throws Exception {
        var output = stage.run("sh", "-c", "ip -o link | wc -l; ip -o -4 addr; ping -c 1 -w 2 127.0.0.1 | grep -c ttl");
        assertThat(output.out()).startsWith("1\n").contains("inet 127.0.0.1/8").endsWith("1\n");
    }

    @Test
    void networkSettingsAreItsOwn() throws Exception {
        var host = Host.sysctl("net.ipv4.ip_unprivileged_port_start");
        var output = stage.run("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start");
        assertThat(output.out()).isEqualTo("0\n");
        assertThat(Host.sysctl("net.ipv4.ip_unprivileged_port_start")).isEqualTo(host);
    }

    @Test
    void itsControlGroupLooksLikeTheRoot() throws Exception {
        var groups = stage.run("cat", "/proc/self/cgroup").out();
        assertThat(groups.lines()).isNotEmpty().allMatch(line -> line.endsWith(":/"));
        assertThat(stage.run("ls", "/sys/fs/cgroup").out()).isNotBlank();
    }

    @Test
    void rootIsTheImageAndWritesGoToItsOwnLayer() throws Exception {
        var bundle = stage.bundle(TestSpecs.standard(stage.id(), "sh", "-c", "echo mine > /data/file; ls /"));
        var output = stage.run(bundle);
        assertThat(output.out().split("\n")).containsExactly(
                "bin", "data", "dev", "etc", "home", "proc", "root", "sys", "tmp");
        assertThat(bundle.containerDir().resolve("upper/data/file")).hasContent("mine");
        assertThat(stage.image.resolve("data/file")).doesNotExist();
    }

    @Test
    void nothingOfTheHostIsOpenInIt() throws Exception {
        var output = stage.run("sh", "-c", "for f in /proc/1/fd/*; do readlink $f; done; readlink /proc/1/cwd");
        assertThat(output.out().lines()).hasSizeLessThanOrEqualTo(5).last().isEqualTo("/");
        assertThat(output.out()).contains("/dev/null").contains("pipe:");
    }

    @Test
    void sessionAndMaskAreFresh() throws Exception {
        assertThat(stage.run("sh", "-c", "umask; cut -d' ' -f5,6,7 /proc/1/stat").out()).isEqualTo("0022\n1 1 0\n");
        assertThat(stage.run("grep", "-e", "SigBlk", "-e", "SigIgn", "/proc/self/status").out()).isEqualTo(
                "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    }

    @Test
    void privilegedMeansEverything() throws Exception {
        var spec = TestSpecs.privileged(stage.id(), "sh", "-c", "grep -e CapEff -e Seccomp: /proc/self/status;"
                + " mount -t tmpfs x /tmp && echo mounted; grep -q CPU0 /proc/interrupts && echo visible;"
                + " cp /proc/sys/kernel/printk /tmp/p && cat /tmp/p > /proc/sys/kernel/printk && echo written;"
                + " awk '$5 == \"/sys\" { print substr($6, 1, 2) }' /proc/self/mountinfo");
        var output = stage.run(stage.bundle(spec));
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).contains("Seccomp:\t0\nmounted\nvisible\nwritten\nrw\n").doesNotContain("a80425fb");
    }
}
