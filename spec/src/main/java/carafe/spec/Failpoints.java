package carafe.spec;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Faults as inputs: named points in the code that a test (or `CARAFE_FAILPOINTS`) makes fail. Each point has terms that
/// are used up from left to right, the last one for ever:
///
///     mount=1*off->1*EIO; cgroup=EPERM; db=2*off->halt; exec=sleep(20)
///
/// `off` passes, an errno's name throws [Injected], `halt` ends this JVM at once as kill -9 would, `sleep(ms)` delays.
/// A set counts the points that were passed, so that a test can fail every one in turn.
/// Threads: any; the lock guards `terms` and `passed`.
public final class Failpoints {

    private final Map<String, List<Term>> terms;
    private final Map<String, Integer> passed = new LinkedHashMap<>();

    private final boolean active;

    private Failpoints(Map<String, List<Term>> terms, boolean active) {
        this.terms = terms;
        this.active = active;
    }

    /// A set in which nothing fails and nothing is counted, for production.
    public static Failpoints none() {
        return new Failpoints(new LinkedHashMap<>(), false);
    }

    /// Whether points are counted and may fail; where passing many would cost, ask first.
    public boolean active() {
        return active;
    }

    /// Reads terms; with `""` nothing fails, but what is passed is counted.
    public static Failpoints parse(String text) throws EngineException.Invalid {
        var points = new LinkedHashMap<String, List<Term>>();
        for (String entry : text.split(";")) {
            if (!entry.isBlank()) {
                int equals = entry.indexOf('=');
                if (equals < 1) {
                    throw new EngineException.Invalid("failpoint \"" + entry.strip() + "\" is not NAME=TERMS");
                }
                var list = new ArrayList<Term>();
                for (String term : entry.substring(equals + 1).split("->", -1)) {
                    list.add(Term.parse(term.strip()));
                }
                points.put(entry.substring(0, equals).strip(), list);
            }
        }
        return new Failpoints(points, true);
    }

    /// Thrown at a point that fails.
    public static final class Injected extends IOException {
        private final String errno;

        Injected(String point, String errno) {
            super("failpoint " + point + ": " + errno);
            this.errno = errno;
        }

        /// The errno's name, `EIO`.
        public String errno() {
            return errno;
        }
    }

    /// Passes the point `name`: returns, delays, fails or ends the JVM as its terms say.
    public void pass(String name) throws Injected {
        if (!active) {
            return;
        }
        Action action;
        synchronized (this) {
            passed.merge(name, 1, Integer::sum);
            action = next(name);
        }
        switch (action) {
            case Off() -> { }
            case Fail(String errno) -> throw new Injected(name, errno);
            case Halt() -> Runtime.getRuntime().halt(137);
            case Sleep(long millis) -> {
                try {
                    Thread.sleep(millis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    /// The points passed so far in their first order.
    public synchronized List<String> passed() {
        return List.copyOf(passed.keySet());
    }

    /// How often the point was passed.
    public synchronized int passes(String name) {
        return passed.getOrDefault(name, 0);
    }

    private Action next(String name) {
        var list = terms.get(name);
        if (list == null) {
            return new Off();
        }
        Term first = list.getFirst();
        if (first.times > 0) {
            var rest = new ArrayList<>(list.subList(1, list.size()));
            if (first.times > 1) {
                rest.addFirst(new Term(first.times - 1, first.action));
            }
            if (rest.isEmpty()) {
                rest.add(new Term(0, new Off()));
            }
            terms.put(name, rest);
        }
        return first.action;
    }

    private sealed interface Action {}

    private record Off() implements Action {}

    private record Fail(String errno) implements Action {}

    private record Halt() implements Action {}

    private record Sleep(long millis) implements Action {}

    /// An action for so many passes; 0 is for ever.
    private record Term(int times, Action action) {

        static Term parse(String text) throws EngineException.Invalid {
            int star = text.indexOf('*');
            try {
                int times = star < 0 ? 0 : Integer.parseInt(text.substring(0, star).strip());
                String word = text.substring(star + 1).strip();
                if (word.equals("off")) {
                    return new Term(times, new Off());
                } else if (word.equals("halt")) {
                    return new Term(times, new Halt());
                } else if (word.startsWith("sleep(") && word.endsWith(")")) {
                    return new Term(times, new Sleep(Long.parseLong(word.substring(6, word.length() - 1))));
                } else if (word.matches("E[A-Z0-9]{2,20}")) {
                    return new Term(times, new Fail(word));
                }
            } catch (NumberFormatException e) {
                throw new EngineException.Invalid("failpoint term \"" + text + "\" has no valid number");
            }
            throw new EngineException.Invalid("failpoint term \"" + text + "\" is not off, halt, sleep(ms) or an errno");
        }
    }
}
