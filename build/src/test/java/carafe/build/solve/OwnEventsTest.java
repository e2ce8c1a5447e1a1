package carafe.build.solve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.build.BuildEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a build's own client hears of a step when it reads slowly or not at all.
@Timeout(60)
class OwnEventsTest {

    private static final int LINES = 2000;
    private static final String REST = " " + "x".repeat(1000) + "\n";

    private final CountDownLatch reading = new CountDownLatch(1);
    private final CountDownLatch heardOne = new CountDownLatch(1);
    private final List<BuildEvent> heard = new CopyOnWriteArrayList<>();

    private void hear(BuildEvent event) {
        heard.add(event);
        heardOne.countDown();
        try {
            reading.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void chat(OwnEvents events) {
        for (int i = 0; i < LINES; i++) {
            events.on(new BuildEvent.Log(3, 1, ("line " + i + REST).getBytes(StandardCharsets.US_ASCII)));
        }
    }

    private List<String> lines() {
        var text = new StringBuilder();
        heard.forEach(event -> {
            if (event instanceof BuildEvent.Log(var _, var _, var bytes)) {
                text.append(new String(bytes, StandardCharsets.US_ASCII));
            }
        });
        return text.toString().lines().filter(line -> !line.isEmpty()).toList();
    }

    @Test
    void aSlowClientHearsAllWhileNobodyElseWaits() throws Exception {
        var events = new OwnEvents(3, this::hear, Duration.ofMinutes(10));
        var program = Thread.ofVirtual().start(() -> chat(events));
        heardOne.await();
        while (program.getState() != Thread.State.TIMED_WAITING) { // there is no room for more
            Thread.onSpinWait();
        }
        reading.countDown();
        program.join();
        events.end();
        assertThat(lines()).hasSize(LINES).noneMatch(line -> line.contains("left out"));
    }

    @Test
    void aClientThatTakesNothingIsNotWaitedForWhenAnotherBuildWaitsForTheStep() throws Exception {
        var events = new OwnEvents(3, this::hear, Duration.ofMinutes(10));
        var program = Thread.ofVirtual().start(() -> chat(events));
        heardOne.await();
        while (program.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        events.hurry();
        program.join();
        isCutShort(events);
    }

    @Test
    void aClientThatTakesNothingForLongIsNotWaitedForEither() throws Exception {
        var events = new OwnEvents(3, this::hear, Duration.ofMillis(1));
        chat(events);
        isCutShort(events);
    }

    /// What is missing is told as long as the client is away, and by how many lines.
    private void isCutShort(OwnEvents events) {
        events.on(new BuildEvent.Failed(3, "it failed", 1, "")); // never left out
        reading.countDown();
        events.end();
        var lines = lines();
        var notes = lines.stream().filter(line -> line.contains("are left out here")).toList();
        int missing = notes.stream().mapToInt(note -> Integer.parseInt(note
                .replaceAll("\\[\\d+ bytes in (\\d+) lines of output are left out here:.*", "$1"))).sum();
        assertThat(notes).contains(lines.getLast());
        assertThat(lines.size() - notes.size() + missing).isEqualTo(LINES);
        assertThat(lines.size()).isBetween(200, 500);
        assertThat(heard.getLast()).isInstanceOf(BuildEvent.Failed.class);
    }

    /// A program that was silent for long, and then says much at once.
    @Test
    void timeWithoutAnythingToTakeIsNotTheClients() throws Exception {
        var now = new AtomicLong();
        reading.countDown();
        var events = new OwnEvents(3, event -> {
            heard.add(event);
            heardOne.countDown();
        }, Duration.ofMinutes(1), now::get);
        events.on(new BuildEvent.Running(3, "c"));
        heardOne.await();
        now.set(Duration.ofMinutes(10).toNanos());
        chat(events);
        events.end();
        assertThat(lines()).hasSize(LINES).noneMatch(line -> line.contains("left out"));
    }

    @Test
    void whoStopsTheBuildDoesNotWaitForTheClient() throws Exception {
        var events = new OwnEvents(3, this::hear, Duration.ofMinutes(10));
        events.on(new BuildEvent.Running(3, "c"));
        heardOne.await();
        events.stop();
        events.end();
        assertThat(heard).hasSize(1);
    }


    @Test
    void aFaultOfTheListenersIsNotLost() {
        var heardBefore = new ArrayList<BuildEvent>();
        var events = new OwnEvents(3, event -> {
            heardBefore.add(event);
            throw new IllegalStateException("the listener's own");
        }, Duration.ofMinutes(10));
        chat(events);
        assertThatThrownBy(events::end).hasMessage("the listener's own");
        assertThat(heardBefore).hasSize(1);
    }
}
