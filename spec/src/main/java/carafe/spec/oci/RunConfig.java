package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What a container of an image runs unless told otherwise: the `config` object of an image's configuration, with the
/// fields Docker added to OCI's. Empty texts and lists mean "not said".
/// Source: OCI image-spec config.md "config"; Docker image spec 1.3.
public record RunConfig(String user, String workingDir, List<String> env, List<String> entrypoint, List<String> cmd,
        Set<String> exposedPorts, Set<String> volumes, Map<String, String> labels, String stopSignal,
        Optional<Healthcheck> healthcheck, List<String> onBuild, List<String> shell, boolean argsEscaped) {

    /// Nothing said.
    public static final RunConfig EMPTY = new RunConfig("", "", List.of(), List.of(), List.of(), Set.of(), Set.of(),
            Map.of(), "", Optional.empty(), List.of(), List.of(), false);

    private static final int MAX_ELEMENTS = 10_000;

    public RunConfig {
        env = List.copyOf(env);
        entrypoint = List.copyOf(entrypoint);
        cmd = List.copyOf(cmd);
        exposedPorts = Collections.unmodifiableSet(new TreeSet<>(exposedPorts));
        volumes = Collections.unmodifiableSet(new TreeSet<>(volumes));
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        onBuild = List.copyOf(onBuild);
        shell = List.copyOf(shell);
    }

    /// Reads the `config` object of an image's configuration.
    public static RunConfig fromJson(Json.Obj json) throws EngineException.Invalid {
        var labels = json.textMap("Labels");
        var healthcheck = json.object("Healthcheck");
        if (labels.size() > MAX_ELEMENTS) {
            throw tooMany("Labels");
        }
        return new RunConfig(json.text("User"), json.text("WorkingDir"), words(json, "Env"),
                words(json, "Entrypoint"), words(json, "Cmd"), keys(json, "ExposedPorts"), keys(json, "Volumes"),
                labels, json.text("StopSignal"),
                healthcheck.fields().isEmpty() ? Optional.empty() : Optional.of(Healthcheck.fromJson(healthcheck)),
                words(json, "OnBuild"), words(json, "Shell"), json.truth("ArgsEscaped"));
    }

    /// Texts under `key`; a lone text counts as one, which old images have for Cmd and Entrypoint.
    private static List<String> words(Json.Obj json, String key) throws EngineException.Invalid {
        if (json.find(key).orElse(Json.NULL) instanceof Json.Str(String text)) {
            return List.of(text);
        }
        var words = json.texts(key);
        if (words.size() > MAX_ELEMENTS) {
            throw tooMany(key);
        }
        return words;
    }

    /// The keys of an object used as a set.
    private static Set<String> keys(Json.Obj json, String key) throws EngineException.Invalid {
        var names = json.object(key).fields().keySet();
        if (names.size() > MAX_ELEMENTS) {
            throw tooMany(key);
        }
        return Set.copyOf(new ArrayList<>(names));
    }

    private static EngineException.Invalid tooMany(String key) {
        return new EngineException.Invalid("image configuration has more than " + MAX_ELEMENTS + " elements in " + key);
    }

    /// The `config` object; what is unset is left out.
    public Json.Obj toJson() {
        var builder = Json.object();
        ImageConfig.putText(builder, "User", user);
        putSet(builder, "ExposedPorts", exposedPorts);
        ImageConfig.putTexts(builder, "Env", env);
        ImageConfig.putTexts(builder, "Entrypoint", entrypoint);
        ImageConfig.putTexts(builder, "Cmd", cmd);
        putSet(builder, "Volumes", volumes);
        ImageConfig.putText(builder, "WorkingDir", workingDir);
        if (!labels.isEmpty()) {
            builder.put("Labels", Json.ofMap(labels));
        }
        ImageConfig.putText(builder, "StopSignal", stopSignal);
        healthcheck.ifPresent(value -> builder.put("Healthcheck", value.toJson()));
        ImageConfig.putTexts(builder, "OnBuild", onBuild);
        ImageConfig.putTexts(builder, "Shell", shell);
        if (argsEscaped) {
            builder.put("ArgsEscaped", true);
        }
        return builder.build();
    }

    private static void putSet(Json.Builder builder, String key, Set<String> names) {
        if (!names.isEmpty()) {
            var set = Json.object();
            names.forEach(name -> set.put(name, Json.object().build()));
            builder.put(key, set.build());
        }
    }
}
