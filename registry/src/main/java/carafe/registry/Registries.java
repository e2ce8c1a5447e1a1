package carafe.registry;

import carafe.http.CertificateWanted;
import carafe.http.Origin;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// All registries, as far as this host may talk to them. The room's entry type; for several threads. Connections and
/// tokens are kept and shared; credentials come with each call and go to the one registry they were given for.
public final class Registries implements AutoCloseable {

    private final Clients clients;
    private final Tokens tokens;

    /// With the owner's configuration. `clock` says when tokens end, and how long it is until
    /// a moment that a server names.
    public Registries(RegistryConfig config, Clock clock) {
        this(config, clock, Thread::sleep);
    }

    /// With another idea of a pause.
    Registries(RegistryConfig config, Clock clock, Waiting.Pause pause) {
        this.clients = new Clients(config, new Waiting(config.patience(), clock, pause));
        this.tokens = new Tokens(clock);
    }

    /// What came of a login.
    public sealed interface Login {

        /// The registry accepts the credentials; `identityToken` is to be kept in place of the password, if not empty.
        record Accepted(String identityToken) implements Login {}

        /// It does not.
        record Refused(String sentence) implements Login {}
    }

    /// The repository of `name`. No request is made.
    public Repository repository(Reference name, AuthConfig auth) throws EngineException {
        return repository(name, auth, PassedBy.UNHEARD);
    }

    /// The same; `listener` hears of mirrors that fail.
    public Repository repository(Reference name, AuthConfig auth, PassedBy listener) throws EngineException {
        var places = new ArrayList<Conversation>();
        for (var endpoint : Endpoint.of(name.domain(), clients)) {
            places.add(conversation(endpoint, endpoint.mirror() ? AuthConfig.NONE : auth.ifFor(name.domain())));
        }
        return new Repository(name, new Places(places, listener), clients.waiting());
    }

    private Conversation conversation(Endpoint endpoint, AuthConfig auth) {
        var waiting = endpoint.mirror() ? clients.waiting().once() : clients.waiting();
        return new Conversation(endpoint, clients, waiting, new Authorizer(clients, waiting, tokens, auth));
    }

    private Conversation own(String domain, AuthConfig auth) throws EngineException {
        return conversation(Endpoint.own(domain, clients), auth.ifFor(domain));
    }

    /// Asks the registry at `auth`'s address (the hub's when it has none) whether it accepts the credentials.
    public Login login(AuthConfig auth) throws EngineException, InterruptedException {
        String address = AuthConfig.hostOf(auth.serverAddress());
        String host = address.isEmpty() ? "docker.io" : address;
        var anonymous = new Conversation(Endpoint.own(host, clients), clients, clients.waiting(),
                Authorizer.silent(clients, tokens));
        var own = own(host, auth);
        String what = "login to " + anonymous.endpoint();
        try {
            var asked = anonymous.attempt(Ask.of("GET", "/v2/", List.of()));
            int status = asked.status();
            var challenges = Challenge.parse(asked.headers().all("WWW-Authenticate"));
            if (status != 200 && status != 401) {
                throw Refusal.of(what, asked);
            }
            Conversation.drain(asked);
            return status == 200 ? new Login.Accepted("") : prove(own, anonymous.origin(), challenges);
        } catch (EngineException.Forbidden e) {
            return new Login.Refused(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            Interruption.check(e);
            var wanted = CertificateWanted.in(e);
            if (wanted.isPresent()) {
                throw clients.refusal(what, wanted.get());
            }
            throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
        }
    }

    private static Login prove(Conversation own, Origin origin, List<Challenge> challenges)
            throws EngineException, InterruptedException, IOException {
        for (var challenge : challenges) {
            if (challenge.scheme().equals("bearer")) {
                var grant = own.authorizer().login(origin, challenge);
                return show(own, origin, "Bearer " + grant.token(), grant.identity().orElse(""));
            }
        }
        return show(own, origin, own.authorizer().basicHeader(), "");
    }

    private static Login show(Conversation own, Origin origin, String header, String identity)
            throws EngineException, IOException {
        var response = own.shown(origin, Ask.of("GET", "/v2/", List.of()), header);
        int status = response.status();
        if (status == 200) {
            Conversation.drain(response);
            return new Login.Accepted(identity);
        }
        if (status != 401 && status != 403) {
            throw Refusal.of("login to " + origin.hostPort(), response);
        }
        Conversation.drain(response);
        return new Login.Refused("login attempt to " + origin + "/v2/ failed with status: " + status
                + (status == 401 ? " Unauthorized" : " Forbidden"));
    }

    /// The repositories that a registry lists, at most `limit`.
    public List<String> catalog(String domain, AuthConfig auth, int limit) throws EngineException, InterruptedException {
        return new Search(own(domain, auth)).catalog(Optional.empty(), limit);
    }

    /// Repositories that match `term`, at most `limit`: of the hub, or of the registry that the term begins with
    /// (`localhost:5000/web`).
    public List<Found> search(String term, int limit, AuthConfig auth) throws EngineException, InterruptedException {
        int slash = term.indexOf('/');
        String first = slash < 0 ? "" : term.substring(0, slash);
        boolean named = first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost");
        String domain = named ? AuthConfig.hostOf(first) : "docker.io";
        String rest = named ? term.substring(slash + 1) : term;
        if (domain.equals("docker.io")) {
            var hub = new Endpoint(domain, List.of(new Origin(true, "index.docker.io", 443)), Optional.empty(), "",
                    false);
            return new Search(conversation(hub, auth.ifFor(domain))).find(rest, limit);
        }
        return new Search(own(domain, auth)).find(rest, limit);
    }

    /// The bytes of a file in the web; to be closed.
    /// @throws EngineException.Invalid `url` is none that can be fetched
    public InputStream web(String url) throws EngineException {
        try {
            return web(url, Optional.empty(), Optional.empty()).body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("download of " + url + ": cancelled", e);
        }
    }

    /// A file in the web, unless it is still what the server called `version`. The header `authorization` is shown to the
    /// URL's own origin, whatever it redirects to.
    /// @throws EngineException.Invalid `url` is none that can be fetched
    public WebAnswer web(String url, Optional<String> version, Optional<String> authorization)
            throws EngineException, InterruptedException {
        return new WebFile(clients).open(url, version, authorization);
    }

    /// Through which proxy `url` would be reached, as a URL; `""` when through none.
    public String proxy(String url) throws EngineException.Invalid {
        try {
            var at = new URI(url);
            boolean secure = "https".equals(at.getScheme());
            var proxy = clients.config().proxies().to(Origin.parse(secure, String.valueOf(at.getRawAuthority())));
            return proxy.map(Proxies::url).orElse("");
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
    }

    /// The mirrors of a registry, as configured.
    public List<String> mirrors(String domain) {
        return clients.config().mirrors().getOrDefault(domain, List.of());
    }

    /// The hosts and networks that need no proof, as configured.
    public List<String> insecure() {
        return clients.config().insecure();
    }

    /// One repository that a search found.
    public record Found(String name, String description, long stars, boolean official, boolean automated) {}

    /// Closes idle connections; what is under way ends with an error.
    @Override
    public void close() {
        clients.close();
    }
}
