package carafe.hub;

import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/// Times and sizes as a configuration writes them: `90s`, `30m`, `6h`, `14d`; `500M`, `20G` (powers of 1024).
final class Units {

    private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})([KMGT]?)i?B?");

    private Units() {}

    static Optional<Duration> duration(Json.Obj object, String key) throws Invalid {
        String text = object.text(key);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var time = TIME.matcher(text);
        if (!time.matches()) {
            throw new Invalid("\"" + key + "\" must be a time like 30m, 6h or 14d, not \"" + text + "\"");
        }
        long number = Long.parseLong(time.group(1));
        return Optional.of(switch (time.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> Duration.ofDays(number);
        });
    }

    static Duration duration(Json.Obj object, String key, Duration otherwise) throws Invalid {
        return duration(object, key).orElse(otherwise);
    }

    static long size(Json.Obj object, String key) throws Invalid {
        String text = object.text(key);
        var size = SIZE.matcher(text);
        if (!size.matches()) {
            throw new Invalid("\"" + key + "\" must be a size like 500M or 20G, not \"" + text + "\"");
        }
        int power = "KMGT".indexOf(size.group(2)) + (size.group(2).isEmpty() ? 0 : 1);
        return Math.multiplyExact(Long.parseLong(size.group(1)), 1L << 10 * power);
    }
}
