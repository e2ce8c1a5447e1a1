package carafe.daemon;

import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.build.CacheFilters;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CacheRules;
import carafe.spec.docker.ByteSizes;
import carafe.spec.docker.Filters;
import carafe.spec.docker.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What `builder` in the configuration file says, checked. Its keys count in any case, as Docker's do. Source:
/// daemon/config/builder.go of Docker.
record BuilderOptions(CacheRules rules, List<String> withoutEffect) {

    private static final List<String> KEYS = List.of("gc", "entitlements", "history");
    private static final List<String> GC_KEYS = List.of("enabled", "policy", "defaultKeepStorage", "defaultReservedSpace",
            "defaultMaxUsedSpace", "defaultMinFreeSpace");
    private static final List<String> RULE_KEYS = List.of("all", "filter", "keepDuration", "keepStorage", "reservedSpace",
            "maxUsedSpace", "minFreeSpace");

    BuilderOptions {
        withoutEffect = List.copyOf(withoutEffect);
    }

    /// Reads the value of the key `builder`; `now` is what spans of time are counted from.
    static BuilderOptions read(Json value, Instant now) throws Invalid {
        var builder = Part.of("builder", value, KEYS);
        var withoutEffect = builder.object.fields().keySet().stream().filter(key -> !key.equalsIgnoreCase("gc"))
                .map(key -> "builder." + key).toList();
        var gc = Part.of("builder.gc", builder.object.find("gc").orElse(Json.object().build()), GC_KEYS);
        var usual = gc.space("defaultReservedSpace", "defaultKeepStorage", "defaultMaxUsedSpace", "defaultMinFreeSpace")
                .orElse(CachePrune.Space.NONE);
        Optional<List<CachePrune>> policy = Optional.empty();
        var given = gc.object.find("policy");
        if (given.isPresent()) {
            if (!(given.get() instanceof Json.Arr(List<Json> elements))) {
                throw new Invalid("\"builder.gc.policy\" must be a list of rules, not " + given.get().print());
            }
            var rules = new ArrayList<CachePrune>();
            for (int i = 0; i < elements.size(); i++) {
                rules.add(rule(Part.of("builder.gc.policy[" + i + "]", elements.get(i), RULE_KEYS), usual, now));
            }
            policy = Optional.of(rules);
        }
        boolean enabled = gc.truth("enabled", true);
        return new BuilderOptions(new CacheRules(enabled, policy, usual), withoutEffect);
    }

    private static CachePrune rule(Part rule, CachePrune.Space usual, Instant now) throws Invalid {
        var space = rule.space("reservedSpace", "keepStorage", "maxUsedSpace", "minFreeSpace").orElse(usual);
        boolean all = rule.truth("all", false);
        var prune = rule.read("filter", () -> CacheFilters.prune(filters(rule.object.find("filter")), space, all, now));
        var kept = rule.object.find("keepDuration");
        if (kept.isEmpty()) {
            return prune;
        }
        if (prune.unusedFor().isPresent()) {
            throw new Invalid("\"" + rule.where + ".keepDuration\" says what the filter says too; leave one of them out");
        }
        return new CachePrune(Optional.of(rule.read("keepDuration", () -> span(kept.get()))), space, prune.kept(), all);
    }

    /// `["unused-for=48h"]`, BuildKit's `["type==a,type==b"]`, or the older `{"unused-for":{"48h":true}}`.
    private static Filters filters(Optional<Json> filter) throws Invalid {
        if (filter.isEmpty()) {
            return Filters.NONE;
        }
        if (!(filter.get() instanceof Json.Arr(List<Json> elements))) {
            return Filters.parse(filter.get().print());
        }
        var values = new LinkedHashMap<String, Set<String>>();
        for (var element : elements) {
            if (!(element instanceof Json.Str(String text))) {
                throw new Invalid("invalid filter: " + element.print() + " is no text such as \"unused-for=48h\"");
            }
            for (String word : text.split(",")) {
                int equals = word.indexOf('=');
                if (equals <= 0) {
                    throw new Invalid("invalid filter '" + word + "': NAME=VALUE is meant, as unused-for=48h");
                }
                String wanted = word.substring(word.startsWith("==", equals) ? equals + 2 : equals + 1).strip();
                values.computeIfAbsent(word.substring(0, equals).strip().toLowerCase(Locale.ROOT), _ -> new LinkedHashSet<>())
                        .add(wanted);
            }
        }
        return new Filters(values);
    }

    /// `"48h"`, a number of seconds, or a list of one of them.
    private static Duration span(Json value) throws Invalid {
        var found = switch (value) {
            case Json.Num number ->
                number.whole().stream().filter(seconds -> seconds >= 0).mapToObj(Duration::ofSeconds).findFirst();
            case Json.Str(String text) -> Timestamps.span(text);
            case Json.Arr(List<Json> elements) when elements.size() == 1 -> Optional.of(span(elements.getFirst()));
            default -> Optional.<Duration>empty();
        };
        return found.orElseThrow(() -> new Invalid("invalid span of time " + value.print() + ": \"48h\" is meant"));
    }

    /// An object within the configuration, by the names of its keys, and where it is.
    private record Part(String where, Json.Obj object) {

        static Part of(String where, Json value, List<String> known) throws Invalid {
            if (!(value instanceof Json.Obj given)) {
                throw new Invalid("\"" + where + "\" must be an object, not " + value.print());
            }
            for (String key : given.fields().keySet()) {
                if (known.stream().noneMatch(key::equalsIgnoreCase)) {
                    throw new Invalid("unknown key \"" + where + "." + key + "\"; the nearest is \"" + where + "."
                            + Option.nearest(key, known.stream()) + "\"");
                }
            }
            return new Part(where, given);
        }

        /// Reads a value.
        @FunctionalInterface
        interface Reading<T> {
            T value() throws Invalid;
        }

        /// Reads with `key` named where it is wrong.
        <T> T read(String key, Reading<T> reading) throws Invalid {
            try {
                return reading.value();
            } catch (Invalid e) {
                throw new Invalid("\"" + where + "." + key + "\": " + e.getMessage());
            }
        }

        boolean truth(String key, boolean otherwise) throws Invalid {
            return switch (object.find(key).orElse(Json.of(otherwise))) {
                case Json.Bool(boolean truth) -> truth;
                case Json other -> throw new Invalid("\"" + where + "." + key + "\" must be true or false, not " + other.print());
            };
        }

        /// The space that these keys say; empty when they say none. `old` is what `reserved` was called before.
        Optional<CachePrune.Space> space(String reserved, String old, String maxUsed, String minFree) throws Invalid {
            var least = bytes(reserved);
            var before = bytes(old);
            var most = bytes(maxUsed);
            var free = bytes(minFree);
            if (least.isEmpty() && before.isEmpty() && most.isEmpty() && free.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new CachePrune.Space(least.or(() -> before).orElse(0L), most.orElse(0L), free.orElse(0L)));
        }

        private Optional<Long> bytes(String key) throws Invalid {
            var value = object.find(key);
            return value.isEmpty() || value.get().equals(Json.of("")) ? Optional.empty() : Optional.of(read(key, () ->
                    switch (value.get()) {
                        case Json.Str(String text) -> ByteSizes.parse(text);
                        case Json.Num number when number.whole().orElse(-1) >= 0 -> number.whole().getAsLong();
                        default -> throw new Invalid("invalid size: " + value.get().print() + "; \"20GB\" is meant");
                    }));
        }
    }
}
