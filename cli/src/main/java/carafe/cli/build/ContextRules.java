package carafe.cli.build;

import carafe.spec.build.IgnorePatterns;
import java.util.Set;

/// Which names below a directory are its context's: those that no pattern leaves out, and those the builder must see
/// (`always`). Paths begin below the directory and have no slash at either end.
public record ContextRules(IgnorePatterns ignored, Set<String> always) {

    public ContextRules {
        always = Set.copyOf(always);
    }

    /// Whether a path is left out.
    boolean out(String path) {
        return ignored.matches(path) && !always.contains(path);
    }

    /// Whether something in a directory, itself `out` or not, may be the context's.
    boolean opens(String directory, boolean out) {
        if (!out || ignored.hasExceptions()) {
            return true;
        }
        String prefix = directory + "/";
        return always.stream().anyMatch(path -> path.startsWith(prefix));
    }
}
