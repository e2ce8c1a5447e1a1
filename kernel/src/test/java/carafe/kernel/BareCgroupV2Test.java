package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// cgroup v2 where no controller has been handed down: the v2 half of a hybrid host, or a sub-tree of a pure one. What
/// needs no controller works, every limit is a warning.
@ExtendWith(NothingLeft.class)
class BareCgroupV2Test {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path place;

    private Path bare;
    private TestCgroups host;

    @BeforeEach
    void open() throws Exception {
        var mount = Mounts.list().stream().filter(entry -> entry.fsType().equals("cgroup2")).findFirst().orElseThrow();
        bare = Path.of(mount.target(), "test-bare-" + ProcessHandle.current().pid());
        Files.createDirectory(bare);
        Files.createDirectory(bare.resolve("inner"));
        host = new TestCgroups(Cgroups.openV2(bare.resolve("inner"), ""));
    }

    @AfterEach
    void close() throws Exception {
        host.close();
        Files.deleteIfExists(bare.resolve("inner/carafe"));
        Files.delete(bare.resolve("inner"));
        Files.delete(bare);
    }

    @Test
    void everyLimitIsAWarningAndTheStartGoesOn() throws Exception {
        var limits = CgroupLimits.builder().memory(1 << 25).memorySwap(1 << 25).reservation(1 << 20).cpuShares(2)
                .cpuQuota(1000, 100_000).cpuset("0", "0").pids(10).blkioWeight(100).build();
        var created = host.create(limits, List.of());
        assertThat(created.warnings()).extracting(LimitWarning::kind).containsExactly(LimitWarning.Kind.MEMORY,
                LimitWarning.Kind.SWAP, LimitWarning.Kind.RESERVATION, LimitWarning.Kind.CPU, LimitWarning.Kind.CPU,
                LimitWarning.Kind.CPUSET, LimitWarning.Kind.CPUSET, LimitWarning.Kind.BLKIO, LimitWarning.Kind.PIDS);
        assertThat(created.warnings().get(1).text()).isEqualTo("Your kernel does not support swap limit capabilities"
                + " or the cgroup is not mounted. Memory limited without swap.");
        var stats = created.cgroup().stats();
        assertThat(stats.memoryBytes()).isZero();
        assertThat(stats.memoryLimitBytes()).isEmpty();
        assertThat(created.cgroup().oomKills()).isZero();
        assertThat(host.cgroups.controllers()).isEmpty();
    }

    @Test
    void deviceRulesNeedNoController() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE, DeviceRule.containerDefaults()).cgroup();
        var second = host.create(CgroupLimits.NONE, DeviceRule.containerDefaults()).cgroup(); // by the kept program
        for (var each : List.of(cgroup, second)) {
            String name = each == cgroup ? "one" : "two";
            String output = host.run(each, "cd " + place + "; mknod " + name + " c 1 11 && echo made;"
                    + " head -c 1 /dev/zero > /dev/null && echo zero; dd if=" + name + " of=/dev/null count=1");
            assertThat(output).contains("made", "zero", "failed to open '" + name + "': Operation not permitted");
        }
    }

    @Test
    void freezesThawsAndKills() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE);
        var first = host.start(cgroup, "exec sleep 100");
        cgroup.freeze();
        assertThat(cgroup.isFrozen()).isTrue();
        cgroup.thaw();
        assertThat(Waiting.until(SOON, () -> !cgroup.isFrozen())).isTrue();
        cgroup.freeze();
        cgroup.kill();
        assertThat(first.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();

        var second = host.start(cgroup, "exec sleep 100");
        cgroup.freeze();
        Features.without(Features.CGROUP_KILL, cgroup::kill);
        assertThat(second.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void theEntranceIsADirectory() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE);
        try (var entrance = cgroup.entrance()) {
            assertThat(entrance.tasks()).isEmpty();
            assertThat(Inodes.stat(entrance.directory().orElseThrow()).isDirectory()).isTrue();
        }
    }

    @Test
    void onlyALeafOfWhatIsDelegatedHasTheContainersBesideIt() throws Exception {
        Files.createDirectories(bare.resolve("inner/service/daemon"));
        try (var service = Descriptors.open(bare.resolve("inner/service"), Linux.O_RDONLY, 0)) {
            Inodes.setXattr(service, "trusted.delegate", new byte[] {'1'});
        }
        try (var cgroups = Cgroups.openV2(bare.resolve("inner"), "service")) {
            assertThat(cgroups.home()).isEqualTo("/carafe");
        }
        try (var cgroups = Cgroups.openV2(bare.resolve("inner"), "service/daemon")) {
            assertThat(cgroups.home()).isEqualTo("/service");
            var made = cgroups.create("/service/test-container", CgroupLimits.NONE, List.of()).cgroup();
            assertThat(cgroups.list("/service")).extracting(Cgroup::path).containsExactly(made.path());
        } finally {
            host.cgroups.at("/service").remove(SOON);
        }
    }

    @Test
    void anInhabitedRootIsLeftForALeafWhereControllersCanBeHandedDown() throws Exception {
        boolean canHandDown = Files.readString(bare.resolve("cgroup.controllers")).contains("pids");
        if (canHandDown) { // a pure v2 host; on a hybrid one there is nothing to hand down
            Files.writeString(bare.resolve("cgroup.subtree_control"), "+pids");
        }
        var inhabitant = new ProcessBuilder("sleep", "100").start();
        try {
            Files.writeString(bare.resolve("inner/cgroup.procs"), Long.toString(inhabitant.pid()));
            var created = host.create(CgroupLimits.builder().pids(5).build(), List.of());
            assertThat(created.warnings()).hasSize(canHandDown ? 0 : 1);
            assertThat(bare.resolve((canHandDown ? "inner/daemon" : "inner") + "/cgroup.procs"))
                    .hasContent(inhabitant.pid() + "\n");
        } finally {
            inhabitant.destroyForcibly().waitFor();
            host.cgroups.at("/daemon").remove(SOON);
        }
    }
}
