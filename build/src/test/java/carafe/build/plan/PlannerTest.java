package carafe.build.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.Source;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Platform;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What a plan's text does not show.
class PlannerTest {

    @Test
    void imagesThatAreCopiedFromAndMountedAreOfTheBuildsPlatform() throws Exception {
        var asked = new ArrayList<String>();
        plan("FROM --platform=linux/arm64 busybox\nCOPY --from=alpine / /\n"
                + "RUN --mount=from=tools,target=/t x\n", asked);
        assertThat(asked).containsExactly("busybox linux/arm64", "alpine linux/s390x", "tools linux/s390x");
    }

    @Test
    void aStageThatComesLaterIsTold() {
        var file = "FROM busybox AS a\nCOPY --from=later / /\nRUN x\nFROM a AS later\n";
        assertThatThrownBy(() -> plan(file, new ArrayList<>())).isInstanceOf(EngineException.NotFound.class)
                .hasMessageContaining(">>> COPY --from=later / /")
                .hasMessageContaining("a stage later begins at line 4, and only stages above can be named");
        assertThatThrownBy(() -> plan("FROM later AS later\n", new ArrayList<>()))
                .hasMessageContaining("a stage later begins at line 1, and only stages above can be named");
    }

    private static BuildPlan plan(String text, ArrayList<String> asked) throws Exception {
        var file = Dockerfile.parse(Source.of("Dockerfile", text.getBytes(StandardCharsets.UTF_8)));
        var options = new PlanOptions(Map.of(), Optional.empty(), Platform.of("linux", "s390x"), Map.of(), Set.of(),
                Map.of(), "default");
        return Planner.plan(file, options, (reference, platform) -> {
            asked.add(reference + " " + platform);
            if (reference.equals("later")) {
                throw new EngineException.NotFound("No such image: later");
            }
            return PlanText.image(reference, platform);
        }, IgnorePatterns.NONE);
    }
}
