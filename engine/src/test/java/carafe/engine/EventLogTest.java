package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.docker.Event;
import carafe.spec.docker.Filters;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

final class EventLogTest {
    private final EventLog log = new EventLog(Clock.systemUTC());

    private void tell(String action, String id, String name) {
        log.publish(Event.Type.CONTAINER, action, id, Map.of("name", name, "image", "app:1", "tier", "web"));
    }

    private static EventQuery since(Instant since, Filters filters) {
        return new EventQuery(Optional.of(since), Optional.of(Instant.now()), filters);
    }

    private List<String> replay(Map<String, Set<String>> filters) throws Exception {
        var actions = new ArrayList<String>();
        try (var stream = log.subscribe(since(Instant.EPOCH, new Filters(filters)))) {
            for (var next = stream.next(); next.isPresent(); next = stream.next()) {
                actions.add(next.get().action());
            }
        }
        return actions;
    }

    @Test
    void thePastIsReplayedAndThenTheStreamEnds() throws Exception {
        tell("create", "abc", "web");
        tell("start", "abc", "web");
        assertThat(replay(Map.of())).containsExactly("create", "start");
    }

    @Test
    void only256AreRemembered() throws Exception {
        for (int number = 0; number < 300; number++) {
            tell("a" + number, "abc", "web");
        }
        assertThat(replay(Map.of())).hasSize(256).first().isEqualTo("a44");
    }

    @Test
    void filtersSelectByWhatTheyName() throws Exception {
        tell("exec_create: sh -c x", "abc", "web");
        tell("die", "def", "db");
        log.publish(Event.Type.IMAGE, "tag", "sha256:1", Map.of("name", "app:1"));
        assertThat(replay(Map.of("event", Set.of("exec_create")))).containsExactly("exec_create: sh -c x");
        assertThat(replay(Map.of("container", Set.of("db")))).containsExactly("die");
        assertThat(replay(Map.of("container", Set.of("de")))).containsExactly("die");
        assertThat(replay(Map.of("type", Set.of("image")))).containsExactly("tag");
        assertThat(replay(Map.of("image", Set.of("app")))).hasSize(3);
        assertThat(replay(Map.of("label", Set.of("tier=web"), "event", Set.of("die", "tag")))).containsExactly("die");
        assertThatThrownBy(() -> replay(Map.of("colour", Set.of("red"))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid filter 'colour'");
    }

    @Test
    void aSubscriberSeesWhatHappensAfterItCame() throws Exception {
        tell("before", "abc", "web");
        try (var stream = log.subscribe(new EventQuery(Optional.empty(), Optional.empty(), Filters.NONE))) {
            tell("after", "abc", "web");
            assertThat(stream.next().orElseThrow().action()).isEqualTo("after");
        }
    }

    @Test
    void aSubscriberThatDoesNotReadIsCutOffAndNobodyWaits() throws Exception {
        try (var stream = log.subscribe(new EventQuery(Optional.empty(), Optional.empty(), Filters.NONE))) {
            for (int number = 0; number < 10_000; number++) {
                tell("e" + number, "abc", "web");
            }
            int seen = 0;
            while (stream.next().isPresent()) {
                seen++;
            }
            assertThat(seen).isEqualTo(4096);
        }
    }

    @Test
    void closingEndsAStreamThatWaits() throws Exception {
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var stream = log.subscribe(new EventQuery(Optional.empty(), Optional.empty(), Filters.NONE));
            var next = pool.submit(stream::next);
            stream.close();
            assertThat(next.get()).isEmpty();
            var other = log.subscribe(new EventQuery(Optional.empty(), Optional.empty(), Filters.NONE));
            var last = pool.submit(other::next);
            log.close();
            assertThat(last.get()).isEmpty();
        }
    }

    @Test
    void aTimeInTheFutureEndsTheStreamThen() throws Exception {
        var query = new EventQuery(Optional.empty(), Optional.of(Instant.now().plusMillis(50)), Filters.NONE);
        try (var stream = log.subscribe(query)) {
            assertThat(stream.next()).isEmpty();
        }
    }
}
