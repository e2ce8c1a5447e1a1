package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A volume whose server answers late, or never.
class PatientMountsTest {

    private static final Duration PATIENCE = Duration.ofMillis(100);

    @TempDir
    Path root;

    private VolumeDirectories volumes;

    @BeforeEach
    void make() throws Exception {
        volumes = VolumeDirectories.open(root, Failpoints.none());
        volumes.make("mem", VolumeDirectories.Limit.NONE);
    }

    private DriverOptions open(String failpoints, Duration patience) throws Exception {
        volumes = VolumeDirectories.open(root, Failpoints.parse(failpoints), patience);
        return DriverOptions.parse("mem", Map.of("type", "tmpfs", "device", "tmpfs"));
    }

    @AfterEach
    void unmount() throws Exception {
        volumes.unmount("mem");
    }

    private void untilNothingIsPending() throws Exception {
        var end = Instant.now().plusSeconds(20);
        while (true) {
            try {
                volumes.remove("mem");
                return;
            } catch (EngineException.Conflict e) {
                assertThat(e).hasMessageStartingWith("remove mem: it is still being mounted");
                assertThat(Instant.now()).isBefore(end);
                Thread.sleep(20);
            }
        }
    }

    @Test
    void whoWaitsIsToldAndWhatComesLateIsTakenBack() throws Exception {
        var options = open("volume.mount=sleep(3000)", PATIENCE);
        assertThatThrownBy(() -> volumes.mount("mem", options))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageStartingWith("error while mounting volume '" + root.resolve("mem/_data") + "': failed to mount")
                .hasMessageEndingWith("no answer within 0 s: see that the server runs and can be reached, then start the"
                        + " container again");
        assertThatThrownBy(() -> volumes.rename("mem", "other")).isInstanceOf(EngineException.Conflict.class)
                .hasMessageStartingWith("rename mem: it is still being mounted");
        assertThat(volumes.isMounted("mem")).isFalse();
        untilNothingIsPending();
        assertThat(volumes.mounted()).isEmpty();
    }

    /// A server that answers when the test says so.
    private static final class Server implements PatientMounts.Attempt {
        final CountDownLatch answers = new CountDownLatch(1);
        final AtomicInteger mounts = new AtomicInteger();
        final AtomicInteger unmounts = new AtomicInteger();
        volatile boolean there;

        @Override
        public boolean mount() {
            mounts.incrementAndGet();
            try {
                answers.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return !there;
        }

        @Override
        public void unmount() {
            unmounts.incrementAndGet();
        }
    }

    @Test
    void whoComesNextWaitsForTheSameMount() throws Exception {
        var server = new Server();
        var mounts = new PatientMounts(Duration.ofMinutes(1));
        for (int time = 0; time < 2; time++) {
            Thread.currentThread().interrupt();
            try {
                assertThatThrownBy(() -> mounts.mount("mem", "", server)).hasMessage("given up before the server answered");
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(mounts.isPending("mem")).isTrue();
        }
        var next = new FutureTask<Boolean>(() -> {
            mounts.mount("mem", "", server);
            return true;
        });
        var waiter = Thread.ofPlatform().daemon().start(next);
        var end = Instant.now().plusSeconds(20);
        while (waiter.getState() != Thread.State.TIMED_WAITING) {
            assertThat(Instant.now()).isBefore(end);
            Thread.onSpinWait();
        }
        server.answers.countDown();
        assertThat(next.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(server.mounts).hasValue(1);
        assertThat(server.unmounts).hasValue(0);
        assertThat(mounts.isPending("mem")).isFalse();
    }

    /// Somebody else's, which came while this was on its way.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatWasMountedBeforeIsNotTakenBack(boolean there) throws Exception {
        var server = new Server();
        server.there = there;
        var mounts = new PatientMounts(Duration.ofMinutes(1));
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> mounts.mount("mem", "", server)).hasMessage("given up before the server answered");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        server.answers.countDown();
        var end = Instant.now().plusSeconds(20);
        while (mounts.isPending("mem")) {
            assertThat(Instant.now()).isBefore(end);
            Thread.onSpinWait();
        }
        assertThat(server.unmounts).hasValue(there ? 0 : 1);
    }

    @Test
    void aMountThatCouldNotBeginIsTriedAgain() throws Exception {
        var server = new Server();
        server.answers.countDown();
        var threads = new AtomicInteger();
        var mounts = new PatientMounts(Duration.ofMinutes(1), task -> {
            if (threads.getAndIncrement() == 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(task);
        });
        assertThatThrownBy(() -> mounts.mount("mem", "", server)).isInstanceOf(OutOfMemoryError.class);
        assertThat(mounts.isPending("mem")).isFalse();
        mounts.mount("mem", "", server);
        assertThat(server.mounts).hasValue(1);
    }

    @Test
    void whoIsInterruptedWaitsNoLonger() throws Exception {
        var options = open("volume.mount=sleep(1500)", Duration.ofMinutes(1));
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> volumes.mount("mem", options)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageEndingWith("given up before the server answered");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        untilNothingIsPending();
        assertThat(volumes.mounted()).isEmpty();
    }

    @Test
    void aRefusalIsTheRefusersWord() throws Exception {
        var nowhere = DriverOptions.parse("mem", Map.of("type", "ext4", "device", "/nowhere"));
        assertThatThrownBy(() -> volumes.mount("mem", nowhere)).isInstanceOf(EngineException.Internal.class)
                .hasMessageContaining("failed to mount local volume: mount /nowhere:").hasMessageContaining("no such file");
        assertThat(volumes.isMounted("mem")).isFalse();
    }
}
