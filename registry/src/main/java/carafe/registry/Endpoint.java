package carafe.registry;

import carafe.http.Origin;
import carafe.spec.EngineException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

/// Where a registry is spoken to: the registry's own place or a mirror of it.
///
/// @param domain the registry's name in references
/// @param origins tried in order until one is there: in clear only where the host needs no proof
/// @param prefix what a mirror puts in front of a repository's path, with a slash at its end; usually empty
record Endpoint(String domain, List<Origin> origins, String prefix, boolean mirror) {

    private static final String HUB = "docker.io";
    private static final String HUB_HOST = "registry-1.docker.io";

    Endpoint {
        origins = List.copyOf(origins);
    }

    /// The places of a registry: its mirrors, as configured, then its own.
    static List<Endpoint> of(String domain, Clients clients) throws EngineException {
        var all = new ArrayList<Endpoint>();
        for (String url : clients.config().mirrors().getOrDefault(domain, List.of())) {
            all.add(mirror(domain, url));
        }
        all.add(own(domain, clients));
        return all;
    }

    /// The registry's own place.
    static Endpoint own(String domain, Clients clients) throws EngineException.Invalid {
        String host = domain.equals(HUB) ? HUB_HOST : domain;
        try {
            var secure = Origin.parse(true, host);
            var origins = new ArrayList<Origin>(List.of(secure));
            boolean near = HostRange.isLoopback(secure.host()) && !clients.certificates().known(secure);
            if (near || clients.config().believes(secure)) {
                origins.add(Origin.parse(false, host));
            }
            return new Endpoint(domain, origins, "", false);
        } catch (IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid registry \"" + domain + "\": " + e.getMessage());
        }
    }

    private static Endpoint mirror(String domain, String url) throws EngineException.Invalid {
        try {
            var uri = new URI(url);
            boolean secure = "https".equals(uri.getScheme());
            if (!secure && !"http".equals(uri.getScheme()) || uri.getRawAuthority() == null
                    || uri.getRawUserInfo() != null || uri.getRawQuery() != null) {
                throw new EngineException.Invalid("invalid mirror \"" + url + "\": not of the form https://host[/path]");
            }
            String path = uri.getPath().replaceAll("^/+|/+$", "");
            return new Endpoint(domain, List.of(Origin.parse(secure, uri.getRawAuthority())),
                    path.isEmpty() ? "" : path + "/", true);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid mirror \"" + url + "\": " + e.getMessage());
        }
    }

    /// What a request to `path` of a repository is called, and of which repository rights are asked.
    String repository(String path) {
        return prefix + path;
    }

    /// The query that tells a mirror of several registries whose repository is meant; empty for the registry itself.
    /// Source: OCI distribution-spec, "Registry Proxying".
    String namespace() {
        return mirror ? "ns=" + domain : "";
    }

    @Override
    public String toString() {
        return (mirror ? "mirror " : "") + origins.getFirst().hostPort();
    }
}
