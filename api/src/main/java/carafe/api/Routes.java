package carafe.api;

import carafe.spec.EngineException.NotFound;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The table of paths. A pattern is a method and segments: a word, `{name}` for one segment, or `{name*}` for one or
/// more of them, as image names have slashes. The first pattern that fits wins.
final class Routes {

    /// Answers a request whose path has been taken apart.
    @FunctionalInterface
    interface Action {
        void run(Call call) throws Exception;
    }

    /// A route that fits, with what its names stand for.
    record Match(Action action, Map<String, String> names) {}

    private record Route(String method, List<String> segments, Action action) {}

    private final List<Route> routes = new ArrayList<>();

    /// Adds a route: `add("GET /images/{name*}/json", …)`.
    Routes add(String pattern, Action action) {
        int blank = pattern.indexOf(' ');
        String path = pattern.substring(blank + 2);
        routes.add(new Route(pattern.substring(0, blank), List.of(path.split("/")), action));
        return this;
    }

    /// The route for a method and path segments.
    /// @throws NotFound `page not found`, as Docker says for an unknown path and for an unknown method
    Match match(String method, List<String> segments) throws NotFound {
        for (Route route : routes) {
            if (route.method.equals(method)) {
                var names = fit(route.segments, segments);
                if (names != null) {
                    return new Match(route.action, names);
                }
            }
        }
        throw new NotFound("page not found");
    }

    private static @Nullable Map<String, String> fit(List<String> pattern, List<String> path) {
        int spare = path.size() - pattern.size();
        if (spare < 0) {
            return null;
        }
        var names = new HashMap<String, String>();
        int at = 0;
        for (String segment : pattern) {
            if (segment.endsWith("*}")) {
                names.put(segment.substring(1, segment.length() - 2), String.join("/", path.subList(at, at + spare + 1)));
                at += spare + 1;
                spare = 0;
            } else if (segment.startsWith("{")) {
                names.put(segment.substring(1, segment.length() - 1), path.get(at++));
            } else if (!segment.equals(path.get(at++))) {
                return null;
            }
        }
        return at == path.size() ? names : null;
    }
}
