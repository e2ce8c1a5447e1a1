package carafe.engine;

import carafe.runtime.TapeExplanation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// How the last containers that ended were started: kept for a while after the end, removal included, because the one
/// who asks usually ran something short. The lock guards the map.
final class RecentStarts {
    private static final int REMEMBERED = 16; // some 100 kB each

    private final Map<String, Supplier<TapeExplanation>> byId = new LinkedHashMap<>();

    synchronized void remember(String id, Supplier<TapeExplanation> explanation) {
        byId.remove(id);
        byId.put(id, explanation);
        if (byId.size() > REMEMBERED) {
            byId.remove(byId.keySet().iterator().next());
        }
    }

    /// By full id.
    synchronized Optional<TapeExplanation> find(String id) {
        return Optional.ofNullable(byId.get(id)).map(Supplier::get);
    }

    /// It is started anew: what is remembered no longer counts.
    synchronized void forget(String id) {
        byId.remove(id);
    }
}
