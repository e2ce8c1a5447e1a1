package carafe.registry;

import carafe.http.ClientRequest;
import carafe.http.CertificateWanted;
import carafe.http.ClientResponse;
import carafe.http.ConnectFailed;
import carafe.http.HttpClient;
import carafe.http.Origin;
import carafe.spec.EngineException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/// Requests to one endpoint: finds the origin that is there, shows who asks, follows redirects without saying who, and
/// bears with servers that are busy, broken or away for a while. For several threads.
final class Conversation {

    private static final int MOST_HOPS = 6;

    private final Endpoint endpoint;
    private final Clients clients;
    private final Waiting waiting;
    private final Authorizer authorizer;

    Conversation(Endpoint endpoint, Clients clients, Waiting waiting, Authorizer authorizer) {
        this.endpoint = endpoint;
        this.clients = clients;
        this.waiting = waiting;
        this.authorizer = authorizer;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /// How this place is waited for.
    Waiting waiting() {
        return waiting;
    }

    Authorizer authorizer() {
        return authorizer;
    }

    /// The origin that answers.
    Origin origin() {
        return clients.answering(endpoint).orElse(endpoint.origins().getFirst());
    }

    /// An answer and the address that gave it: the request's target, or a whole URL if a redirect led elsewhere.
    record Located(ClientResponse response, String at) {}

    /// Sends until there is an answer that another try would not change; the caller closes it, whatever its status.
    /// `what` begins the sentence if there is none.
    ClientResponse send(String what, Ask ask) throws EngineException, InterruptedException {
        return locate(what, ask).response;
    }

    /// The same, and where the answer came from.
    Located locate(String what, Ask ask) throws EngineException, InterruptedException {
        var backoff = new Backoff(waiting);
        while (true) {
            try {
                var located = tried(ask);
                var response = located.response;
                boolean passing = response.status() == 429 || response.status() == 408 || response.status() >= 500
                        && response.status() != 501;
                if (!passing) {
                    return located;
                }
                var asked = backoff.asked(response.headers());
                var refusal = Refusal.of(what, response);
                if (!backoff.again(asked)) {
                    throw refusal;
                }
            } catch (Certificates.Unusable e) {
                throw new EngineException.Unavailable(what + ": " + e.getMessage(), e); // not the network's fault
            } catch (IOException e) {
                Interruption.check(e);
                var wanted = CertificateWanted.in(e);
                if (wanted.isPresent()) {
                    if (!wanted.get().certain() && backoff.again(Optional.empty())) {
                        continue;
                    }
                    throw clients.refusal(what, wanted.get());
                }
                boolean never = e instanceof ConnectFailed && clients.answering(endpoint).isEmpty();
                if (never || !backoff.again(Optional.empty())) {
                    throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
                }
            }
        }
    }

    /// Sends once; the caller closes the answer.
    /// @throws IOException the connection broke, or none came about
    ClientResponse attempt(Ask ask) throws IOException, EngineException, InterruptedException {
        return tried(ask).response;
    }

    private Located tried(Ask ask) throws IOException, EngineException, InterruptedException {
        var known = clients.answering(endpoint);
        if (known.isPresent()) {
            try {
                return authorized(known.get(), ask);
            } catch (ConnectFailed e) {
                clients.silent(endpoint); // perhaps another one answers now
            }
        }
        IOException failure = new IOException("nobody to ask");
        for (var origin : endpoint.origins()) {
            try {
                var response = authorized(origin, ask);
                clients.answers(endpoint, origin);
                return response;
            } catch (ConnectFailed e) {
                failure = e;
            }
        }
        throw failure;
    }

    private Located authorized(Origin origin, Ask ask) throws IOException, EngineException, InterruptedException {
        var shown = authorizer.header(origin, ask.scopes());
        var located = follow(origin, ask, shown);
        var response = located.response;
        if (response.status() != 401) {
            return located;
        }
        var challenges = Challenge.parse(response.headers().all("WWW-Authenticate"));
        Optional<String> again;
        try {
            again = authorizer.answer(origin, challenges, ask.scopes(), shown);
        } catch (EngineException | InterruptedException e) {
            response.close();
            throw e;
        }
        if (again.isEmpty()) {
            return located;
        }
        drain(response);
        return follow(origin, ask, again);
    }

    /// Sends once, showing `header` whatever was agreed on; for a login.
    ClientResponse shown(Origin origin, Ask ask, String header) throws IOException, EngineException {
        return follow(origin, ask, Optional.of(header)).response;
    }

    /// Sends and follows redirects. Only the endpoint's own origin is shown who asks.
    private Located follow(Origin own, Ask ask, Optional<String> shown) throws IOException, EngineException {
        var origin = own;
        String target = ask.target();
        if (!target.startsWith("/") || target.startsWith("//")) {
            var given = resolve(own, own, "/", target);
            origin = given.origin;
            target = given.target;
        }
        for (int hop = 0; hop < MOST_HOPS; hop++) {
            var request = new ClientRequest(ask.method(), target, ask.headers(), new ClientRequest.Body.None())
                    .header("User-Agent", clients.config().agent());
            if (shown.isPresent() && origin.equals(own)) {
                request = request.header("Authorization", shown.get());
            }
            if (ask.payload().isPresent()) {
                request = ask.payload().get().on(request);
            }
            var client = endpoint.socket().isPresent() && origin.equals(own)
                    ? clients.at(endpoint.socket().get()) : clients.of(origin);
            var response = send(client, origin, request);
            var location = response.headers().first("Location");
            boolean redirected = switch (response.status()) {
                case 301, 302, 303, 307, 308 -> location.isPresent();
                default -> false;
            };
            if (!redirected) {
                if (!origin.equals(own) && (response.status() == 401 || response.status() == 403)) {
                    response.close();
                    throw new EngineException.Forbidden(own.hostPort() + " sends us on to " + origin.hostPort()
                            + ", which refuses with status " + response.status()
                            + "; credentials are for " + own.hostPort() + " only");
                }
                return new Located(response, hop == 0 ? ask.target() : origin + target);
            }
            drain(response);
            var next = resolve(own, origin, target, location.orElseThrow());
            origin = next.origin;
            target = next.target;
        }
        throw new EngineException.Unavailable(own.hostPort() + " redirects without end");
    }

    private ClientResponse send(HttpClient client, Origin origin, ClientRequest request) throws IOException {
        try {
            return client.send(request);
        } catch (IOException e) {
            clients.failed(origin, e);
            throw e;
        }
    }

    private record Place(Origin origin, String target) {}

    /// Where a Location leads, seen from `target` at `origin`.
    private static Place resolve(Origin own, Origin origin, String target, String location) throws EngineException {
        try {
            var uri = new URI(origin + target).resolve(new URI(location));
            boolean secure = "https".equals(uri.getScheme());
            if (!secure && !"http".equals(uri.getScheme()) || uri.getRawAuthority() == null || uri.getRawUserInfo() != null) {
                throw new EngineException.Unavailable(own.hostPort() + " sends us to what is no place of the web");
            }
            var next = Origin.parse(secure, uri.getRawAuthority());
            if (own.secure() && !secure) {
                if (!next.host().equals(own.host())) {
                    throw new EngineException.Forbidden(own.hostPort() + " sends us on to " + next + ", without TLS");
                }
                next = own; // a registry that does not know of the TLS in front of it
            }
            String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            return new Place(next, uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery());
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Unavailable(own.hostPort() + " sends us to what is no place of the web");
        }
    }

    /// Reads the little that is left, so that the connection serves again; drops it otherwise.
    static void drain(ClientResponse response) {
        try (response) {
            response.body().readNBytes(16 << 10);
        } catch (IOException e) {
            return; // it does not serve again
        }
    }
}
