package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.build.CachePrune;
import carafe.spec.docker.Filters;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BuildRoutesTest {

    private static CachePrune.Kept kept(String... words) throws EngineException {
        var filters = new HashMap<String, Set<String>>();
        for (String word : words) {
            String[] sides = word.split("=");
            filters.put(sides[0], Set.of(sides[1]));
        }
        return BuildRoutes.kept(new Filters(filters));
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
