package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NothingLeft.class)
class ProcessesTest {

    @Test
    void aProcessIsKnownByItsHandleUntilItEnds() throws Exception {
        var sleeper = new ProcessBuilder("sleep", "100").start();
        long start = Processes.startTicks(sleeper.pid()).orElseThrow();
        assertThat(Processes.open(sleeper.pid(), start + 1)).isEmpty();
        try (var handle = Processes.open(sleeper.pid(), start).orElseThrow()) {
            assertThat(Processes.isRunning(handle)).isTrue();
            assertThat(Processes.signal(handle, 0)).isTrue();
            assertThat(Processes.signal(handle, Linux.SIGTERM)).isTrue();
            assertThat(Waiting.until(Duration.ofSeconds(60), () -> !Processes.isRunning(handle))).isTrue();
            assertThat(sleeper.waitFor()).isEqualTo(128 + Linux.SIGTERM);
            assertThat(Processes.signal(handle, Linux.SIGKILL)).isFalse();
        }
        assertThat(Processes.open(sleeper.pid(), start)).isEmpty();
        assertThat(Processes.startTicks(sleeper.pid())).isEmpty();
    }

    @Test
    void anImpossibleSignalIsAnError() throws Exception {
        try (var self = Processes.open(ProcessHandle.current().pid()).orElseThrow()) {
            assertThatThrownBy(() -> Processes.signal(self, 1000)).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void namespacesAndExecutables() {
        long self = ProcessHandle.current().pid();
        assertThat(Processes.namespace(self, "net").orElseThrow()).matches("net:\\[\\d+]");
        assertThat(Processes.executable(self).orElseThrow()).endsWith("/java");
        assertThat(Processes.namespace(4_000_000_000L, "net")).isEmpty();
    }

    @Test
    void theStartIsFoundBehindAnyName() {
        String rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for (String name : List.of("sh", "a b", "a) S 9 9", "((", ")")) {
            assertThat(Processes.startTicks("12 (" + name + ")" + rest)).hasValue(4711);
        }
        long seed = Long.getLong("seed", 3);
        var random = new Random(seed);
        for (int round = 0; round < 5000; round++) {
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            Processes.startTicks(NativeText.decode(bytes)); // garbage is no start, never a crash
        }
    }
}
