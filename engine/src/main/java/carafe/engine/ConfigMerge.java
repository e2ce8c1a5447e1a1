package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a client asked for, completed by what the image says, as Docker does: the client's words win, environment and
/// labels are joined by key, volumes and ports as sets; an entrypoint given by the client makes the image's command
/// void.
final class ConfigMerge {
    private ConfigMerge() {}

    /// The complete configuration; Invalid when nothing is left to run.
    static ContainerConfig merge(ContainerConfig asked, RunConfig image) throws EngineException.Invalid {
        var command = asked.command();
        var entrypoint = command.entrypoint();
        var arguments = command.arguments();
        if (entrypoint.isEmpty() || entrypoint.get().isEmpty()) {
            if (arguments.isEmpty() || arguments.get().isEmpty()) {
                arguments = present(image.cmd());
            }
            if (entrypoint.isEmpty()) {
                entrypoint = present(image.entrypoint());
            }
        }
        if (entrypoint.isPresent() && entrypoint.get().equals(List.of(""))) {
            entrypoint = Optional.empty(); // how clients say "no entrypoint at all"
        }
        if (words(entrypoint, arguments).isEmpty()) {
            throw new EngineException.Invalid("no command specified");
        }
        var document = asked.document().with(Map.of(
                "Entrypoint", entrypoint.<Json>map(Json::ofTexts).orElse(Json.NULL),
                "Cmd", arguments.<Json>map(Json::ofTexts).orElse(Json.NULL),
                "Env", Json.ofTexts(environment(command.environment(), image.env())),
                "Labels", Json.ofMap(labels(asked.labels(), image.labels()))));
        document = orElse(document, "User", command.user(), image.user());
        document = orElse(document, "WorkingDir", command.workingDirectory(), image.workingDir());
        document = orElse(document, "StopSignal", asked.stop().signal().orElse(""), image.stopSignal());
        document = set(document, "Volumes", asked.volumes(), image.volumes());
        document = set(document, "ExposedPorts", asked.exposedPorts(), image.exposedPorts());
        if (document.find("Healthcheck").isEmpty() && image.healthcheck().isPresent()) {
            document = document.with("Healthcheck", image.healthcheck().get().toJson());
        }
        return ContainerConfig.parse(document);
    }

    /// The words that run: entrypoint, then arguments.
    static List<String> words(ContainerConfig config) {
        return words(config.command().entrypoint(), config.command().arguments());
    }

    private static List<String> words(Optional<List<String>> entrypoint, Optional<List<String>> arguments) {
        var words = new ArrayList<>(entrypoint.orElse(List.of()));
        words.addAll(arguments.orElse(List.of()));
        return words;
    }

    private static Optional<List<String>> present(List<String> words) {
        return words.isEmpty() ? Optional.empty() : Optional.of(words);
    }

    private static List<String> environment(List<String> asked, List<String> image) {
        var environment = new ArrayList<>(asked);
        for (var entry : image) {
            String key = key(entry);
            if (asked.stream().noneMatch(other -> key(other).equals(key))) {
                environment.add(entry);
            }
        }
        return environment;
    }

    private static String key(String entry) {
        int equals = entry.indexOf('=');
        return equals < 0 ? entry : entry.substring(0, equals);
    }

    private static Map<String, String> labels(Map<String, String> asked, Map<String, String> image) {
        var labels = new LinkedHashMap<>(image);
        labels.putAll(asked);
        return labels;
    }

    private static Json.Obj orElse(Json.Obj document, String key, String asked, String image) {
        return asked.isEmpty() && !image.isEmpty() ? document.with(key, Json.of(image)) : document;
    }

    private static Json.Obj set(Json.Obj document, String key, Set<String> asked, Set<String> image) {
        var union = new LinkedHashSet<>(asked);
        union.addAll(image);
        if (union.isEmpty()) {
            return document;
        }
        var object = Json.object();
        union.stream().sorted().forEach(name -> object.put(name, Json.object().build()));
        return document.with(key, object.build());
    }
}
