package carafe.hub.access;

import carafe.spec.EngineException;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// What may be done with a repository. `PUSH` includes `CREATE`, `ADMIN` everything.
public enum Right {
    /// Read manifests, tags and blobs.
    PULL,
    /// Push what is not there: new blobs, manifests and tags; no tag is moved.
    CREATE,
    /// Push, and move tags.
    PUSH,
    /// Delete tags, manifests and blobs.
    DELETE,
    /// All of that, and see usage and metrics, and start a collection.
    ADMIN;

    /// Reads a right as configurations and scopes write it; `*` is all.
    public static Set<Right> parse(String word) throws EngineException.Invalid {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "pull" -> EnumSet.of(PULL);
            case "create" -> EnumSet.of(CREATE);
            case "push" -> EnumSet.of(PUSH, CREATE);
            case "delete" -> EnumSet.of(DELETE);
            case "admin", "*" -> EnumSet.allOf(Right.class);
            default -> throw new EngineException.Invalid(
                    "\"" + word + "\" is not a right; those are pull, create, push, delete and admin");
        };
    }

    /// As scopes write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
