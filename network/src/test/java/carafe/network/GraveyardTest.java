package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkEnd;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When the dead go, and in which order what belongs to them follows.
class GraveyardTest {

    private static final Duration NEVER = Duration.ofHours(1);
    private static final Duration SOON = Duration.ofMillis(50);
    private static final int MANY = 1_000_000;

    @TempDir
    Path run;

    private final List<String> closed = new CopyOnWriteArrayList<>();
    private FabricStage stage;
    private NamespaceThread thread;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        thread = NamespaceThread.startAt(stage.home());
    }

    @AfterEach
    void close() {
        thread.close();
        stage.close();
    }

    private Graveyard graveyard(Duration quiet, Duration rush, int most) throws Exception {
        return new Graveyard(thread.insideHome(Netlink::open), new Graveyard.Patience(quiet, rush, most));
    }

    private void make(int from, int count) throws Exception {
        for (int number = from; number < from + count; number++) {
            stage.netlink().perform(NetRequest.addVeth(LinkEnd.named("p" + number), LinkEnd.named("q" + number)));
        }
    }

    private boolean isThere(String link) throws Exception {
        return stage.netlink().link(link).isPresent();
    }

    @Test
    void theyGoWhenItIsQuiet() throws Exception {
        make(0, 1);
        try (var graveyard = graveyard(SOON, NEVER, MANY)) {
            var gone = new CountDownLatch(1);
            graveyard.newcomer();
            graveyard.bury(List.of("p0"), List.of(gone::countDown));
            gone.await();
            assertThat(isThere("p0")).isFalse();
        }
    }

    @Test
    void theyGoAfterAWhileWhereItNeverIsQuiet() throws Exception {
        make(0, 40); // more than go at once then
        try (var graveyard = graveyard(SOON, SOON, MANY)) {
            var gone = new CountDownLatch(40);
            for (int number = 0; number < 40; number++) {
                String link = "p" + number;
                graveyard.bury(List.of(link), List.of(() -> {
                    closed.add(isThere(link) ? link + " is there" : link);
                    gone.countDown();
                }));
            }
            while (gone.getCount() > 0) {
                graveyard.newcomer();
                Thread.onSpinWait();
            }
            assertThat(closed).hasSize(40).startsWith("p0", "p1").noneMatch(one -> one.endsWith("there"));
        }
    }

    @Test
    void theyGoWhenTheyAreTooMany() throws Exception {
        make(0, 3);
        try (var graveyard = graveyard(NEVER, NEVER, 3)) {
            var gone = new CountDownLatch(3);
            graveyard.bury(List.of("p0"), List.of(gone::countDown));
            graveyard.bury(List.of("p1"), List.of(gone::countDown));
            assertThat(isThere("p0")).isTrue();
            assertThat(isThere("p1")).isTrue();
            graveyard.bury(List.of("p2"), List.of(gone::countDown));
            gone.await();
            assertThat(isThere("p0") || isThere("p1") || isThere("p2")).isFalse();
        }
    }

    @Test
    void whoWantsThemGoneNeedNotWait() throws Exception {
        make(0, 2);
        try (var graveyard = graveyard(NEVER, NEVER, MANY)) {
            graveyard.bury(List.of("p0", "not there"), List.of(() -> closed.add("namespace"), () -> closed.add("seat")));
            graveyard.settle();
            assertThat(closed).containsExactly("namespace", "seat");
            assertThat(isThere("p0")).isFalse();
            graveyard.bury(List.of("p1"), List.of());
            graveyard.settle();
            assertThat(isThere("p1")).isFalse();
        }
    }

    @Test
    void nothingIsLeftWhenItCloses() throws Exception {
        make(0, 2);
        var graveyard = graveyard(NEVER, NEVER, MANY);
        graveyard.bury(List.of("p0"), List.of(() -> closed.add("p0")));
        graveyard.bury(List.of("p1"), List.of(() -> {
            throw new IllegalStateException("keeps nobody else");
        }, () -> closed.add("p1")));
        graveyard.close();
        assertThat(closed).containsExactly("p0", "p1");
        assertThat(isThere("p0") || isThere("p1")).isFalse();
    }

    @Test
    void aCrashLeavesThem() throws Exception {
        make(0, 1);
        var graveyard = graveyard(NEVER, NEVER, MANY);
        graveyard.bury(List.of("p0"), List.of(() -> closed.add("p0")));
        graveyard.abandon();
        assertThat(closed).isEmpty();
        assertThat(isThere("p0")).isTrue();
    }
}
