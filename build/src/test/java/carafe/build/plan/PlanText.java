package carafe.build.plan;

import carafe.build.dockerfile.Dockerfile;
import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Source;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Plans a Dockerfile against a few images that exist only here, and writes the plan, or what was refused, as text.
final class PlanText {

    private static final Platform PLATFORM = Platform.of("linux", "amd64");

    private PlanText() {}

    static String of(byte[] dockerfile, String options) {
        Source source = new Source("Dockerfile", List.of());
        try {
            source = Source.of("Dockerfile", dockerfile);
            var file = Dockerfile.parse(source);
            var asked = options(options);
            return text(Planner.plan(file, asked.plan, PlanText::image, asked.ignored));
        } catch (DockerfileException e) {
            return "error: " + e.in(source).getMessage() + "\n";
        } catch (EngineException e) {
            return "error: " + e.getMessage() + "\n";
        }
    }

    private record Asked(PlanOptions plan, IgnorePatterns ignored) {}

    private static Asked options(String text) throws EngineException {
        Map<String, String> arguments = new LinkedHashMap<>();
        Map<String, String> labels = new LinkedHashMap<>();
        Optional<String> target = Optional.empty();
        var ignored = new ArrayList<String>();
        var contexts = new HashSet<String>();
        Map<String, String> images = new LinkedHashMap<>();
        for (String line : text.lines().toList()) {
            String[] words = line.split(" ", 2);
            String[] pair = words[1].split("=", 2);
            switch (words[0]) {
                case "arg" -> arguments.put(pair[0], pair[1]);
                case "label" -> labels.put(pair[0], pair[1]);
                case "target" -> target = Optional.of(words[1]);
                case "context" -> contexts.add(words[1]);
                case "image" -> images.put(pair[0], pair[1]);
                case "ignore" -> ignored.add(words[1]);
                default -> throw new AssertionError(line);
            }
        }
        return new Asked(new PlanOptions(arguments, target, PLATFORM, labels, contexts, images, "default"),
                IgnorePatterns.of(ignored));
    }

    /// `busybox`, `alpine`, and two with more to inherit: `base`, `onbuild`.
    static BaseImages.BaseImage image(String reference, Platform platform) throws EngineException {
        Reference.parse(reference);
        var plain = new RunConfig("", "", List.of("PATH=/bin"), List.of(), List.of("sh"), Set.of(), Set.of(), Map.of(), "",
                Optional.empty(), List.of(), List.of(), false);
        var run = switch (reference) {
            case "missing" -> throw new EngineException.NotFound("No such image: " + reference);
            case "base" -> new RunConfig("app", "/home", List.of("PATH=/usr/bin", "LANG=C"), List.of("init"), List.of("run"),
                    Set.of("80/tcp"), Set.of("/data"), Map.of("kind", "base"), "SIGINT", Optional.empty(), List.of(),
                    List.of(), false);
            case "onbuild" -> new RunConfig("", "/src", List.of("PATH=/bin"), List.of(), List.of(), Set.of(), Set.of(),
                    Map.of(), "", Optional.empty(), List.of("COPY . /src/", "RUN make"), List.of(), false);
            default -> plain;
        };
        var config = new ImageConfig(platform, Optional.empty(), "", "", "", run, List.of(), List.of());
        return new BaseImages.BaseImage(Digest.sha256(reference.getBytes(StandardCharsets.UTF_8)), config);
    }

    private static String text(BuildPlan plan) {
        var text = new StringBuilder();
        for (var stage : plan.stages()) {
            text.append("stage ").append(stage.title()).append(" on ").append(origin(stage.base())).append(" for ")
                    .append(stage.platform()).append('\n');
            for (var step : stage.steps()) {
                text.append("  ").append(step.span().first()).append(' ').append(quoted(step.history())).append('\n');
                operation(step.operation(), text);
            }
        }
        text.append("config ").append(plan.targets().getFirst().config().toJson().print()).append('\n');
        if (!plan.unused().isEmpty()) {
            text.append("unused ").append(plan.unused()).append('\n');
        }
        for (var finding : plan.findings()) {
            text.append("warning ").append(finding.rule().word()).append(" line ").append(finding.span().first())
                    .append(": ").append(finding.message()).append('\n');
            if (!finding.fix().isEmpty()) {
                text.append("  try: ").append(finding.fix()).append('\n');
            }
        }
        return text.toString();
    }

    private static String quoted(String text) {
        return text.replace("\n", "\\n");
    }

    private static String origin(Origin origin) {
        return switch (origin) {
            case Origin.Scratch() -> "nothing";
            case Origin.Context() -> "the context";
            case Origin.NamedContext(var name) -> "context " + name;
            case Origin.OfStage(var index) -> "stage " + index;
            case Origin.OfImage(var reference, var _) -> "image " + reference;
        };
    }

    private static void operation(Operation operation, StringBuilder text) {
        switch (operation) {
            case Operation.Nothing() -> { }
            case Operation.MakeDirectory(var path, var user) -> text.append("    directory ").append(path).append(" for ")
                    .append(user.isEmpty() ? "root" : user).append('\n');
            case Operation.Run run -> {
                text.append("    run ").append(quoted(run.arguments().toString())).append(" in ").append(run.directory())
                        .append(run.user().isEmpty() ? "" : " as " + run.user()).append(" network ")
                        .append(run.network()).append(run.insecure() ? " insecure" : "").append('\n');
                text.append("    env ").append(run.environment()).append(run.hidden().isEmpty() ? "" : " hidden "
                        + run.hidden()).append('\n');
                run.script().ifPresent(script -> text.append("    script ").append(script.path()).append(' ')
                        .append(quoted(script.content())).append('\n'));
                run.mounts().forEach(mount -> text.append("    ").append(mount).append('\n'));
            }
            case Operation.Copy copy -> {
                text.append("    copy ").append(copy.sources()).append(" from ").append(origin(copy.from())).append(" to ")
                        .append(copy.destination()).append('\n');
                copy.inline().forEach(inline -> text.append("    inline ").append(inline.name()).append(' ')
                        .append(quoted(inline.content())).append('\n'));
                var plain = new Operation.Options(Optional.empty(), Optional.empty(), false, false, List.of(),
                        Optional.empty(), false, Optional.empty());
                if (!copy.options().equals(plain)) {
                    text.append("    ").append(copy.options()).append('\n');
                }
            }
        }
    }
}
