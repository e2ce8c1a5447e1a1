package carafe.build.solve;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What keys are made of: layers that the versions before cached are found, unless they would be others now.
class StepKeyTest {

    private static Map<String, String> parts(boolean link) {
        var options = new Operation.Options(Optional.empty(), Optional.empty(), link, false, List.of(), Optional.empty(), false,
                Optional.empty());
        return new StepKey("add", Optional.empty())
                .copy(new Operation.Copy(true, new Origin.Context(), List.of("a.tar"), List.of(), "/x/", options)).parts();
    }

    @Test
    void copiesWithLinkHaveRulesOfTheirOwn() {
        assertThat(parts(true)).containsEntry("link", "true").containsEntry("rules", "2").containsEntry("link rules", "2");
        assertThat(parts(false)).containsOnly(Map.entry("kind", "add"), Map.entry("rules", "2"), Map.entry("destination", "/x/"),
                Map.entry("owner", ""), Map.entry("mode", ""), Map.entry("link", "false"), Map.entry("sources", "[\"a.tar\"]"),
                Map.entry("parents", "false"), Map.entry("excludes", "[]"), Map.entry("unpack", "true"));
    }
}
