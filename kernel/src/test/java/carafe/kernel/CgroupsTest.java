package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
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

/// On the host's own layout, whichever it is.
@ExtendWith(NothingLeft.class)
class CgroupsTest {

    private static final Duration SOON = Duration.ofSeconds(60);

    private TestCgroups host;

    @TempDir
    Path place;

    @BeforeEach
    void open() throws Exception {
        host = new TestCgroups(Cgroups.open());
    }

    @AfterEach
    void close() throws Exception {
        host.close();
    }

    private static void await(Waiting.Condition condition) throws Exception {
        assertThat(Waiting.until(SOON, condition)).isTrue();
    }

    @Test
    void aDefaultContainersCgroupNeedsNoWarning() throws Exception {
        var created = host.create(CgroupLimits.NONE, DeviceRule.containerDefaults());
        assertThat(created.warnings()).isEmpty();
        assertThat(created.cgroup().exists()).isTrue();
        assertThat(created.cgroup().processes()).isEmpty();
        assertThat(host.cgroups.controllers()).contains("memory", "cpu", "pids");
    }

    @Test
    void limitsAreWhatTheKernelShowsAndCanBeChangedLive() throws Exception {
        var limits = CgroupLimits.builder().memory(64 << 20).memorySwap(64 << 20).reservation(16 << 20)
                .cpuShares(512).cpuQuota(50_000, 100_000).cpuset("0", "0").pids(100).build();
        var created = host.create(limits, List.of());
        var cgroup = created.cgroup();
        assertThat(created.warnings()).isEmpty();
        if (host.isV1()) {
            assertThat(host.file(cgroup, "memory", "memory.limit_in_bytes")).isEqualTo("67108864");
            assertThat(host.file(cgroup, "memory", "memory.memsw.limit_in_bytes")).isEqualTo("67108864");
            assertThat(host.file(cgroup, "cpu", "cpu.shares")).isEqualTo("512");
            assertThat(host.file(cgroup, "cpu", "cpu.cfs_quota_us")).isEqualTo("50000");
            assertThat(host.file(cgroup, "cpuset", "cpuset.cpus")).isEqualTo("0");
        } else {
            assertThat(host.file(cgroup, "memory", "memory.max")).isEqualTo("67108864");
            assertThat(host.file(cgroup, "memory", "memory.swap.max")).isEqualTo("0");
            assertThat(host.file(cgroup, "cpu", "cpu.weight")).isEqualTo("20");
            assertThat(host.file(cgroup, "cpu", "cpu.max")).isEqualTo("50000 100000");
            assertThat(host.file(cgroup, "cpuset", "cpuset.cpus")).isEqualTo("0");
        }
        assertThat(host.file(cgroup, "pids", "pids.max")).isEqualTo("100");
        assertThat(cgroup.stats().memoryLimitBytes()).hasValue(64 << 20);
        assertThat(cgroup.stats().pidsLimit()).hasValue(100);

        cgroup.update(CgroupLimits.builder().memory(128 << 20).memorySwap(256 << 20).pids(-1).build());
        assertThat(cgroup.stats().memoryLimitBytes()).hasValue(128 << 20);
        assertThat(cgroup.stats().pidsLimit()).isEmpty();
        cgroup.update(CgroupLimits.builder().memory(32 << 20).memorySwap(32 << 20).build());
        assertThat(cgroup.stats().memoryLimitBytes()).hasValue(32 << 20);
        cgroup.update(CgroupLimits.builder().memory(-1).memorySwap(-1).build());
        assertThat(cgroup.stats().memoryLimitBytes()).isEmpty();
    }

