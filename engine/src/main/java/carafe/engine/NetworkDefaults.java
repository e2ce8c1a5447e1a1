package carafe.engine;

import carafe.spec.EngineException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The options that new networks of a driver get unless they are given, by the driver's word. Networks that are there
/// already keep what they have, and one made of a configuration has that one's.
public record NetworkDefaults(Map<String, Map<String, String>> options) {

    /// Nothing was told.
    public static final NetworkDefaults NONE = new NetworkDefaults(Map.of());

    /// Docker's words for the families of addresses, which the request itself can say too.
    static final String FOUR = "com.docker.network.enable_ipv4";
    static final String SIX = "com.docker.network.enable_ipv6";

    public NetworkDefaults {
        var copy = new LinkedHashMap<String, Map<String, String>>();
        options.forEach((driver, each) -> copy.put(driver, Map.copyOf(each)));
        options = Map.copyOf(copy);
    }

    /// What was given, and ours in the place of each option that was not.
    Map<String, String> complete(String driver, Map<String, String> given) {
        var all = new LinkedHashMap<>(given);
        options.getOrDefault(driver, Map.of()).forEach(all::putIfAbsent);
        return all;
    }

    /// Whether the network has addresses of the family `key`: what the request says, else the option. That goes from
    /// `options` if it does not count.
    /// @throws EngineException.Invalid the option is neither true nor false
    static Optional<Boolean> family(Optional<Boolean> said, String key, Map<String, String> options)
            throws EngineException.Invalid {
        if (said.isPresent()) {
            options.remove(key);
            return said;
        }
        String word = options.get(key);
        if (word == null) {
            return Optional.empty();
        }
        return switch (word) {
            case "1", "t", "T", "true", "TRUE", "True" -> Optional.of(true);
            case "0", "f", "F", "false", "FALSE", "False" -> Optional.of(false);
            default -> throw new EngineException.Invalid(
                    "driver-opt \"" + key + "\" is not a valid bool: \"" + word + "\"; it is true or false");
        };
    }
}
