package carafe.registry;

import carafe.http.Dial;
import carafe.http.Origin;
import carafe.spec.EngineException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Through which proxy an origin is reached. `direct` names who is reached without one: a host, a `.domain`, an address
/// or a network, `*` for all. This machine itself is never reached through a proxy.
/// Source: the environment variables of curl and of Go's httpproxy.
public record Proxies(Optional<Dial.Proxy> http, Optional<Dial.Proxy> https, List<String> direct) {

    /// No proxies.
    public static final Proxies NONE = new Proxies(Optional.empty(), Optional.empty(), List.of());

    /// Copies the list.
    public Proxies {
        direct = List.copyOf(direct);
    }

    /// From the values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY; empty ones say nothing.
    public static Proxies of(String http, String https, String direct) throws EngineException.Invalid {
        var names = new ArrayList<String>();
        for (String name : direct.split(",")) {
            if (!name.isBlank()) {
                names.add(name.strip().toLowerCase(Locale.ROOT));
            }
        }
        return new Proxies(proxy(http), proxy(https), names);
    }

    /// From an environment; variables in small letters win, as with curl.
    public static Proxies of(Map<String, String> environment) throws EngineException.Invalid {
        return of(variable(environment, "http_proxy"), variable(environment, "https_proxy"),
                variable(environment, "no_proxy"));
    }

    private static String variable(Map<String, String> environment, String name) {
        String small = environment.getOrDefault(name, "");
        return small.isEmpty() ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "") : small;
    }

    private static Optional<Dial.Proxy> proxy(String text) throws EngineException.Invalid {
        if (text.isBlank()) {
            return Optional.empty();
        }
        try {
            var uri = new URI(text.contains("://") ? text.strip() : "http://" + text.strip());
            if (!"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null) {
                throw new EngineException.Invalid("only proxies of the form http://host:port are spoken to");
            }
            Optional<String> authorization = uri.getUserInfo() == null ? Optional.empty()
                    : Optional.of("Basic " + Base64.getEncoder()
                            .encodeToString(uri.getUserInfo().getBytes(StandardCharsets.UTF_8)));
            String host = uri.getHost().startsWith("[")
                    ? uri.getHost().substring(1, uri.getHost().length() - 1) : uri.getHost();
            return Optional.of(new Dial.Proxy(host, uri.getPort() < 0 ? 80 : uri.getPort(), authorization));
        } catch (URISyntaxException e) {
            throw new EngineException.Invalid("a proxy is not a URL"); // it may hold a password: not quoted
        }
    }

    /// The proxy on the way to `origin`; empty when there is none.
    Optional<Dial.Proxy> to(Origin origin) {
        var proxy = origin.secure() ? https : http;
        boolean near = proxy.isEmpty() || HostRange.isLoopback(origin.host());
        return near || direct.stream().anyMatch(rule -> covers(rule, origin)) ? Optional.empty() : proxy;
    }

    /// A proxy as programs are told of it, with the name and password it wants.
    static String url(Dial.Proxy proxy) {
        String user = proxy.authorization().map(value -> value.substring(value.indexOf(' ') + 1))
                .map(text -> new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8) + "@").orElse("");
        String host = proxy.host().indexOf(':') < 0 ? proxy.host() : "[" + proxy.host() + "]";
        return "http://" + user + host + ":" + proxy.port();
    }

    private static boolean covers(String rule, Origin origin) {
        if (rule.equals("*") || HostRange.covers(rule, origin.host())) {
            return true;
        }
        String name = rule;
        int colon = rule.lastIndexOf(':');
        if (colon > 0 && rule.indexOf(':') == colon) {
            if (!rule.substring(colon + 1).equals(Integer.toString(origin.port()))) {
                return false;
            }
            name = rule.substring(0, colon);
        }
        String bare = name.startsWith("*.") ? name.substring(2) : name.startsWith(".") ? name.substring(1) : name;
        boolean below = origin.host().endsWith("." + bare);
        return below || !name.startsWith(".") && origin.host().equals(bare);
    }
}
