package carafe.build.plan;

import carafe.spec.EngineException;
import java.util.Map;
import java.util.Optional;

/// What the build arguments that begin with `BUILDKIT_` say: a prefix for the ids of cache mounts (`""`: none), the host
/// name that programs see (`""`: the usual one), whether the image takes along what its steps were, whether one platform's
/// image gets an index as several do, and what stands in for the Dockerfile's `# check=`. BUILDKIT_BUILD_NAME says nothing
/// here, there is no list of past builds that would show it.
/// Source: Dockerfile reference, "BuildKit built-in build args".
public record BuildkitArguments(String cacheNamespace, String hostName, boolean inlineCache,
        boolean multiPlatform, Optional<String> checks) {

    private static final String OWN_FRONT_END = "dockerfile\\.v0|(docker\\.io/)?docker/dockerfile(-upstream)?([:@]\\S+)?";
    private static final String HOST_NAME = "[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?";

    /// Reads them from all arguments of a build.
    /// @throws EngineException.Invalid one has a value that cannot be used
    /// @throws EngineException.Unsupported another front end is asked for
    public static BuildkitArguments of(Map<String, String> arguments) throws EngineException {
        String syntax = arguments.getOrDefault("BUILDKIT_SYNTAX", "");
        if (!syntax.isEmpty() && !syntax.matches(OWN_FRONT_END)) {
            throw new EngineException.Unsupported("BUILDKIT_SYNTAX=" + syntax + " names a front end of its own, and no front"
                    + " end but the built-in one is run here: leave the argument out, or say dockerfile.v0 or"
                    + " docker/dockerfile for a Dockerfile in Docker's language");
        }
        String host = arguments.getOrDefault("BUILDKIT_SANDBOX_HOSTNAME", "");
        if (!host.isEmpty() && !host.matches(HOST_NAME)) {
            throw new EngineException.Invalid("BUILDKIT_SANDBOX_HOSTNAME=" + host + " is no host name: letters, digits, dots"
                    + " and hyphens, at most 64, a letter or digit first and last");
        }
        String checks = arguments.getOrDefault("BUILDKIT_DOCKERFILE_CHECK", "");
        return new BuildkitArguments(arguments.getOrDefault("BUILDKIT_CACHE_MOUNT_NS", ""), host,
                truth(arguments, "BUILDKIT_INLINE_CACHE"), truth(arguments, "BUILDKIT_MULTI_PLATFORM"),
                checks.isEmpty() ? Optional.empty() : Optional.of(checks));
    }

    private static boolean truth(Map<String, String> arguments, String name) throws EngineException.Invalid {
        String value = arguments.getOrDefault(name, "");
        return switch (value) {
            case "1", "t", "T", "true", "True", "TRUE" -> true;
            case "", "0", "f", "F", "false", "False", "FALSE" -> false;
            default -> throw new EngineException.Invalid("the build argument " + name + "=" + value
                    + " is neither true nor false: say 1 or 0");
        };
    }

    /// The id under which a cache mount called `id` is kept.
    String cacheId(String id) {
        return cacheNamespace.isEmpty() ? id : cacheNamespace + "/" + id;
    }
}
