package carafe.registry;

import carafe.http.Origin;
import carafe.spec.EngineException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Where a registry is spoken to: the registry's own place, a mirror of it, or the hub of this host.
///
/// @param domain the registry's name in references
/// @param origins tried in order until one is there: in clear only where the host needs no proof
/// @param socket in whose place `origins` stand: who listens there, and nobody at an address, is spoken to
/// @param prefix what a mirror puts in front of a repository's path, with a slash at its end; usually empty
record Endpoint(String domain, List<Origin> origins, Optional<Path> socket, String prefix, boolean mirror) {

    private static final String HUB = "docker.io";
    private static final String HUB_HOST = "registry-1.docker.io";
    private static final String SOCKET = "unix://";

    Endpoint {
        origins = List.copyOf(origins);
    }

    /// The places of a registry: this host's hub, the registry's mirrors, as configured, then its own.
    static List<Endpoint> of(String domain, Clients clients) throws EngineException {
        var all = new ArrayList<Endpoint>();
        clients.config().hub().ifPresent(hub -> hub.prefix(domain)
                .ifPresent(prefix -> all.add(at(hub.socket(), domain, prefix))));
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
            return new Endpoint(domain, origins, Optional.empty(), "", false);
        } catch (IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid registry \"" + domain + "\": " + e.getMessage());
        }
    }

    /// A mirror that listens at a socket of this host.
    private static Endpoint at(Path socket, String domain, String prefix) {
        return new Endpoint(domain, List.of(new Origin(false, "localhost", 80)), Optional.of(socket), prefix, true);
    }

    private static Endpoint mirror(String domain, String url) throws EngineException.Invalid {
        if (url.startsWith(SOCKET + "/")) {
            return at(Path.of(url.substring(SOCKET.length())), domain, "");
        }
        try {
            var uri = new URI(url);
            boolean secure = "https".equals(uri.getScheme());
            if (!secure && !"http".equals(uri.getScheme()) || uri.getRawAuthority() == null
                    || uri.getRawUserInfo() != null || uri.getRawQuery() != null) {
                throw new EngineException.Invalid("invalid mirror \"" + url + "\": not of the form https://host[/path]"
                        + " or unix:///path/of/a/socket");
            }
            String path = uri.getPath().replaceAll("^/+|/+$", "");
            return new Endpoint(domain, List.of(Origin.parse(secure, uri.getRawAuthority())), Optional.empty(),
                    path.isEmpty() ? "" : path + "/", true);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid mirror \"" + url + "\": " + e.getMessage());
        }
    }

    /// What a request to `path` of a repository is called, and of which repository rights are asked.
    String repository(String path) {
        return prefix + path;
    }

    /// The query that tells a mirror of several registries whose repository is meant; empty for the registry itself, and
    /// where the path says it already: the hub of this host would put the name before the path a second time.
    /// Source: OCI distribution-spec, "Registry Proxying".
    String namespace() {
        return mirror && (socket.isEmpty() || prefix.isEmpty()) ? "ns=" + domain : "";
    }

    @Override
    public String toString() {
        return (mirror ? "mirror " : "") + socket.map(Path::toString).orElse(origins.getFirst().hostPort());
    }
}
