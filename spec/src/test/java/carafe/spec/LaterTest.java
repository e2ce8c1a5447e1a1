package carafe.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LaterTest {
    private static final Duration SOON = Duration.ofMillis(1);

    private final Later later = new Later("test", SOON);
    private final List<String> done = new CopyOnWriteArrayList<>();

    private void untilDone(Runnable before) throws InterruptedException {
        var reached = new CountDownLatch(1);
        before.run();
        later.after(SOON, reached::countDown);
        assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void isDoneOnceAndNotBeforeItsTime() throws Exception {
        long begin = System.nanoTime();
        var reached = new CountDownLatch(1);
        later.after(Duration.ofMillis(30), () -> {
            done.add("it");
            reached.countDown();
        });
        assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(Duration.ofMillis(30).toNanos());
        untilDone(() -> {});
        assertThat(done).containsExactly("it");
    }

    @Test
    void isNotDoneOnceCalledOff() throws Exception {
        var entry = later.after(Duration.ofMillis(20), () -> done.add("called off"));
        var kept = new CountDownLatch(1);
        later.after(Duration.ofMillis(40), kept::countDown);
        entry.callOff();
        assertThat(kept.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(done).isEmpty();
        entry.callOff(); // nothing happens
    }

    @Test
    void worksAgainAfterItHadNothingToDo() throws Exception {
        for (int i = 0; i < 50; i++) {
            String name = "it " + i;
            untilDone(() -> later.after(SOON, () -> done.add(name)));
            if (i % 2 == 0) {
                Thread.sleep(3); // its thread ends
            }
        }
        untilDone(() -> {});
        assertThat(done).hasSize(50).doesNotHaveDuplicates();
    }

    @Test
    void losesNothingThatManyAskForAtOnce() throws Exception {
        int each = 500;
        var reached = new CountDownLatch(4 * each);
        var askers = List.of(1, 2, 3, 4).stream().map(_ -> Thread.ofVirtual().start(() -> {
            for (int i = 0; i < each; i++) {
                later.after(SOON, reached::countDown);
                if (i % 50 == 0) {
                    Thread.yield();
                }
            }
        })).toList();
        for (var asker : askers) {
            asker.join();
        }
        assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
    }
}
