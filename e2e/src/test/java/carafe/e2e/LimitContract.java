package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Limits of memory, processor and processes, and that they bite.
@Tag("cgroup")
abstract class LimitContract extends Contract {

    LimitContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void aMemoryHogIsKilledAndTheContainerSaysSo() throws Exception {
        failing(137, "run", "--name", "hog", "--memory", "32m", IMAGE, "dd", "if=/dev/zero", "of=/dev/null", "bs=200M");
        assertThat(inspect("hog", "{{.State.OOMKilled}} {{.State.ExitCode}}")).isEqualTo("true 137");
    }

    @Test
    void withinTheLimitNothingHappens() throws Exception {
        docker("run", "--name", "modest", "--memory", "64m", IMAGE,
                "dd", "if=/dev/zero", "of=/dev/null", "bs=16M", "count=4");
        assertThat(inspect("modest", "{{.State.OOMKilled}} {{.HostConfig.Memory}}")).isEqualTo("false 67108864");
    }

    @Test
    void theMemoryLimitIsInTheCgroup() throws Exception {
        var limit = docker("run", "--rm", "--memory", "32m", IMAGE, "sh", "-c",
                "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2> /dev/null || true");
        assertThat(limit.text()).isEqualTo("33554432");
    }

    @Test
    void tooLittleMemoryIsRefused() throws Exception {
        assertThat(failing(125, "run", "--rm", "--memory", "1m", IMAGE, "true").err())
                .contains("Minimum memory limit allowed is 6MB");
    }

    @Test
    void aForkBombMeetsTheProcessLimit() throws Exception {
        var bomb = command("run", "--rm", "--pids-limit", "20", IMAGE, "sh", "-c",
                "i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i + 1)); done; echo all").run();
        assertThat(bomb.err()).contains("can't fork");
        assertThat(bomb.out()).doesNotContain("all");
    }

    @Test
    void theProcessorIsShared() throws Exception {
        var used = docker("run", "--rm", "--cpus", "0.5", IMAGE, "sh", "-c",
                "timeout 2 sh -c 'while :; do :; done'; times | tail -n 1; awk '{print $1}' /proc/uptime > /dev/null;"
                        + " cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
                        + " /sys/fs/cgroup/cpu.max 2> /dev/null; true");
        var lines = used.lines();
        assertThat(String.join(" ", lines.subList(1, lines.size()))).isEqualTo("50000 100000");
        String[] minutesSeconds = lines.getFirst().split(" ")[0].split("[ms]");
        double seconds = Double.parseDouble(minutesSeconds[0]) * 60 + Double.parseDouble(minutesSeconds[1]);
        assertThat(seconds).as("processor seconds in two of the clock").isLessThan(1.4);
    }

    @Test
    void tooManyProcessorsAreRefused() throws Exception {
        assertThat(failing(125, "run", "--rm", "--cpus", "4096", IMAGE, "true").err())
                .containsIgnoringCase("Range of CPUs is from 0.01 to");
    }

    @Test
    void resourceLimitsOfTheProcessAreSet() throws Exception {
        assertThat(docker("run", "--rm", "--ulimit", "nofile=123:456", IMAGE,
                "sh", "-c", "ulimit -n; ulimit -Hn").lines())
                .containsExactly("123", "456");
    }

    @Test
    void sharedMemoryHasItsSize() throws Exception {
        assertThat(docker("run", "--rm", IMAGE, "sh", "-c", "df -k /dev/shm | tail -n 1 | awk '{print $2}'").text())
                .isEqualTo("65536");
        assertThat(docker("run", "--rm", "--shm-size", "1m", IMAGE, "sh", "-c",
                "df -k /dev/shm | tail -n 1 | awk '{print $2}'").text()).isEqualTo("1024");
    }
}
