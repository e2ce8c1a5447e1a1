package carafe.build.plan;

import carafe.build.dockerfile.DockerfileException;
import carafe.build.dockerfile.Nearest;
import carafe.build.dockerfile.Span;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Reads the values of one instruction's RUN --mount: `type=…,key=value,…`, quoted as CSV is.
final class MountReader {

    private static final Map<String, List<String>> OPTIONS = Map.of(
            "bind", List.of("target", "source", "from", "readwrite"),
            "cache", List.of("target", "id", "readonly", "sharing", "from", "source", "mode", "uid", "gid"),
            "tmpfs", List.of("target", "size"),
            "secret", List.of("target", "id", "env", "required", "mode", "uid", "gid"),
            "ssh", List.of("target", "id", "required", "mode", "uid", "gid"));

    private final StagePlanner stage;
    private final Span span;
    private int agents;

    MountReader(StagePlanner stage, Span span) {
        this.stage = stage;
        this.span = span;
    }

    Mount read(String text) throws DockerfileException, EngineException {
        var options = new LinkedHashMap<String, String>();
        for (String field : fields(text)) {
            int equals = field.indexOf('=');
            String key = (equals < 0 ? field : field.substring(0, equals)).strip().toLowerCase(Locale.ROOT);
            String value = equals < 0 ? "true" : stage.expand(field.substring(equals + 1), span);
            switch (key) {
                case "dst", "destination" -> options.put("target", value);
                case "src" -> options.put("source", value);
                case "ro" -> options.put("readonly", value);
                case "rw" -> options.put("readwrite", value);
                default -> options.put(key, value);
            }
        }
        String type = options.getOrDefault("type", "bind");
        options.remove("type");
        var known = OPTIONS.get(type);
        if (known == null) {
            throw new DockerfileException(span, "unsupported mount type \"" + type + "\""
                    + Nearest.of(type, OPTIONS.keySet()).map(near -> " (did you mean " + near + "?)").orElse(""));
        }
        if (type.equals("bind") && options.containsKey("readonly")) {
            options.put("readwrite", Boolean.toString(!truth(options, "readonly")));
            options.remove("readonly");
        }
        if (type.equals("cache") && options.containsKey("readwrite")) {
            options.put("readonly", Boolean.toString(!truth(options, "readwrite")));
            options.remove("readwrite");
        }
        for (String key : options.keySet()) {
            if (!known.contains(key)) {
                throw new DockerfileException(span, "unexpected key '" + key + "' for mount type '" + type + "'"
                        + Nearest.of(key, known).map(near -> " (did you mean " + near + "?)").orElse(""));
            }
        }
        return mount(type, options);
    }

    private Mount mount(String type, Map<String, String> options) throws DockerfileException, EngineException {
        return switch (type) {
            case "bind" -> new Mount.Bind(target(options), from(options).orElse(new Origin.Context()),
                    IgnorePatterns.clean(options.getOrDefault("source", "")), truth(options, "readwrite"));
            case "cache" -> {
                String target = target(options);
                var buildkit = BuildkitArguments.of(stage.planner().options().arguments());
                yield new Mount.Cache(target, buildkit.cacheId(options.getOrDefault("id", target)), from(options),
                        IgnorePatterns.clean(options.getOrDefault("source", "")), truth(options, "readonly"),
                        sharing(options), owner(options, 0755));
            }
            case "tmpfs" -> new Mount.Tmpfs(target(options), size(options.getOrDefault("size", "0")));
            case "secret" -> secret(options);
            default -> {
                String id = options.getOrDefault("id", "default");
                String target = options.containsKey("target") ? target(options) : "/run/buildkit/ssh_agent." + agents;
                agents++;
                yield new Mount.Ssh(target, id, truth(options, "required"), owner(options, 0600));
            }
        };
    }

