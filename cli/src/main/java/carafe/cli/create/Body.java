package carafe.cli.create;

import carafe.cli.flag.Flags;
import carafe.spec.Json;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/// A document in the making that leaves out what says nothing: empty texts, zeros, falsehoods, empty lists.
sealed class Body permits HostPart {

    private final Json.Builder fields = Json.object();

    final void put(String name, Json value) {
        fields.put(name, value);
    }

    final void text(String name, String value) {
        if (!value.isEmpty()) {
            fields.put(name, value);
        }
    }

    final void truth(String name, boolean value) {
        if (value) {
            fields.put(name, true);
        }
    }

    final void number(String name, long value) {
        if (value != 0) {
            fields.put(name, value);
        }
    }

    final void texts(String name, Collection<String> values) {
        if (!values.isEmpty()) {
            fields.put(name, Json.ofTexts(values));
        }
    }

    final void list(String name, Collection<Json> values) {
        if (!values.isEmpty()) {
            fields.put(name, Json.ofAll(values));
        }
    }

    final void textMap(String name, Map<String, String> values) {
        if (!values.isEmpty()) {
            fields.put(name, Json.ofMap(values));
        }
    }

    final void object(String name, Map<String, Json> values) {
        if (!values.isEmpty()) {
            fields.put(name, new Json.Obj(values));
        }
    }

    /// Healthcheck, from the flags about health.
    final void health(Flags flags) throws CreateException {
        boolean given = !flags.text("health-cmd").isEmpty() || flags.number("health-interval") != 0
                || flags.number("health-timeout") != 0 || flags.number("health-start-period") != 0
                || flags.number("health-start-interval") != 0 || flags.number("health-retries") != 0;
        if (flags.truth("no-healthcheck")) {
            if (given) {
                throw new CreateException("--no-healthcheck conflicts with --health-* options");
            }
            put("Healthcheck", Json.object().put("Test", Json.ofTexts(List.of("NONE"))).build());
        } else if (given) {
            var check = new Body();
            if (!flags.text("health-cmd").isEmpty()) {
                check.texts("Test", List.of("CMD-SHELL", flags.text("health-cmd")));
            }
            check.number("Interval", positive(flags, "health-interval"));
            check.number("Timeout", positive(flags, "health-timeout"));
            check.number("StartPeriod", positive(flags, "health-start-period"));
            check.number("StartInterval", positive(flags, "health-start-interval"));
            check.number("Retries", positive(flags, "health-retries"));
            put("Healthcheck", check.build());
        }
    }

    private static long positive(Flags flags, String name) throws CreateException {
        if (flags.number(name) < 0) {
            throw new CreateException("--" + name + " cannot be negative");
        }
        return flags.number(name);
    }

    final Json.Obj build() {
        return fields.build();
    }
}
