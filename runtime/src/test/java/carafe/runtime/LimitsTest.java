package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Capabilities;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.ProcessSpec.Rlimit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Limits hold, and what is used is counted.
class LimitsTest extends StageTest {

    private RunningContainer limited(LinuxResources resources, String... args) throws Exception {
        return stage.start(stage.bundle(TestSpecs.withResources(TestSpecs.standard(stage.id(), args), resources)));
    }

    @Test
    void memoryHogIsKilledAndItIsSaidWhy() throws Exception {
        var container = limited(TestSpecs.memory(32 << 20), "sh", "-c", "tail /dev/zero");
        var exit = container.awaitExit();
        assertThat(exit.code()).isEqualTo(137);
        assertThat(exit.oomKilled()).isTrue();
        assertThat(container.oomKilled()).isTrue();
    }

    @Test
    void forkBombStopsAtTheLimit() throws Exception {
        var container = limited(TestSpecs.pids(20), "sh", "-c",
                "(i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done) 2> /tmp/said; exec sleep 1000");
        // The inner shell gives up at the limit and leaves 18 sleeps beside the outer one.
        RuntimeStage.await("the limit", () -> container.processes().size() == 19
                && Files.readString(Path.of("/proc/" + container.pid() + "/comm")).equals("sleep\n"));
        assertThat(container.stats().pids()).isEqualTo(new ContainerStats.Pids(19, 20));
    }

    @Test
    void aFifthOfAProcessorIsNotMore() throws Exception {
        var container = limited(TestSpecs.cpu(20_000, 100_000), "sh", "-c", "while :; do :; done");
        RuntimeStage.await("work", () -> container.stats().cpu().totalNanos() > 30_000_000);
        var before = container.stats();
        RuntimeStage.await("throttling", () ->
                container.stats().cpu().throttledPeriods() >= before.cpu().throttledPeriods() + 5);
        var after = container.stats();
        double share = (double) (after.cpu().totalNanos() - before.cpu().totalNanos())
                / Duration.between(before.read(), after.read()).toNanos();
        assertThat(share).isBetween(0.02, 0.3);
    }

    @Test
    void statsCountMemoryAndProcesses() throws Exception {
        var container = limited(TestSpecs.memory(64 << 20), "sleep", "1000");
        var stats = container.stats();
        assertThat(stats.memory().usageBytes()).isBetween(1L, 64L << 20);
        assertThat(stats.memory().limitBytes()).isEqualTo(64 << 20);
        assertThat(stats.pids().current()).isEqualTo(1);
        assertThat(stats.cpu().totalNanos()).isPositive();
        assertThat(container.processes()).containsExactly(container.pid());
    }

    @Test
    void limitsCanBeChangedWhileItRuns() throws Exception {
        var container = limited(TestSpecs.memory(64 << 20), "sleep", "1000");
        container.update(TestSpecs.memory(48 << 20));
        container.update(TestSpecs.pids(77));
        assertThat(container.stats().memory().limitBytes()).isEqualTo(48 << 20);
        assertThat(container.stats().pids().limit()).isEqualTo(77);
    }

    @Test
    void pausedContainerStandsStill() throws Exception {
        var container = limited(LinuxResources.NONE, "sh", "-c", "while :; do :; done");
        container.pause();
        assertThat(container.paused()).isTrue();
        long used = container.stats().cpu().totalNanos();
        RuntimeStage.await("time to pass", new RuntimeStage.Condition() {
            private int looks;

            @Override
            public boolean holds() {
                return ++looks > 20;
            }
        });
        assertThat(container.stats().cpu().totalNanos() - used).isLessThan(2_000_000);
        container.resume();
        assertThat(container.paused()).isFalse();
        RuntimeStage.await("it to run on", () -> container.stats().cpu().totalNanos() > used + 5_000_000);
    }

    @Test
    void processLimitsAreSetAndClampedWithAWarning() throws Exception {
        var spec = TestSpecs.withLimits(
                TestSpecs.standard(stage.id(), "sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c"),
                new Rlimit("RLIMIT_NOFILE", 512, 1024), new Rlimit("RLIMIT_CORE", 0, 0),
                new Rlimit("RLIMIT_MEMLOCK", -1, -1));
        var bundle = stage.bundle(spec);
        try (var client = stage.runtime.endpoint(Set.of(StdStream.STDOUT))) {
            var container = stage.start(bundle, List.of(client));
            boolean mayRaise = (Capabilities.available() & 1L << 24) != 0;
            assertThat(container.explanation().get().warnings().toString().contains("limit MEMLOCK lowered"))
                    .isEqualTo(!mayRaise);
            assertThat(RuntimeStage.Streams.read(client.channel(), false).out()).isEqualTo("512\n1024\n0\n");
        }
    }

    @Test
    void aVeryLowLimitOfDescriptorsBindsTheProgramAndNotItsStart() throws Exception {
        var spec = TestSpecs.withLimits(
                TestSpecs.standard(stage.id(), "sh", "-c", "ulimit -n; ulimit -Hn"),
                new Rlimit("RLIMIT_NOFILE", 7, 77));
        assertThat(stage.run(stage.bundle(spec)).out()).isEqualTo("7\n77\n");
    }

    @Test
    void lowMemoryFailsTheStartWithASentence() throws Exception {
        var tiny = new LinuxResources(
                List.of(),
                new LinuxResources.Memory(Optional.of(4096L), Optional.empty(), Optional.empty(), Optional.empty(), false),
                LinuxResources.Cpu.NONE, Optional.empty(), LinuxResources.BlockIo.NONE, List.of(),
                Map.of());
        try {
            assertThat(limited(tiny, "true").awaitExit().code()).isEqualTo(137);
        } catch (StartFailure e) {
            assertThat(e.kind()).isEqualTo(StartFailure.Kind.CGROUP);
        }
    }
}
