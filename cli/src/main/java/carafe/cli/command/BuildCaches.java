package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// What `--cache-from` and `--cache-to` ask for, and the directories among it.
final class BuildCaches {

    private final Call call;
    private final List<Json.Obj> from = new ArrayList<>();
    private final List<Json.Obj> to = new ArrayList<>();
    /// Where the caches that the outcome tells go, in its order.
    private final List<Destination> destinations = new ArrayList<>();
    /// Images of the engine that this build alone needs; each once, several caches may be one image.
    private final Set<String> passing = new LinkedHashSet<>();

    /// A directory, `""` for a registry; whether failing to write it is no failure of the build.
    private record Destination(String directory, boolean ignoreError) {}

    private BuildCaches(Call call) {
        this.call = call;
    }

    /// Reads the flags and gives directories to the engine; to be followed by [#end].
    static BuildCaches read(Call call) throws Failure, EngineError, EngineException.Invalid, IOException {
        var caches = new BuildCaches(call);
        for (String text : call.flags().list("cache-to")) {
            caches.to(text);
        }
        boolean whole = false;
        try {
            for (String text : call.flags().list("cache-from")) {
                caches.from(text);
            }
            whole = true;
            return caches;
        } finally {
            if (!whole) {
                caches.end();
            }
        }
    }

    /// The fields of `text`; those that no cache here has are passed over, as buildx does.
    private static Map<String, String> fields(String flag, String text) throws Failure {
        var fields = new LinkedHashMap<String, String>();
        if (!text.contains("=")) {
            fields.put("type", "registry");
            fields.put("ref", text);
            return fields;
        }
        for (String field : text.split(",")) {
            int equals = field.indexOf('=');
            if (equals < 1) {
                throw new Failure(1, "invalid --" + flag + " \"" + text + "\": \"" + field + "\" is no KEY=VALUE");
            }
            fields.put(field.substring(0, equals).toLowerCase(Locale.ROOT), field.substring(equals + 1));
        }
        return fields;
    }

    private static boolean truth(String name, Map<String, String> fields, String flag, String text) throws Failure {
        String value = fields.getOrDefault(name, "false");
        try {
            return Values.bool(value).equals("true");
        } catch (FlagException e) {
            throw new Failure(1, "invalid --" + flag + " \"" + text + "\": " + name + "=" + value
                    + " is neither true nor false");
        }
    }

    private static String needed(Map<String, String> fields, String name, String flag, String text) throws Failure {
        String value = fields.getOrDefault(name, "");
        if (value.isEmpty()) {
            throw new Failure(1, "invalid --" + flag + " \"" + text + "\": " + name + "= is missing");
        }
        return value;
    }

    private void from(String text) throws Failure, EngineError, EngineException.Invalid, IOException {
        var fields = fields("cache-from", text);
        var entry = Json.object().put("mounts", truth("mounts", fields, "cache-from", text));
        switch (fields.getOrDefault("type", "")) {
            case "registry" -> from.add(entry.put("reference", needed(fields, "ref", "cache-from", text)).put("remote", true)
                    .build());
            case "local" -> {
                String source = needed(fields, "src", "cache-from", text);
                var image = new CacheDirectory(call, source).send();
                if (image.isEmpty()) {
                    call.session().say("the cache " + source + " is not there; building without it");
                    return;
                }
                passing.add(image.get());
                from.add(entry.put("reference", image.get()).put("remote", false).build());
            }
            default -> throw new Failure(1, "invalid --cache-from \"" + text + "\": type=registry and local are known");
        }
    }

    private void to(String text) throws Failure {
        var fields = fields("cache-to", text);
        String mode = fields.getOrDefault("mode", "min");
        if (!mode.equals("min") && !mode.equals("max")) {
            throw new Failure(1, "invalid --cache-to \"" + text + "\": mode=min and max are known");
        }
        boolean ignoreError = truth("ignore-error", fields, "cache-to", text);
        var entry = Json.object().put("all", mode.equals("max")).put("ignoreError", ignoreError)
                .put("mounts", truth("mounts", fields, "cache-to", text));
        switch (fields.getOrDefault("type", "")) {
            case "inline" -> to.add(entry.put("type", "inline").build());
            case "registry" -> {
                to.add(entry.put("type", "registry").put("reference", needed(fields, "ref", "cache-to", text)).build());
                destinations.add(new Destination("", ignoreError));
            }
            case "local" -> {
                destinations.add(new Destination(needed(fields, "dest", "cache-to", text), ignoreError));
                to.add(entry.put("type", "image").build());
            }
            default -> throw new Failure(1, "invalid --cache-to \"" + text
                    + "\": type=inline, registry and local are known");
        }
    }

    /// The build's document with them.
    Json.Obj into(Json.Obj document) {
        return document.with("cacheFrom", Json.ofAll(from)).with("cacheTo", Json.ofAll(to));
    }

    /// Writes the caches that the outcome tells into their directories.
    void write(Json.Obj outcome) throws Failure, EngineError, EngineException.Invalid, IOException {
        var ids = outcome.texts("caches");
        for (int i = 0; i < Math.min(ids.size(), destinations.size()); i++) {
            if (!destinations.get(i).directory.isEmpty()) {
                passing.add(ids.get(i));
            }
        }
        for (int i = 0; i < Math.min(ids.size(), destinations.size()); i++) {
            if (!destinations.get(i).directory.isEmpty()) {
                receive(destinations.get(i), ids.get(i));
            }
        }
    }

    private void receive(Destination to, String image) throws Failure, EngineError, EngineException.Invalid, IOException {
        try {
            new CacheDirectory(call, to.directory).receive(image);
        } catch (Failure | EngineError | IOException e) {
            if (!to.ignoreError) {
                throw e;
            }
            call.session().say("the cache did not go to " + to.directory + ": " + e.getMessage());
        }
    }

    /// Removes what was given to the engine, and what it gave.
    void end() throws Failure, EngineError, EngineException.Invalid, IOException {
        for (String image : passing) {
            new CacheDirectory(call, ".").forget(image);
        }
        passing.clear();
    }
}
