package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Duration;
import java.util.List;

/// How to ask a container whether it is well. An empty `test` inherits the image's, `["NONE"]` switches asking off;
/// zero durations and zero retries mean the engine's defaults. Written with durations in nanoseconds.
/// Source: Docker image spec 1.2 "Healthcheck"; Engine API HealthConfig.
public record Healthcheck(List<String> test, Duration interval, Duration timeout, Duration startPeriod,
        Duration startInterval, int retries) {

    public Healthcheck {
        test = List.copyOf(test);
    }

    /// Reads Docker's form.
    public static Healthcheck fromJson(Json.Obj json) throws EngineException.Invalid {
        long retries = json.number("Retries", 0);
        if (retries < 0 || retries > Integer.MAX_VALUE) {
            throw new EngineException.Invalid("Retries in Healthcheck cannot be negative");
        }
        return new Healthcheck(json.texts("Test"), duration(json, "Interval"), duration(json, "Timeout"),
                duration(json, "StartPeriod"), duration(json, "StartInterval"), (int) retries);
    }

    private static Duration duration(Json.Obj json, String key) throws EngineException.Invalid {
        long nanos = json.number(key, 0);
        if (nanos < 0) {
            throw new EngineException.Invalid(key + " in Healthcheck cannot be less than 1ms");
        }
        return Duration.ofNanos(nanos);
    }

    /// Docker's form; what is unset is left out.
    public Json.Obj toJson() {
        var builder = Json.object();
        if (!test.isEmpty()) {
            builder.put("Test", Json.ofTexts(test));
        }
        put(builder, "Interval", interval);
        put(builder, "Timeout", timeout);
        put(builder, "StartPeriod", startPeriod);
        put(builder, "StartInterval", startInterval);
        if (retries > 0) {
            builder.put("Retries", retries);
        }
        return builder.build();
    }

    private static void put(Json.Builder builder, String key, Duration value) {
        if (!value.isZero()) {
            builder.put(key, value.toNanos());
        }
    }
}