    @Test
    void aMemoryHogIsKilledAndCounted() throws Exception {
        var cgroup = host.create(CgroupLimits.builder().memory(32 << 20).memorySwap(32 << 20).build());
        var hog = host.start(cgroup, "exec tail /dev/zero");
        assertThat(hog.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(hog.exitValue()).isEqualTo(137);
        await(() -> cgroup.oomKills() == 1);
        assertThat(cgroup.stats().memoryMaxBytes()).isBetween(16L << 20, 32L << 20);
    }

    @Test
    void aForkBombIsStopped() throws Exception {
        var cgroup = host.create(CgroupLimits.builder().pids(4).build());
        String output = host.run(cgroup, "for i in 1 2 3 4 5 6 7 8; do sleep 60 >/dev/null 2>&1 & done; echo all");
        assertThat(output).containsIgnoringCase("cannot fork");
        assertThat(cgroup.processes()).hasSizeLessThanOrEqualTo(4);
        assertThat(cgroup.stats().pids()).isLessThanOrEqualTo(4);
    }

    @Test
    void aQuotaThrottles() throws Exception {
        var cgroup = host.create(CgroupLimits.builder().cpuQuota(10_000, 100_000).build());
        host.start(cgroup, "while :; do :; done");
        await(() -> cgroup.stats().throttledPeriods() >= 3);
        var stats = cgroup.stats();
        assertThat(stats.throttledNanos()).isPositive();
        assertThat(stats.cpuNanos()).isBetween(1_000_000L, stats.periods() * 30_000_000);
    }

    @Test
    void onlyTheDevicesOfTheRulesCanBeOpened() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE, DeviceRule.containerDefaults()).cgroup();
        String script = "cd " + place + "; mknod kmsg c 1 11 && echo made; head -c 1 /dev/zero >/dev/null && echo zero;"
                + " dd if=kmsg of=/dev/null bs=8k count=1 2>&1; echo end";
        assertThat(host.run(cgroup, script)).contains("made", "zero", "end")
                .contains("failed to open 'kmsg': Operation not permitted");

