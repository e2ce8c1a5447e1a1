package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Where a container's output is kept. `maxBytes` and `maxFiles` rotate the json-file log.
public record LogConfig(String driver, Map<String, String> options, long maxBytes, int maxFiles) {
    private static final long DEFAULT_BYTES = 20_000_000;
    private static final int DEFAULT_FILES = 5;
    private static final Set<String> KNOWN =
            Set.of("max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag", "mode",
                    "max-buffer-size");

    public LogConfig {
        options = Map.copyOf(options);
    }

    /// Reads `{"Type":…,"Config":{…}}`; drivers `json-file` (default) and `none`.
    public static LogConfig parse(Json.Obj given) throws EngineException.Invalid {
        String driver = given.text("Type");
        var options = given.textMap("Config");
        if (driver.isEmpty()) {
            driver = "json-file";
        }
        if (driver.equals("local")) {
            driver = "json-file"; // same promise to users: kept on disk, rotated, readable
        }
        if (!driver.equals("json-file") && !driver.equals("none")) {
            throw new EngineException.Invalid("logger: no log driver named '" + driver + "' is registered");
        }
        for (var option : options.keySet()) {
            if (!KNOWN.contains(option)) {
                throw new EngineException.Invalid("unknown log opt '" + option + "' for " + driver + " log driver");
            }
        }
        long bytes = options.containsKey("max-size") ? bytes(options.get("max-size")) : DEFAULT_BYTES;
        int files = DEFAULT_FILES;
        if (options.containsKey("max-file")) {
            try {
                files = Integer.parseInt(options.get("max-file"));
            } catch (NumberFormatException e) {
                files = 0;
            }
            if (files < 1) {
                throw new EngineException.Invalid("max-file cannot be less than 1");
            }
        } else if (options.containsKey("max-size")) {
            files = 1; // Docker's default beside an explicit size
        }
        return new LogConfig(driver, options, bytes, files);
    }

    /// As Docker prints it.
    public Json.Obj json() {
        return Json.object().put("Type", driver).put("Config", Json.ofMap(options)).build();
    }

    private static long bytes(String text) throws EngineException.Invalid {
        if (text.equals("-1")) {
            return Long.MAX_VALUE;
        }
        var matcher = Pattern.compile("(\\d{1,12})(\\.\\d{1,6})?\\s*([kmgtKMGT]?)i?[bB]?").matcher(text);
        if (!matcher.matches()) {
            throw new EngineException.Invalid("invalid size: '" + text + "'");
        }
        double factor = switch (matcher.group(3).toLowerCase(Locale.ROOT)) {
            case "k" -> 1024.0;
            case "m" -> 1024.0 * 1024;
            case "g" -> 1024.0 * 1024 * 1024;
            case "t" -> 1024.0 * 1024 * 1024 * 1024;
            default -> 1.0;
        };
        String fraction = matcher.group(2) == null ? "" : matcher.group(2);
        long bytes = (long) (Double.parseDouble(matcher.group(1) + fraction) * factor);
        if (bytes <= 0) {
            throw new EngineException.Invalid("invalid size: '" + text + "'");
        }
        return bytes;
    }
}
