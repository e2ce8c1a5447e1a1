package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A volume whose server answers late, or never.
class PatientMountsTest {

    private static final Duration PATIENCE = Duration.ofMillis(300);

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
        var options = open("volume.mount=sleep(1500)", PATIENCE);
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

    @Test
    void whoComesNextWaitsForTheSameMount() throws Exception {
        var options = open("volume.mount=1*sleep(1000)->EIO", PATIENCE);
        for (int time = 0; time < 2; time++) {
            assertThatThrownBy(() -> volumes.mount("mem", options)).hasMessageContaining("no answer within");
        }
        var end = Instant.now().plusSeconds(20);
        while (!volumes.isMounted("mem")) {
            assertThat(Instant.now()).isBefore(end);
            try {
                volumes.mount("mem", options);
            } catch (EngineException.Unavailable e) {
                assertThat(e).hasMessageContaining("no answer within");
            }
        }
        assertThat(volumes.mounted()).containsExactly("mem");
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
