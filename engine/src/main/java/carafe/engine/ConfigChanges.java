package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Applies the Dockerfile instructions that change only what an image's containers run: those that `commit` and `import`
/// take with `--change`. Source: docker docs "docker container commit", `--change`; Dockerfile reference.
final class ConfigChanges {

    private static final Set<String> KNOWN = Set.of(
            "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR");

    private RunConfig config;

    private ConfigChanges(RunConfig config) {
        this.config = config;
    }

    /// `config` after `changes`, one instruction each, in their order.
    static RunConfig apply(RunConfig config, List<String> changes) throws EngineException.Invalid {
        var applied = new ConfigChanges(config);
        for (String change : changes) {
            for (String line : change.split("\n")) {
                if (!line.isBlank()) {
                    applied.apply(line.strip());
                }
            }
        }
        return applied.config;
    }

    private void apply(String line) throws EngineException.Invalid {
        String[] parts = line.split("\\s+", 2);
        String instruction = parts[0].toUpperCase(Locale.ROOT);
        String rest = parts.length == 2 ? parts[1] : "";
        if (!KNOWN.contains(instruction)) {
            throw new EngineException.Invalid(parts[0].toLowerCase(Locale.ROOT) + " is not a valid change command");
        }
        if (rest.isEmpty()) {
            throw new EngineException.Invalid(instruction + " requires at least one argument");
        }
        var fields = config.toJson();
        config = RunConfig.fromJson(switch (instruction) {
            case "CMD" -> fields.with("Cmd", Json.ofTexts(command(rest)));
            case "ENTRYPOINT" -> fields.with("Entrypoint", Json.ofTexts(command(rest)));
            case "ENV" -> fields.with("Env", Json.ofTexts(environment(rest)));
            case "LABEL" -> fields.with("Labels", labels(rest));
            case "EXPOSE" -> fields.with("ExposedPorts", set(config.exposedPorts(), ports(rest)));
            case "VOLUME" -> fields.with("Volumes", set(config.volumes(), exec(rest).orElse(words(rest))));
            case "ONBUILD" -> {
                var all = new ArrayList<>(config.onBuild());
                all.add(rest);
                yield fields.with("OnBuild", Json.ofTexts(all));
            }
            case "STOPSIGNAL" -> fields.with("StopSignal", new Json.Str(rest));
            case "USER" -> fields.with("User", new Json.Str(rest));
            case "WORKDIR" -> fields.with("WorkingDir", new Json.Str(directory(rest)));
            default -> throw new AssertionError(instruction);
        });
    }

    private String directory(String path) {
        String base = config.workingDir().isEmpty() ? "/" : config.workingDir();
        return java.nio.file.Path.of(base).resolve(path).normalize().toString();
    }

    private List<String> command(String rest) {
        return exec(rest).orElseGet(() -> {
            var shell = new ArrayList<>(config.shell().isEmpty() ? List.of("/bin/sh", "-c") : config.shell());
            shell.add(rest);
            return shell;
        });
    }

    /// The exec form, a JSON array of texts; empty when it is not one.
    private static Optional<List<String>> exec(String rest) {
        if (!rest.startsWith("[")) {
            return Optional.empty();
        }
        try {
            var texts = new ArrayList<String>();
            if (!(Json.parse(rest.getBytes(java.nio.charset.StandardCharsets.UTF_8)) instanceof Json.Arr(var all))) {
                return Optional.empty();
            }
            for (var element : all) {
                if (!(element instanceof Json.Str(String text))) {
                    return Optional.empty();
                }
                texts.add(text);
            }
            return Optional.of(texts);
        } catch (EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    private List<String> environment(String rest) throws EngineException.Invalid {
        var all = new LinkedHashMap<String, String>();
        for (String variable : config.env()) {
            int equals = variable.indexOf('=');
            all.put(equals < 0 ? variable : variable.substring(0, equals), variable);
        }
        pairs("ENV", rest).forEach((name, value) -> all.put(name, name + "=" + value));
        return List.copyOf(all.values());
    }

    private Json labels(String rest) throws EngineException.Invalid {
        var all = new LinkedHashMap<>(config.labels());
        all.putAll(pairs("LABEL", rest));
        return Json.ofMap(all);
    }

    /// `a=b c="d e"`, or the old form `a b c` that gives one name the rest.
    private static Map<String, String> pairs(String instruction, String rest) throws EngineException.Invalid {
        var words = words(rest);
        var pairs = new LinkedHashMap<String, String>();
        if (!words.getFirst().contains("=")) {
            String[] old = rest.split("\\s+", 2);
            if (old.length < 2) {
                throw new EngineException.Invalid(instruction + " must have two arguments");
            }
            pairs.put(old[0], old[1]);
            return pairs;
        }
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals <= 0) {
                throw new EngineException.Invalid("Syntax error - can't find = in \"" + word
                        + "\". Must be of the form: name=value");
            }
            pairs.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return pairs;
    }

    /// Words between blanks; quotes hold blanks, a backslash the next character.
    private static List<String> words(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean any = false;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length() && quote != '\'') {
                word.append(text.charAt(++i));
                any = true;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
                any = true;
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && Character.isWhitespace(c)) {
                if (any) {
                    words.add(word.toString());
                    word.setLength(0);
                    any = false;
                }
            } else {
                word.append(c);
                any = true;
            }
        }
        if (any) {
            words.add(word.toString());
        }
        return words;
    }

    private static List<String> ports(String rest) throws EngineException.Invalid {
        var ports = new ArrayList<String>();
        for (String word : words(rest)) {
            if (!word.matches("[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?")) {
                throw new EngineException.Invalid("invalid containerPort: " + word);
            }
            ports.add(word.contains("/") ? word : word + "/tcp");
        }
        return ports;
    }

    private static Json set(Set<String> old, List<String> more) {
        var all = new TreeSet<>(old);
        all.addAll(more);
        var object = Json.object();
        all.forEach(name -> object.put(name, Json.object().build()));
        return object.build();
    }
}
