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
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
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
        return new Graveyard(thread.insideHome(Netlink::open), new Lull.Patience(quiet, rush, most));
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
    void whoComesIsWaitedForAsWhoGoes() throws Exception {
        make(0, 1);
        long quiet = SOON.toNanos();
        var time = new AtomicLong();
        var looks = new Semaphore(0);
        LongSupplier clock = () -> {
            if (Thread.currentThread().getName().equals("carafe-links")) {
                looks.release();
            }
            return time.get();
        };
        try (var graveyard = new Graveyard(thread.insideHome(Netlink::open), new Lull.Patience(SOON, NEVER, MANY), clock)) {
            graveyard.bury(List.of("p0"), List.of());
            time.set(quiet - 1);
            graveyard.newcomer();
            time.set(quiet + 1); // quiet if nobody had come
            looks.drainPermits();
            looks.acquire(4);
            assertThat(isThere("p0")).isTrue();
        }
        assertThat(isThere("p0")).isFalse();
    }

    @Test
    void theyGoInSmallGroupsWhereItNeverIsQuiet() throws Exception {
        make(0, 40);
        var time = new AtomicLong();
        var rush = Duration.ofSeconds(1);
        try (var graveyard = new Graveyard(thread.insideHome(Netlink::open), new Lull.Patience(rush, rush, 40), time::get)) {
            var first = new CountDownLatch(Lull.MOST_WHEN_BUSY);
            for (int number = 0; number < 40; number++) {
                String link = "p" + number;
                graveyard.bury(List.of(link), List.of(() -> closed.add(link), first::countDown));
            }
            first.await(); // the fortieth was too many
            assertThat(closed).hasSize(Lull.MOST_WHEN_BUSY).startsWith("p0", "p1");
            assertThat(isThere("p31")).isFalse();
            assertThat(isThere("p32") && isThere("p39")).isTrue();
        }
        assertThat(closed).hasSize(40);
    }

    @Test
    void whatGoesTogetherIsCountedInLinks() throws Exception {
        make(0, 400);
        var names = IntStream.range(0, 400).mapToObj(number -> "p" + number).toList();
        try (var graveyard = graveyard(NEVER, NEVER, MANY)) {
            for (int from = 0; from < 400; from += 40) { // more answers of the kernel than a socket holds
                graveyard.bury(names.subList(from, from + 40), List.of());
            }
            graveyard.settle();
            assertThat(stage.links()).doesNotContainAnyElementsOf(names);
            make(0, 1);
            graveyard.bury(List.of("p0"), List.of());
            graveyard.settle();
            assertThat(isThere("p0")).isFalse();
        }
    }

    @Test
    void whoComesAfterTheEndNeedNotWait() throws Exception {
        var graveyard = graveyard(NEVER, NEVER, MANY);
        graveyard.close();
        graveyard.settle();
        graveyard.bury(List.of("p0"), List.of(() -> closed.add("namespace")));
        assertThat(closed).containsExactly("namespace");
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
    void aFaultKeepsNobodyWaiting() throws Exception {
        make(0, 1);
        var netlink = thread.insideHome(Netlink::open);
        try (var graveyard = new Graveyard(netlink, FabricStage.AT_ONCE)) {
            netlink.close();
            graveyard.bury(List.of("p0"), List.of(() -> {
                throw new AssertionError("a fault");
            }, () -> closed.add("namespace")));
            graveyard.settle();
            graveyard.settle();
            assertThat(closed).containsExactly("namespace");
            assertThat(isThere("p0")).as("there was a fault").isTrue();
        }
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
