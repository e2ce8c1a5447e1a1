package carafe.build.solve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.oci.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is kept of a running step's output, and who hears it.
class FlightTest {

    private static BuildEvent.Log log(String text) {
        return new BuildEvent.Log(3, 1, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String text(List<BuildEvent> heard) {
        var all = new ByteArrayOutputStream();
        heard.forEach(event -> all.writeBytes(((BuildEvent.Log) event).bytes()));
        return all.toString(StandardCharsets.US_ASCII);
    }

    @Test
    void ofMuchOutputTheBeginningAndTheEndAreHeard() throws Exception {
        var flight = new Flight();
        long bytes = 0;
        for (int i = 0; i < 100_000; i++) {
            flight.tell(log("line " + i + "\n"));
            bytes += ("line " + i + "\n").length();
        }
        flight.end(Optional.empty());
        var heard = new ArrayList<BuildEvent>();
        flight.follow(7, heard::add);
        String text = text(heard);
        assertThat(text).startsWith("line 0\nline 1\n").endsWith("line 99998\nline 99999\n")
                .containsOnlyOnce("lines of output are left out here: they came faster than they were read]\n");
        assertThat(text.length()).isBetween(40_000, 2 * Flight.KEPT_BYTES);
        assertThat(heard).allMatch(event -> ((BuildEvent.Log) event).vertex() == 7);
        long left = Long.parseLong(text.replaceAll("(?s).*\\n\\[(\\d+) bytes.*", "$1"));
        long lines = Long.parseLong(text.replaceAll("(?s).*\\n\\[\\d+ bytes in (\\d+) lines.*", "$1"));
        assertThat(text.replaceAll("\n\\[.*\\]\n", "").length() + left).isEqualTo(bytes);
        assertThat(text.replaceAll("\n\\[.*\\]\n", "").lines().count() + lines).isEqualTo(100_000);
    }

    @Test
    @Timeout(60)
    void whoIsInterruptedWhileHeListensDoesNotDoTheWorkHimself() throws Exception {
        var flights = new Flights(Duration.ofMinutes(1));
        var key = Digest.sha256(new byte[0]);
        var told = new CountDownLatch(1);
        var over = new CountDownLatch(1);
        var runs = new AtomicInteger();
        var first = Thread.ofVirtual().start(() -> assertThatThrownBy(() -> flights.join(key, 1, _ -> { }, work -> {
            work.all(log("begun\n"));
            told.countDown();
            over.await();
            throw new IOException("failed");
        })).hasMessage("failed"));
        told.await();
        assertThatThrownBy(() -> flights.join(key, 2, _ -> {
            over.countDown();
            try {
                first.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            Thread.currentThread().interrupt();
        }, _ -> {
            runs.incrementAndGet();
            throw new IOException("run anew");
        })).isInstanceOf(InterruptedException.class);
        assertThat(runs).hasValue(0);
    }

    private static final Digest KEY = Digest.sha256(new byte[0]);
    private static final StepRecord MADE = new StepRecord(KEY, "run", "x", Optional.empty(), Instant.EPOCH, Instant.EPOCH, 0,
            Map.of());

    /// A step that says something, waits for `over` and says something more; two builds want it, and the first is stopped.
    private final class Shared {
        final Flights flights = new Flights();
        final CountDownLatch over = new CountDownLatch(1);
        final CountDownLatch joined = new CountDownLatch(1);
        final AtomicInteger interrupted = new AtomicInteger();
        final AtomicInteger runs = new AtomicInteger();
        final List<BuildEvent> heard = new CopyOnWriteArrayList<>();
        final CompletableFuture<StepRecord> first = new CompletableFuture<>();
        final CompletableFuture<StepRecord> second = new CompletableFuture<>();
        final Thread owner = Thread.ofVirtual().start(() -> join(first, _ -> { }));
        final Thread follower;

        Shared() throws Exception {
            while (runs.get() == 0) {
                Thread.onSpinWait();
            }
            follower = Thread.ofVirtual().start(() -> join(second, event -> {
                heard.add(event);
                joined.countDown();
            }));
            joined.await();
            owner.interrupt();
            while (owner.isInterrupted() || owner.getState() != Thread.State.WAITING) {
                Thread.onSpinWait(); // until it has left
            }
        }

        private void join(CompletableFuture<StepRecord> result, BuildListener listener) {
            try {
                result.complete(flights.join(KEY, 1, listener, told -> {
                    told.all(log("begun\n"));
                    runs.incrementAndGet();
                    try {
                        over.await();
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                        throw e;
                    }
                    told.all(log("ended\n"));
                    return MADE;
                }));
            } catch (InterruptedException e) {
                result.completeExceptionally(e);
            }
        }
    }

    @Test
    @Timeout(60)
    void aStepGoesOnForThoseWhoWaitWhenItsBuildIsStopped() throws Exception {
        var shared = new Shared();
        shared.over.countDown();
        assertThat(shared.second.get()).isEqualTo(MADE);
        assertThat(text(shared.heard)).isEqualTo("begun\nended\n");
        assertThat(shared.first).failsWithin(Duration.ofMinutes(1)).withThrowableThat()
                .withCauseInstanceOf(InterruptedException.class);
        assertThat(shared.runs).hasValue(1);
        assertThat(shared.interrupted).hasValue(0);
    }

    @Test
    @Timeout(60)
    void aStepEndsWithTheLastBuildThatWantsIt() throws Exception {
        var shared = new Shared();
        shared.follower.interrupt();
        for (var build : List.of(shared.first, shared.second)) {
            assertThat(build).failsWithin(Duration.ofMinutes(1)).withThrowableThat()
                    .withCauseInstanceOf(InterruptedException.class);
        }
        assertThat(shared.runs).hasValue(1);
        assertThat(shared.interrupted).hasValue(1);
    }

    @Test
    @Timeout(60)
    void whoListensSlowlyHoldsUpNobodyAndMissesTheMiddle() throws Exception {
        var flight = new Flight();
        var first = new CountDownLatch(1);
        var told = new CountDownLatch(1);
        var heard = new ArrayList<BuildEvent>();
        flight.tell(log("first\n"));
        var follower = Thread.ofVirtual().start(() -> {
            try {
                flight.follow(1, event -> {
                    heard.add(event);
                    first.countDown();
                    try {
                        told.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        first.await();
        String block = "x".repeat(1000) + "\n";
        for (int i = 0; i < 1000; i++) {
            flight.tell(log(block));
        }
        flight.tell(log("last\n"));
        flight.end(Optional.empty());
        told.countDown();
        follower.join();
        assertThat(text(heard)).startsWith("first\n" + block).endsWith(block + "last\n").contains("lines of output are left out");
    }
}
