package carafe.spec.docker;

import carafe.spec.EngineException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// What `--userns` asks for. Docker knows the first two; the others are Podman's words.
public sealed interface UserMode {

    /// As the daemon is configured.
    record Usual() implements UserMode {}

    /// The host's ids.
    record Hosts() implements UserMode {}

    /// `size` ids of the host that no other container has: `auto`, `auto:size=1000`.
    record Auto(long size) implements UserMode {}

    /// The same, but this user and group of the host are themselves inside: `keep-id:uid=1000,gid=1000`.
    record KeepId(long uid, long gid, long size) implements UserMode {}

    /// How many ids a container gets that says nothing about it.
    long USUAL_SIZE = 65_536;

    /// The fewest that will do: the terminals of a container belong to group 5.
    long LEAST = 6;

    /// What no map may reach: ids have 32 bits, and programs know few beyond 31.
    long MOST = 1L << 31;

    /// Reads the word of a request, which has to ask for enough: ids for a container's terminals at least.
    static UserMode asked(String text) throws EngineException.Invalid {
        var mode = parse(text);
        long size = switch (mode) {
            case Auto auto -> auto.size();
            case KeepId keep -> keep.size();
            case Usual _, Hosts _ -> USUAL_SIZE;
        };
        if (size < LEAST) {
            throw new EngineException.Invalid("invalid user namespace mode: " + text + ": a container needs " + LEAST
                    + " ids at least, for its terminals belong to group 5; ask for more, or for no size: 65536 are usual");
        }
        return mode;
    }

    /// Reads the word of a request, or of a record: of those, older ones may have asked for too few.
    static UserMode parse(String text) throws EngineException.Invalid {
        int colon = text.indexOf(':');
        String word = colon < 0 ? text : text.substring(0, colon);
        String rest = colon < 0 ? "" : text.substring(colon + 1);
        switch (word) {
            case "" -> {
                return new Usual();
            }
            case "host" -> {
                if (colon < 0) {
                    return new Hosts();
                }
            }
            case "auto" -> {
                var options = options(text, rest, Set.of("size"));
                return new Auto(options.getOrDefault("size", USUAL_SIZE));
            }
            case "keep-id" -> {
                var options = options(text, rest, Set.of("uid", "gid", "size"));
                var uid = options.get("uid");
                if (uid == null) {
                    throw new EngineException.Invalid("invalid user namespace mode: " + text
                            + ": the engine does not know who asks; say which user is kept, keep-id:uid=1000,gid=1000");
                }
                return new KeepId(uid, options.getOrDefault("gid", uid), options.getOrDefault("size", USUAL_SIZE));
            }
            default -> { }
        }
        throw new EngineException.Invalid("invalid user namespace mode: " + text);
    }

    private static Map<String, Long> options(String text, String rest, Set<String> known)
            throws EngineException.Invalid {
        var options = new LinkedHashMap<String, Long>();
        if (rest.isEmpty()) {
            return options;
        }
        for (String option : rest.split(",", -1)) {
            int equals = option.indexOf('=');
            String value = option.substring(equals + 1);
            String key = option.substring(0, Math.max(0, equals));
            if (!known.contains(key) || !value.matches("[0-9]{1,10}") || Long.parseLong(value) >= MOST
                    || Long.parseLong(value) == 0) {
                throw new EngineException.Invalid("invalid user namespace mode: " + text + ": \"" + option
                        + "\" is none of its options " + known.stream().sorted().toList() + " with a number from 1");
            }
            options.put(key, Long.parseLong(value));
        }
        return options;
    }
}
