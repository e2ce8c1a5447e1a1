package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.Source;
import carafe.build.plan.BaseImages;
import carafe.build.plan.PlanOptions;
import carafe.build.plan.Planner;
import carafe.build.tree.TarText;
import carafe.image.Images;
import carafe.spec.Json;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// What `--call` answers about each `answers/CASE/Dockerfile` (with `options` beside it where the command line says
/// something): text and document of each call, as written beside it. `-Dgolden=write` writes them anew.
class AnswersTest {

    private static final Path ROOT = Path.of(System.getProperty("carafe.root"), "build/src/test/resources/answers");
    private static final Platform PLATFORM = Platform.of("linux", "amd64");

    @TestFactory
    Stream<DynamicTest> everyCallGivesItsAnswer() throws IOException {
        try (var cases = Files.list(ROOT)) {
            var all = cases.sorted().toList();
            assertThat(all).hasSizeGreaterThan(4);
            return all.stream().map(directory -> DynamicTest.dynamicTest(directory.getFileName().toString(),
                    () -> answers(directory).forEach((call, answers) -> {
                        compare(directory.resolve(call), answers.text());
                        compare(directory.resolve(call + ".json"), answers.json());
                    })));
        }
    }

    private static void compare(Path golden, String answer) {
        try {
            if ("write".equals(System.getProperty("golden"))) {
                Files.writeString(golden, answer);
            }
            assertThat(answer).isEqualTo(Files.readString(golden));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, Answers> answers(Path directory) throws Exception {
        byte[] bytes = Files.readAllBytes(directory.resolve("Dockerfile"));
        var file = Dockerfile.parse(Source.of("Dockerfile", bytes));
        Map<String, String> arguments = new LinkedHashMap<>();
        if (Files.exists(directory.resolve("options"))) {
            for (String line : Files.readAllLines(directory.resolve("options"))) {
                String[] pair = line.replaceFirst("^arg ", "").split("=", 2);
                arguments.put(pair[0], pair[1]);
            }
        }
        var plan = Planner.plan(file, new PlanOptions(arguments, Optional.empty(), PLATFORM, Map.of(), Set.of(), Map.of(),
                "default"), AnswersTest::image, IgnorePatterns.NONE);
        var outline = Answers.outline(file, plan);
        var targets = Answers.targets(file);
        for (var answers : List.of(outline, targets)) {
            String data = Json.parseObject(answers.json().getBytes(StandardCharsets.UTF_8)).texts("sources").getFirst();
            assertThat(Base64.getDecoder().decode(data)).asString(StandardCharsets.UTF_8)
                    .isEqualTo(new String(bytes, StandardCharsets.UTF_8));
        }
        return Map.of("check", Answers.check(file, plan.findings()), "outline", outline, "targets", targets);
    }

    @Test
    void aCheckAsADocumentHasWhatIsWrongWithTheFile(@TempDir Path directory) throws Exception {
        var check = new BuildRequest("Dockerfile", List.of(), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN,
                new BuildRequest.Result(BuildRequest.Call.CHECK, Optional.empty(), false, false, List.of(), true),
                BuildContexts.NONE);
        try (var images = Images.open(directory.resolve("state"));
                var builder = Builder.open(new Builder.Places(directory.resolve("build"), directory.resolve("secrets")),
                        new Builder.Parts(images, (_, _) -> 1, new PlayedRemotes(), Clock.systemUTC()))) {
            for (String file : List.of("FROM scratch\nRUNN x\n", "FROM scratch\nCOPY --from=9 / /\n")) {
                var answer = Json.parseObject(builder.build(check, AnswersTest::image, new TarText().file("Dockerfile", file)
                        .stream(), _ -> { }).text().getBytes(StandardCharsets.UTF_8));
                assertThat(answer.objects("warnings")).isEmpty();
                assertThat(answer.object("buildError").text("message")).isNotEmpty();
                assertThat(answer.object("buildError").object("location").print())
                        .isEqualTo("{\"ranges\":[{\"start\":{\"line\":2},\"end\":{\"line\":2}}]}");
            }
        }
    }

    private static BaseImages.BaseImage image(String reference, Platform platform) {
        return new BaseImages.BaseImage(Digest.sha256(reference.getBytes(StandardCharsets.UTF_8)),
                new ImageConfig(platform, Optional.empty(), "", "", "", RunConfig.EMPTY, List.of(), List.of()));
    }
}
