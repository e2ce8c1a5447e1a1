package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.docker.Filters;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BuildRoutesTest {

    private static CachePrune.Kept kept(String... words) throws EngineException {
        return BuildRoutes.kept(filters(words));
    }

    private static Filters filters(String... words) {
        var filters = new HashMap<String, Set<String>>();
        for (String word : words) {
            String[] sides = word.split("=");
            filters.put(sides[0], Set.of(sides[1]));
        }
        return new Filters(filters);
    }

    @Test
    void aPruneGoesBackToATimeOrASpan() throws Exception {
        var now = Instant.parse("2026-01-02T00:00:00Z");
        for (String day : List.of("until=2026-01-01", "until=1767225600", "until=24h", "until=23.5h30m", "unused-for=86400s",
                "until=86400000ms", "until=2026-01-01T00:00:00Z")) {
            assertThat(BuildRoutes.unusedFor(filters(day), now)).as(day).contains(Duration.ofDays(1));
        }
        assertThat(BuildRoutes.unusedFor(filters("until=100ms"), now)).contains(Duration.ofMillis(100));
        assertThat(BuildRoutes.unusedFor(filters(), now)).isEmpty();
        assertThatThrownBy(() -> BuildRoutes.unusedFor(filters("until=1day"), now))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("invalid time: 1day");
        assertThatThrownBy(() -> BuildRoutes.unusedFor(filters("until=9999999h"), now))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("too long ago");
        assertThatThrownBy(() -> BuildRoutes.unusedFor(filters("until=1h", "unused-for=2h"), now))
                .isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void everyFilterOfAPruneCounts() throws Exception {
        assertThat(kept()).isEqualTo(CachePrune.Kept.ANY);
        assertThat(kept("id=a", "type=regular", "description=d", "inuse=0", "shared=true"))
                .isEqualTo(new CachePrune.Kept(List.of("a"), List.of("regular"), List.of("d"), Optional.of(false), Optional.of(true)));
        assertThat(kept("private=true").shared()).contains(false);
        assertThat(kept("private=false").shared()).contains(true);
        assertThat(kept("private=false", "shared=true").shared()).contains(true);
        assertThatThrownBy(() -> kept("private=true", "shared=true")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid filter: shared=true and private=true leave nothing");
        assertThatThrownBy(() -> kept("inuse=perhaps")).isInstanceOf(EngineException.Invalid.class);
    }
}
