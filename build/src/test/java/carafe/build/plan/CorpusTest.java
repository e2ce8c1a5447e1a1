package carafe.build.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every Dockerfile of the corpus (`golden/SUBJECT/CASE/Dockerfile`, with `options` beside it where the command line
/// says something) gives the plan, warnings or error that is written in `plan`. `-Dgolden=write` writes them anew.
class CorpusTest {

    private static final Path ROOT = Path.of(System.getProperty("carafe.root"), "build/src/test/resources/golden");

    @TestFactory
    Stream<DynamicTest> everyDockerfileGivesItsPlan() throws IOException {
        return cases().stream().map(directory -> DynamicTest.dynamicTest(ROOT.relativize(directory).toString(), () -> {
            Path options = directory.resolve("options");
            String plan = PlanText.of(Files.readAllBytes(directory.resolve("Dockerfile")),
                    Files.exists(options) ? Files.readString(options) : "");
            Path golden = directory.resolve("plan");
            if ("write".equals(System.getProperty("golden"))) {
                Files.writeString(golden, plan);
            }
            assertThat(plan).isEqualTo(Files.readString(golden));
        }));
    }

    @Test
    void theCorpusIsLarge() throws IOException {
        assertThat(cases()).hasSizeGreaterThan(200);
    }

    private static List<Path> cases() throws IOException {
        var found = new ArrayList<Path>();
        try (var walk = Files.walk(ROOT, 3)) {
            walk.filter(path -> path.endsWith("Dockerfile")).map(Path::getParent).sorted().forEach(found::add);
        }
        return found;
    }
}
