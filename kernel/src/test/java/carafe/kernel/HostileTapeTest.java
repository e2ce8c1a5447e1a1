package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Tapes that no encoder made: whatever is in them, the spawner stays, and the launch is answered.
final class HostileTapeTest {

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    @TempDir
    Path directory;

    private SpawnerLink link;
    private Fd program;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    @BeforeEach
    void start() throws Exception {
        program = SpawnerProcess.protectedProgram(Stage.NATIVE.resolve("carafe-spawner"));
        link = new SpawnerLink(SpawnerProcess.start(program));
    }

    @AfterEach
    void stop() throws Exception {
        link.close();
        program.close();
        Stage.awaitNoProcess(directory);
    }

    /// How a launch of `blob` ended.
    private Object play(Stage stage, Launch launch, Fd blob, List<Fd> fds) throws Exception {
        var flight = link.send(launch, blob, fds);
        try {
            var running = flight.running().get(Stage.DEADLINE.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
            try (var pidfd = running.pidfd().orElseThrow()) {
                Flight.signal(pidfd, Linux.SIGKILL);
                flight.exit().get(Stage.DEADLINE.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
            }
            return running;
        } catch (java.util.concurrent.ExecutionException e) {
            return Objects.requireNonNull(e.getCause());
        }
    }

    private List<Fd> descriptors(Launch launch) {
        return TapeBlob.encode(launch).passed().stream()
                .map(slot -> Objects.requireNonNull(launch.descriptors().get(slot)))
                .toList();
    }

    private static void assertRefused(Object outcome) {
        assertThat(outcome).isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOEXEC));
    }

    @Test
    void tapeThatCouldStillChangeIsRefused() throws Exception {
        try (var stage = new Stage(directory.resolve("stage"));
                var memfd = Descriptors.memfd("tape")) {
            var launch = stage.launch("true");
            FdStream.write(memfd, TapeBlob.encode(launch).bytes());
            assertRefused(play(stage, launch, memfd, descriptors(launch)));
            var noMemfd = Objects.requireNonNull(stage.descriptors.get(Stage.RUN_DIR));
            assertRefused(play(stage, launch, noMemfd, descriptors(launch)));
        }
    }

    @Test
    void tapeWithoutItsDescriptorsIsRefused() throws Exception {
        try (var stage = new Stage(directory.resolve("stage"))) {
            var launch = stage.launch("true");
            try (var memfd = Descriptors.sealedMemfd("tape", TapeBlob.encode(launch).bytes())) {
                assertRefused(play(stage, launch, memfd, List.of()));
            }
        }
    }

    @Test
    void truncatedTapesAreRefused() throws Exception {
        try (var stage = new Stage(directory.resolve("stage"))) {
            var launch = stage.launch("true");
            byte[] whole = TapeBlob.encode(launch).bytes();
            for (int bytes = 0; bytes < whole.length; bytes += 41) {
                try (var memfd = Descriptors.sealedMemfd("tape", java.util.Arrays.copyOf(whole, bytes))) {
                    assertRefused(play(stage, launch, memfd, descriptors(launch)));
                }
            }
        }
    }

    @Test
    void callsThatWouldBreakThePlayerAreRefused() throws Exception {
        try (var stage = new Stage(directory.resolve("stage"))) {
            for (var call : List.of(Syscall.CLONE, Syscall.CLONE3, Syscall.EXIT, Syscall.EXIT_GROUP)) {
                var launch = stage.launch(List.of(Step.child("break", call), Stage.exec("true")));
                try (var memfd = Descriptors.sealedMemfd("tape", TapeBlob.encode(launch).bytes())) {
                    assertRefused(play(stage, launch, memfd, descriptors(launch)));
                }
            }
        }
    }

    /// Only what cannot turn a harmless call into another one is mutated: not the call, not the value of an argument.
    @Test
    void mutatedTapesNeverKillTheSpawner() throws Exception {
        long seed = Long.getLong("seed", 4711);
        var random = new Random(seed);
        int refused = 0;
        try (var stage = new Stage(directory.resolve("stage"))) {
            stage.log = Optional.empty();
            stage.steps.add(Step.monitor("a", Syscall.GETPID).tolerating(Errno.EPERM));
            stage.steps.add(Step.child("b", Syscall.GETPPID, Arg.text("x"), Arg.slot(Stage.RUN_DIR)));
            var launch = stage.pipes(Optional.of(false)).launch("true");
            byte[] good = TapeBlob.encode(launch).bytes();
            for (int round = 0; round < 1500; round++) {
                byte[] blob = mutate(good.clone(), random);
                try (var memfd = Descriptors.sealedMemfd("tape", blob)) {
                    var outcome = play(stage, launch, memfd, descriptors(launch));
                    refused += outcome instanceof KernelException ? 1 : 0;
                }
                assertThat(link.isOpen()).as("seed %d round %d", seed, round).isTrue();
            }
        }
        assertThat(refused).isGreaterThan(300);
    }

    private static byte[] mutate(byte[] blob, Random random) {
        var buffer = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
        int steps = TapeFormat.HEADER_BYTES;
        int count = buffer.getInt(TapeFormat.HEADER_MONITOR_STEPS) + buffer.getInt(TapeFormat.HEADER_CHILD_STEPS);
        int relocs = steps + count * TapeFormat.STEP_BYTES;
        int data = buffer.getInt(TapeFormat.HEADER_DATA_OFFSET);
        int[] values = {0, 1, -1, 255, 256, Integer.MAX_VALUE, Integer.MIN_VALUE, blob.length, blob.length - 1, data};
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            int value = random.nextBoolean() ? values[random.nextInt(values.length)] : random.nextInt(300);
            switch (random.nextInt(3)) {
                case 0 -> buffer.putInt(random.nextInt(TapeFormat.HEADER_BYTES / 4) * 4, value);
                case 1 -> {
                    int step = steps + random.nextInt(count) * TapeFormat.STEP_BYTES;
                    int field = TapeFormat.STEP_FLAGS + 4 * random.nextInt((TapeFormat.STEP_EXACT - 4) / 4);
                    buffer.putInt(step + field, value);
                }
                default -> buffer.putInt(relocs + random.nextInt((data - relocs) / 4) * 4, value);
            }
        }
        return blob;
    }
}
