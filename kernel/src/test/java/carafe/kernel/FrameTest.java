package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class FrameTest {

    @Test
    void memoryIsZeroWhateverItWasBefore() {
        for (int round = 0; round < 100; round++) {
            try (var frame = new Frame()) {
                for (int size : new int[] {1, 300, 400, 5000}) { // the last two from beside the slab
                    var memory = frame.allocate(size, 8);
                    assertThat(memory.toArray(JAVA_BYTE)).containsOnly(0);
                    memory.fill((byte) 0xff);
                }
            }
        }
    }

    @Test
    void noTwoOpenFramesShareMemory() {
        var frames = new ArrayList<Frame>();
        var places = new HashSet<Long>();
        for (int i = 0; i < 100; i++) {
            var frame = new Frame();
            frames.add(frame);
            assertThat(places.add(frame.allocate(1, 1).address())).isTrue();
        }
        frames.forEach(Frame::close);
    }

    @Test
    void aClosedFrameIsOfNoUse() {
        var frame = new Frame();
        frame.close();
        assertThatIllegalStateException().isThrownBy(() -> frame.allocate(1, 1));
        assertThatIllegalStateException().isThrownBy(() -> frame.once(Syscall.GETPID));
        assertThatIllegalStateException().isThrownBy(frame::close);
    }

    @Test
    void errnoIsThatOfTheOwnCallBesideManyThreads() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var tasks = new ArrayList<Callable<Boolean>>();
            for (int i = 0; i < 200; i++) {
                boolean bad = i % 2 == 0;
                tasks.add(() -> {
                    for (int round = 0; round < 200; round++) {
                        try (var frame = new Frame()) {
                            long rc = bad ? frame.once(Syscall.CLOSE, -1) : frame.once(Syscall.OPENAT2, -1, 0, 0, 0);
                            assertThat(rc).isEqualTo(bad ? -Errno.EBADF : -Errno.EINVAL);
                        }
                    }
                    return true;
                });
            }
            for (var outcome : threads.invokeAll(tasks)) {
                assertThat(outcome.get()).isTrue();
            }
        }
    }
}