    private Mount secret(Map<String, String> options) throws DockerfileException {
        String id = options.getOrDefault("id", "");
        String named = options.getOrDefault("target", "");
        if (id.isEmpty()) {
            id = named.substring(named.lastIndexOf('/') + 1);
        }
        if (id.isEmpty()) {
            throw new DockerfileException(span, "a secret mount needs an id");
        }
        var environment = Optional.ofNullable(options.get("env"));
        boolean file = !named.isEmpty() || environment.isEmpty();
        String target = named.isEmpty() ? "/run/secrets/" + id.substring(id.lastIndexOf('/') + 1) : stage.directory(named);
        return new Mount.Secret(target, id, environment, file, truth(options, "required"), owner(options, 0400));
    }

    private String target(Map<String, String> options) throws DockerfileException {
        String target = options.getOrDefault("target", "");
        if (target.isEmpty()) {
            throw new DockerfileException(span, "a mount needs a target");
        }
        String whole = stage.directory(target);
        if (whole.equals("/")) {
            throw new DockerfileException(span, "invalid mount target \"/\"");
        }
        return whole;
    }

    private Optional<Origin> from(Map<String, String> options) throws DockerfileException, EngineException {
        String from = options.getOrDefault("from", "");
        if (from.isEmpty()) {
            return Optional.empty();
        }
        var origin = stage.planner().source(from, stage.index(), span);
        if (origin instanceof Origin.OfStage(int index)) {
            stage.planner().plan(index);
        }
        return Optional.of(origin);
    }

    private Mount.Sharing sharing(Map<String, String> options) throws DockerfileException {
        return switch (options.getOrDefault("sharing", "shared")) {
            case "shared" -> Mount.Sharing.SHARED;
            case "private" -> Mount.Sharing.PRIVATE;
            case "locked" -> Mount.Sharing.LOCKED;
            default -> throw new DockerfileException(span, "unsupported sharing value \"" + options.get("sharing")
                    + "\": shared, private and locked are known");
        };
    }

    private Mount.Owner owner(Map<String, String> options, int mode) throws DockerfileException {
        String written = options.getOrDefault("mode", Integer.toOctalString(mode));
        if (!written.matches("0?[0-7]{1,4}")) {
            throw new DockerfileException(span, "invalid value " + written + " for mode");
        }
        return new Mount.Owner(Integer.parseInt(written, 8), number(options, "uid"), number(options, "gid"));
    }

    private int number(Map<String, String> options, String key) throws DockerfileException {
        String text = options.getOrDefault(key, "0");
        if (!text.matches("\\d{1,9}")) {
            throw new DockerfileException(span, "invalid value " + text + " for " + key);
        }
        return Integer.parseInt(text);
    }

    private long size(String text) throws DockerfileException {
        var matcher = Pattern.compile("(\\d{1,12})([kmgt]?)b?", Pattern.CASE_INSENSITIVE)
                .matcher(text);
        if (!matcher.matches()) {
            throw new DockerfileException(span, "invalid size \"" + text + "\"");
        }
        int shift = 10 * (" kmgt".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2).toLowerCase(Locale.ROOT)));
        long number = Long.parseLong(matcher.group(1));
        if (number > Long.MAX_VALUE >> Math.max(0, shift)) {
            throw new DockerfileException(span, "the size \"" + text + "\" is larger than " + Long.MAX_VALUE + " bytes");
        }
        return number << Math.max(0, shift);
    }

    private boolean truth(Map<String, String> options, String key) throws DockerfileException {
        return switch (options.getOrDefault(key, "false").toLowerCase(Locale.ROOT)) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw new DockerfileException(span, "invalid value for " + key + ": " + options.get(key));
        };
    }

    private List<String> fields(String text) throws DockerfileException {
        var fields = new ArrayList<String>();
        var field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        if (quoted) {
            throw new DockerfileException(span, "a quote is not closed in --mount=" + text);
        }
        fields.add(field.toString());
        return fields;
    }
}
