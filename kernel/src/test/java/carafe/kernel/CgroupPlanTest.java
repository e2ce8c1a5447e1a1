package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The pure halves: limits to files, files to numbers.
class CgroupPlanTest {

    private static final CgroupLimits ALL = CgroupLimits.builder().memory(1000).memorySwap(3000).reservation(500)
            .swappiness(20).oomKillDisable(true).cpuShares(1024).cpuQuota(50_000, 100_000).cpuset("0-1", "0").pids(10)
            .blkioWeight(500)
            .throttles(List.of(
                    new CgroupLimits.Throttle(CgroupLimits.Throttle.Kind.READ_BYTES, 8, 0, 4096),
                    new CgroupLimits.Throttle(CgroupLimits.Throttle.Kind.WRITE_OPERATIONS, 8, 16, 7)))
            .hugePages(Map.of("2MB", 4L << 20)).unified("memory.high", "900").build();

    private static List<String> lines(List<LimitWrite> writes) {
        return writes.stream().map(write -> write.file() + "=" + write.value()).toList();
    }

    @Test
    void unsetLimitsWriteNothing() {
        assertThat(CgroupV1Plan.of(CgroupLimits.NONE)).isEmpty();
        assertThat(CgroupV2Plan.of(CgroupLimits.NONE)).isEmpty();
    }

    @Test
    void limitsAsFilesOfV1() {
        assertThat(lines(CgroupV1Plan.of(ALL))).containsExactly(
                "memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=3000", "memory.soft_limit_in_bytes=500",
                "memory.swappiness=20", "memory.oom_control=1",
                "cpu.shares=1024", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000",
                "cpuset.cpus=0-1", "cpuset.mems=0",
                "blkio.bfq.weight=500", "blkio.throttle.read_bps_device=8:0 4096",
                "blkio.throttle.write_iops_device=8:16 7",
                "pids.max=10", "hugetlb.2MB.limit_in_bytes=4194304", "memory.high=");
    }

    @Test
    void limitsAsFilesOfV2() {
        assertThat(lines(CgroupV2Plan.of(ALL))).containsExactly(
                "memory.max=1000", "memory.swap.max=2000", "memory.low=500", "memory.swappiness=20",
                "memory.oom_control=1",
                "cpu.weight=39", "cpu.max=50000 100000", "cpuset.cpus=0-1", "cpuset.mems=0",
                "io.weight=default 4950", "io.max=8:0 rbps=4096", "io.max=8:16 wiops=7",
                "pids.max=10", "hugetlb.2MB.max=4194304", "memory.high=900");
    }

    @Test
    void noLimitIsWrittenAsTheVersionWantsIt() {
        var unlimited = CgroupLimits.builder().memory(-1).memorySwap(-1).cpuQuota(-1, 100_000).pids(-1).build();
        assertThat(lines(CgroupV1Plan.of(unlimited))).containsExactly("memory.limit_in_bytes=-1",
                "memory.memsw.limit_in_bytes=-1", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=-1", "pids.max=max");
        assertThat(lines(CgroupV2Plan.of(unlimited))).containsExactly("memory.max=max", "memory.swap.max=max",
                "cpu.max=max 100000", "pids.max=max");
        assertThat(lines(CgroupV2Plan.of(CgroupLimits.builder().memory(100).memorySwap(-1).build())))
                .containsExactly("memory.max=100", "memory.swap.max=max");
    }

    @Test
    void sharesBecomeWeightsAsRuncHasThem() {
        assertThat(CgroupV2Plan.weightOfShares(2)).isEqualTo(1);
        assertThat(CgroupV2Plan.weightOfShares(1024)).isEqualTo(39);
        assertThat(CgroupV2Plan.weightOfShares(262_144)).isEqualTo(10_000);
        assertThat(CgroupV2Plan.weightOfShares(0)).isEqualTo(1);
        assertThat(CgroupV2Plan.weightOfBlkio(10)).isEqualTo(1);
        assertThat(CgroupV2Plan.weightOfBlkio(1000)).isEqualTo(10_000);
    }

    @Test
    void readsWhatBlockDevicesMoved() {
        var expected = new CgroupStats.Io(8, 16, 4096, 8192, 1, 2);
        assertThat(BlockIo.parseV1("8:16 Read 4096\n8:16 Write 8192\n8:16 Sync 1\n8:16 Total 12288\nTotal 12288",
                "8:16 Read 1\n8:16 Write 2\n8:16 Total 3")).containsExactly(expected);
        assertThat(BlockIo.parseV2("8:16 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:0\ngarbage x=y"))
                .contains(expected);
        assertThat(BlockIo.parseV2("")).isEmpty();
    }

    @Test
    void findsEachHierarchyOnceWithItsControllers() throws Exception {
        var mounts = Mounts.parse("""
                30 23 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
                31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                32 23 0:27 / /elsewhere rw - cgroup cgroup rw,cpu,cpuacct
                33 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """);
        assertThat(Cgroups.v1Mounts(mounts)).isEqualTo(Map.of("/sys/fs/cgroup/systemd", Set.of("name=systemd"),
                "/sys/fs/cgroup/cpu,cpuacct", Set.of("cpu", "cpuacct")));
    }
}