        var free = host.create(CgroupLimits.NONE, List.of(DeviceRule.ALLOW_ALL)).cgroup();
        assertThat(host.run(free, "dd if=" + place + "/kmsg of=/dev/null bs=8k count=1 2>&1"))
                .doesNotContain("failed to open");
    }

    @Test
    void frozenProcessesStandStillAndRunOn() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE);
        var counter = place.resolve("counter");
        host.start(cgroup, "while :; do echo x >> " + counter + "; done");
        await(() -> Files.exists(counter));
        cgroup.freeze();
        assertThat(cgroup.isFrozen()).isTrue();
        long frozenAt = Files.size(counter);
        long before = cgroup.stats().cpuNanos();
        assertThat(cgroup.stats().cpuNanos()).isEqualTo(before);
        assertThat(Files.size(counter)).isEqualTo(frozenAt);
        cgroup.thaw();
        await(() -> counter.toFile().length() > frozenAt);
        assertThat(cgroup.isFrozen()).isFalse();
    }

    @Test
    void killsEverybodyFrozenAndNestedToo() throws Exception {
        for (boolean atOnce : new boolean[] {true, false}) {
            var cgroup = host.create(CgroupLimits.NONE);
            var nested = host.madeInside(cgroup, "inner", "most");
            var outer = host.start(cgroup, "trap '' TERM; sleep 100 & sleep 100 & wait");
            var inner = host.start(nested, "exec sleep 100");
            await(() -> cgroup.processes().size() == 4);
            cgroup.freeze();
            if (atOnce) {
                cgroup.kill();
            } else {
                Features.without(Features.CGROUP_KILL, cgroup::kill);
            }
            assertThat(outer.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(inner.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
            cgroup.remove(SOON);
            assertThat(cgroup.exists()).isFalse();
            cgroup.kill();
            cgroup.remove(SOON);
        }
    }

    @Test
    void removingRefusesWhileProcessesLive() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE);
        host.start(cgroup, "exec sleep 100");
        assertThatThrownBy(() -> cgroup.remove(Duration.ofMillis(20))).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e).hasMessage("rmdir cgroup " + cgroup.path() + ": device or resource busy"));
    }

    @Test
    void aNameTakenIsAnErrorAndNothingIsLost() throws Exception {
        var cgroup = host.create(CgroupLimits.builder().pids(7).build());
        assertThatThrownBy(() -> host.cgroups.create(cgroup.path(), CgroupLimits.NONE, List.of()))
                .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        assertThat(cgroup.stats().pidsLimit()).hasValue(7);
    }

    @Test
    void aLimitOutOfRangeIsAnErrorAndLeavesNothing() throws Exception {
        String path = host.newPath();
        assertThatThrownBy(() -> host.cgroups.create(path,
                CgroupLimits.builder().cpuset("4000-4001", "").build(), List.of()))
                .isInstanceOf(KernelException.class).hasMessageContaining("cpuset.cpus");
        assertThat(host.cgroups.at(path).exists()).isFalse();
    }

    @Test
    void whatTheOtherVersionHasIsAWarning() throws Exception {
        var limits = host.isV1()
                ? CgroupLimits.builder().unified("memory.high", "1000000").build()
                : CgroupLimits.builder().swappiness(10).oomKillDisable(true).build();
        var created = host.create(limits, List.of());
        assertThat(created.warnings()).extracting(LimitWarning::kind).containsExactlyElementsOf(host.isV1()
                ? List.of(LimitWarning.Kind.UNIFIED)
                : List.of(LimitWarning.Kind.SWAPPINESS, LimitWarning.Kind.OOM_KILL_DISABLE));
        if (host.isV1()) {
            var old = host.create(CgroupLimits.builder().swappiness(10).oomKillDisable(true).build());
            assertThat(host.file(old, "memory", "memory.swappiness")).isEqualTo("10");
            assertThat(host.file(old, "memory", "memory.oom_control")).contains("oom_kill_disable 1");
        } else {
            var unified = host.create(CgroupLimits.builder().unified("memory.high", "1048576").build());
            assertThat(host.file(unified, "memory", "memory.high")).isEqualTo("1048576");
        }
    }

    @Test
    void theEntranceIsWhatAChildNeeds() throws Exception {
        var cgroup = host.create(CgroupLimits.NONE);
        try (var entrance = cgroup.entrance()) {
            if (host.isV1()) {
                assertThat(entrance.directory()).isEmpty();
                assertThat(entrance.tasks()).hasSizeGreaterThanOrEqualTo(5);
                var sleeper = new ProcessBuilder("sleep", "100").start();
                for (var tasks : entrance.tasks()) {
                    FdStream.write(tasks, Long.toString(sleeper.pid()).getBytes(
                            StandardCharsets.US_ASCII));
                }
                assertThat(cgroup.processes()).containsExactly((int) sleeper.pid());
            } else {
                assertThat(Inodes.stat(entrance.directory().orElseThrow()).isDirectory()).isTrue();
            }
        }
    }

    @Test
    void listsWhatIsBelowAParentHalvesIncluded() throws Exception {
        var one = host.create(CgroupLimits.NONE);
        var two = host.create(CgroupLimits.NONE);
        host.cgroups.hierarchyOf("cpu").orElseThrow().tryRmdir(two.path().substring(1));
        assertThat(host.cgroups.list(host.parent)).extracting(Cgroup::path)
                .contains(one.path()).hasSize(host.isV1() ? 2 : 1);
        assertThat(host.cgroups.list(host.parent + "/none")).isEmpty();
    }

    @Test
    void aParentThatSomebodyRemovedIsMadeAgain() throws Exception {
        var first = host.create(CgroupLimits.NONE);
        first.remove(SOON);
        host.cgroups.at(host.parent).remove(SOON);
        assertThat(host.create(CgroupLimits.NONE).exists()).isTrue();
    }

    @Test
    void pathsThatAreNoneAreRefused() {
        for (String path : List.of("", "/", "/a/../..", "a\nb", "..", "./.")) {
            assertThatThrownBy(() -> host.cgroups.at(path)).as(path).isInstanceOf(KernelException.class);
        }
    }

    @Test
    void theOwnLeafIsNotListedAndHomeIsWhereContainersGo() throws Exception {
        assertThat(host.cgroups.list(host.cgroups.home())).extracting(Cgroup::path)
                .doesNotContain(host.cgroups.home() + "/daemon");
        String own = Files.readString(Path.of("/proc/self/cgroup"));
        assertThat(host.cgroups.home())
                .isEqualTo(own.startsWith("0::") && own.endsWith("/daemon\n") ? own.substring(3, own.length() - 8)
                        : "/carafe");
    }
}
