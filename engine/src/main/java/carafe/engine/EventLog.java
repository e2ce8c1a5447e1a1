package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.Event;
import carafe.spec.docker.Filters;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/// The ring of what happened lately and the subscribers of what happens now. A publisher never waits: a subscriber whose
/// queue is full is cut off and sees the end of its stream.
final class EventLog implements Events {
    private static final int REMEMBERED = 256;
    private static final int QUEUED = 4096;
    private static final Set<String> KEYS = Set.of(
            "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret",
            "service", "type", "volume");

    private final Clock clock;
    private final Object lock = new Object(); // guards recent and subscribers; held for memory operations only
    private final ArrayDeque<Event> recent = new ArrayDeque<>();
    private final List<Subscriber> subscribers = new ArrayList<>();

    EventLog(Clock clock) {
        this.clock = clock;
    }

    /// Tells everybody that something happened now.
    void publish(Event.Type type, String action, String actor, Map<String, String> attributes) {
        synchronized (lock) {
            var event = new Event(type, action, actor, attributes, clock.instant());
            if (recent.size() == REMEMBERED) {
                recent.removeFirst();
            }
            recent.addLast(event);
            subscribers.removeIf(subscriber -> !subscriber.offer(event));
        }
    }

    @Override
    public EventStream subscribe(EventQuery query) throws EngineException {
        query.filters().allowOnly(KEYS);
        var subscriber = new Subscriber(query);
        synchronized (lock) {
            if (query.since().isPresent()) {
                for (var event : recent) {
                    if (!event.time().isBefore(query.since().get())) {
                        subscriber.offer(event);
                    }
                }
            }
            subscribers.add(subscriber);
        }
        return subscriber;
    }

    /// Ends all streams.
    void close() {
        synchronized (lock) {
            subscribers.forEach(Subscriber::end);
            subscribers.clear();
        }
    }

    private final class Subscriber implements EventStream {
        private final EventQuery query;
        private final BlockingQueue<Optional<Event>> queue = new ArrayBlockingQueue<>(QUEUED + 1);
        private boolean ended; // only the reader's

        Subscriber(EventQuery query) {
            this.query = query;
        }

        /// Queues `event` if it is wanted; false when the queue is full, which ends the stream.
        boolean offer(Event event) {
            if (query.until().isPresent() && event.time().isAfter(query.until().get())
                    || !matches(query.filters(), event)) {
                return true;
            }
            if (queue.size() >= QUEUED) {
                end();
                return false;
            }
            return queue.offer(Optional.of(event));
        }

        /// Puts the end behind what is queued; one place is kept free for it.
        void end() {
            queue.offer(Optional.empty());
        }

        @Override
        public Optional<Event> next() throws InterruptedException {
            if (ended) {
                return Optional.empty();
            }
            Optional<Event> next;
            if (query.until().isEmpty()) {
                next = queue.take();
            } else {
                long millis = Duration.between(clock.instant(), query.until().get()).toMillis() + 1;
                var polled = queue.poll(Math.max(0, millis), TimeUnit.MILLISECONDS);
                next = polled == null ? Optional.empty() : polled;
            }
            if (next.isEmpty()) {
                ended = true;
                close();
            }
            return next;
        }

        @Override
        public void close() {
            synchronized (lock) {
                subscribers.remove(this);
            }
            end();
        }
    }

    private static boolean matches(Filters filters, Event event) {
        return filters.allows("type", event.type().word())
                && filters.allows("scope", "local")
                && action(filters.of("event"), event.action())
                && filters.allowsLabels("label", event.attributes())
                && actor(filters, "container", Event.Type.CONTAINER, event)
                && actor(filters, "network", Event.Type.NETWORK, event)
                && actor(filters, "volume", Event.Type.VOLUME, event)
                && actor(filters, "daemon", Event.Type.DAEMON, event)
                && image(filters.of("image"), event)
                && filters.of("plugin").isEmpty();
    }

    private static boolean action(Set<String> wanted, String action) {
        int colon = action.indexOf(':');
        return wanted.isEmpty()
                || wanted.contains(action)
                || colon > 0 && wanted.contains(action.substring(0, colon));
    }

    private static boolean actor(Filters filters, String key, Event.Type type, Event event) {
        var wanted = filters.of(key);
        String name = event.attributes().getOrDefault("name", "");
        return wanted.isEmpty()
                || event.type() == type
                        && wanted.stream().anyMatch(prefix -> event.actor().startsWith(prefix)
                                || name.startsWith(prefix.startsWith("/") ? prefix.substring(1) : prefix));
    }

    private static boolean image(Set<String> wanted, Event event) {
        if (wanted.isEmpty()) {
            return true;
        }
        String name = switch (event.type()) {
            case IMAGE -> event.attributes().getOrDefault("name", event.actor());
            case CONTAINER -> event.attributes().getOrDefault("image", "");
            default -> "";
        };
        int colon = name.lastIndexOf(':');
        String untagged = colon > name.lastIndexOf('/') ? name.substring(0, colon) : name;
        return wanted.contains(name)
                || wanted.contains(untagged)
                || event.type() == Event.Type.IMAGE && wanted.contains(event.actor());
    }
}
