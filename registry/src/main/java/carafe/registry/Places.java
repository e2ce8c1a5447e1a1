package carafe.registry;

import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where one repository is read from: mirrors in their order, then the registry. What a mirror does wrong is never the
/// reader's loss: it is passed by from then on, which is logged and told once. That it lacks something is no fault.
/// For several threads.
final class Places {

    private static final Logger LOG = LoggerFactory.getLogger(Places.class);

    private final List<Conversation> mirrors;
    private final Conversation own;
    private final PassedBy listener;

    /// Guarded by itself.
    private final Set<Conversation> passed = new LinkedHashSet<>();

    /// The last of `all` is the registry itself.
    Places(List<Conversation> all, PassedBy listener) {
        this.mirrors = List.copyOf(all.subList(0, all.size() - 1));
        this.own = all.getLast();
        this.listener = listener;
    }

    /// One kind of reading, from one place.
    @FunctionalInterface
    interface Reading<T> {
        T from(Conversation place) throws EngineException, InterruptedException;
    }

    /// What a reading gave, and where.
    record Read<T>(T value, Conversation place) {}

    /// The registry.
    Conversation own() {
        return own;
    }

    /// The first place's answer that is none of failure; the registry's own failure when there is none.
    <T> Read<T> first(Reading<T> reading) throws EngineException, InterruptedException {
        for (var mirror : open()) {
            try {
                return new Read<>(reading.from(mirror), mirror);
            } catch (EngineException.NotFound e) {
                continue; // a mirror is a help, not a duty
            } catch (EngineException e) {
                pass(mirror, String.valueOf(e.getMessage()));
            }
        }
        return new Read<>(reading.from(own), own);
    }

    private List<Conversation> open() {
        synchronized (passed) {
            var open = new ArrayList<>(mirrors);
            open.removeAll(passed);
            return open;
        }
    }

    /// Asks `mirror` no more, because of `reason`.
    void pass(Conversation mirror, String reason) {
        synchronized (passed) {
            if (!passed.add(mirror)) {
                return;
            }
        }
        String sentence = "Passed by " + mirror.endpoint() + " of " + mirror.endpoint().domain() + ": " + reason;
        LOG.warn("{}", sentence);
        listener.told(sentence);
    }
}
