package carafe.hub.store;

import carafe.spec.EngineException;
import carafe.spec.oci.Reference;

/// Which repositories a rule is about: `**` all, `team/**` those below `team`, `team/*` those directly below it, else
/// the one of that name.
public record Namespace(String pattern) {

    /// Reads a pattern.
    public static Namespace parse(String pattern) throws EngineException.Invalid {
        String path = pattern.equals("*") || pattern.equals("**") ? "x"
                : pattern.endsWith("/**") ? pattern.substring(0, pattern.length() - 3)
                : pattern.endsWith("/*") ? pattern.substring(0, pattern.length() - 2)
                : pattern;
        if (!Reference.isPath(path)) {
            throw new EngineException.Invalid("\"" + pattern + "\" is not a namespace;"
                    + " write ** for all, team/** for all below team, team/* for those directly below, or a repository's name");
        }
        return new Namespace(pattern);
    }

    /// Whether the rule is about `repository`.
    public boolean holds(String repository) {
        if (pattern.equals("**")) {
            return true;
        }
        if (pattern.equals("*")) {
            return repository.indexOf('/') < 0;
        }
        if (pattern.endsWith("/**")) {
            return repository.startsWith(pattern.substring(0, pattern.length() - 2));
        }
        if (pattern.endsWith("/*")) {
            String prefix = pattern.substring(0, pattern.length() - 1);
            return repository.startsWith(prefix) && repository.indexOf('/', prefix.length()) < 0;
        }
        return repository.equals(pattern);
    }

    @Override
    public String toString() {
        return pattern;
    }
}
