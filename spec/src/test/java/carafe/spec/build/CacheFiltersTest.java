package carafe.spec.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CacheFiltersTest {

    private static CachePrune.Kept kept(String... words) throws EngineException {
        return prune(Instant.EPOCH, words).kept();
    }

    private static CachePrune prune(Instant now, String... words) throws EngineException {
        return CacheFilters.prune(filters(words), CachePrune.Space.NONE, false, now);
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
            assertThat(prune(now, day).unusedFor()).as(day).contains(Duration.ofDays(1));
        }
        assertThat(prune(now, "until=100ms").unusedFor()).contains(Duration.ofMillis(100));
        assertThat(prune(now).unusedFor()).isEmpty();
        assertThatThrownBy(() -> prune(now, "until=1day").unusedFor())
                .isInstanceOf(EngineException.Invalid.class).hasMessage("invalid time: 1day");
        assertThatThrownBy(() -> prune(now, "until=9999999h").unusedFor())
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("too long ago");
        assertThatThrownBy(() -> prune(now, "until=1h", "unused-for=2h").unusedFor())
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
        assertThatThrownBy(() -> kept("parent=a")).hasMessage("invalid filter 'parent'");
    }

    private static final long GIB = 1L << 30;

    @Test
    void theUsualRulesGoByTheSizeOfTheDisk() {
        var rules = CacheRules.USUAL.on(1000 * GIB);
        var space = new CachePrune.Space(101_000_000_000L, 801_000_000_000L, 201_000_000_000L);
        assertThat(rules).extracting(CachePrune::space)
                .containsExactly(new CachePrune.Space(0, 13_938_000_000L, 0), space, space, space);
        assertThat(rules).extracting(CachePrune::unusedFor).containsExactly(Optional.of(Duration.ofHours(48)),
                Optional.of(Duration.ofDays(60)), Optional.empty(), Optional.empty());
        assertThat(rules).extracting(CachePrune::all).containsExactly(false, false, false, true);
        assertThat(rules.getFirst().kept().kinds()).contains("exec.cachemount");
        assertThat(CacheRules.USUAL.on(GIB).getFirst().space()).isEqualTo(new CachePrune.Space(0, 512_000_000, 0));
    }

    @Test
    void whatIsSaidReplacesAllOfTheUsualSpace() {
        var twenty = new CachePrune.Space(20 * GIB, 0, 0);
        assertThat(new CacheRules(true, Optional.empty(), twenty).on(1000 * GIB)).extracting(CachePrune::space)
                .containsExactly(new CachePrune.Space(0, Math.round(20 * GIB * 0.138), 0), twenty, twenty, twenty);
        var own = new CachePrune(Optional.empty(), twenty, CachePrune.Kept.ANY, true);
        assertThat(new CacheRules(true, Optional.of(List.of(own)), CachePrune.Space.NONE).on(GIB)).containsExactly(own);
        assertThat(new CacheRules(false, Optional.of(List.of(own)), CachePrune.Space.NONE).on(GIB)).isEmpty();
    }
}
