package carafe.registry;

import carafe.http.CertificateWanted;
import carafe.http.ClientRequest;
import carafe.http.ClientResponse;
import carafe.http.Origin;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.AuthConfig;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// Asks the token server that a registry names, by GET with name and password, or by POST with an identity token.
/// Source: distribution, "Token Authentication Specification" and "Oauth2 Token Authentication".
final class TokenServer {

    private static final int ANSWER = 1 << 20;
    private static final long LEAST_SECONDS = 60;
    private static final long MOST_SECONDS = 24 * 3600;
    private static final String CLIENT = "carafe";

    private final Clients clients;
    private final Waiting waiting;

    TokenServer(Clients clients, Waiting waiting) {
        this.clients = clients;
        this.waiting = waiting;
    }

    /// What a token server gives: the token, for how long, and an identity token when one was asked for.
    record Grant(String token, long seconds, Optional<String> identity) {}

    /// Where a challenge points: origin, path and query.
    private record Realm(Origin origin, String target) {}

    /// Asks for a token with `scopes` for the registry at `from`. With `offline`, for an identity token as well.
    Grant ask(Origin from, Challenge challenge, List<String> scopes, AuthConfig auth, boolean offline)
            throws EngineException, InterruptedException {
        var realm = realm(from, challenge);
        var request = auth.identityToken().isEmpty()
                ? byName(realm, challenge, scopes, auth, offline)
                : byIdentity(realm, challenge, scopes, auth);
        var backoff = new Backoff(waiting);
        while (true) {
            try {
                var response = send(realm.origin, request);
                if (response.status() == 200) {
                    return grant(from, response);
                }
                boolean passing = response.status() == 429 || response.status() >= 500;
                var asked = backoff.asked(response.headers());
                var refusal = refusal(from, response, auth);
                if (!passing || !backoff.again(asked)) {
                    throw refusal;
                }
            } catch (Certificates.Unusable e) {
                throw new EngineException.Unavailable(
                        "cannot get a token for " + from.hostPort() + ": " + e.getMessage(), e);
            } catch (IOException e) {
                Interruption.check(e);
                var wanted = CertificateWanted.in(e);
                boolean certain = wanted.isPresent() && wanted.get().certain();
                if (certain || !backoff.again(Optional.empty())) {
                    if (wanted.isPresent()) {
                        throw clients.refusal("cannot get a token for " + from.hostPort(), wanted.get());
                    }
                    throw new EngineException.Unavailable(
                            "cannot get a token for " + from.hostPort() + ": " + e.getMessage(), e);
                }
            }
        }
    }

    private ClientResponse send(Origin origin, ClientRequest request) throws IOException {
        try {
            return clients.of(origin).send(request);
        } catch (IOException e) {
            clients.failed(origin, e);
            throw e;
        }
    }

    private static EngineException refusal(Origin from, ClientResponse response, AuthConfig auth) {
        int status = response.status();
        if (status == 400 || status == 401 || status == 403) {
            String reason = Refusal.reason(response);
            return new EngineException.Forbidden("token for " + from.hostPort() + ": unauthorized: "
                    + (auth.present() ? "incorrect username or password" : "authentication required") + " (" + reason + ")");
        }
        return Refusal.of("token for " + from.hostPort(), response);
    }

    /// A realm is followed only as far as the registry itself could be trusted: never from TLS into the clear.
    private static Realm realm(Origin from, Challenge challenge) throws EngineException {
        try {
            var uri = new URI(challenge.parameter("realm"));
            boolean secure = "https".equals(uri.getScheme());
            if (!secure && !"http".equals(uri.getScheme()) || uri.getRawAuthority() == null || uri.getRawUserInfo() != null) {
                throw new EngineException.Unavailable(from.hostPort() + " names no usable token server");
            }
            if (from.secure() && !secure) {
                throw new EngineException.Forbidden(from.hostPort() + " names a token server without TLS ("
                        + uri.getRawAuthority() + "), to which no credentials are sent");
            }
            String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            return new Realm(Origin.parse(secure, uri.getRawAuthority()),
                    uri.getRawQuery() == null ? path + "?" : path + "?" + uri.getRawQuery() + "&");
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new EngineException.Unavailable(from.hostPort() + " names no usable token server");
        }
    }

    private static ClientRequest byName(Realm realm, Challenge challenge, List<String> scopes, AuthConfig auth,
            boolean offline) {
        var target = new StringBuilder(realm.target);
        var query = new StringBuilder();
        field(query, "service", challenge.parameter("service"));
        for (String scope : scopes) {
            field(query, "scope", scope);
        }
        if (!auth.username().isEmpty()) {
            field(query, "account", auth.username());
        }
        if (offline) {
            field(query, "client_id", CLIENT);
            field(query, "offline_token", "true");
        }
        var request = ClientRequest.get(target.append(query).toString());
        return auth.username().isEmpty() ? request : request.header("Authorization", basic(auth));
    }

    private static ClientRequest byIdentity(Realm realm, Challenge challenge, List<String> scopes, AuthConfig auth) {
        var form = new StringBuilder();
        field(form, "grant_type", "refresh_token");
        field(form, "service", challenge.parameter("service"));
        field(form, "client_id", CLIENT);
        field(form, "scope", String.join(" ", scopes));
        field(form, "refresh_token", auth.identityToken());
        String target = realm.target.substring(0, realm.target.length() - 1);
        return ClientRequest.of("POST", target)
                .body("application/x-www-form-urlencoded", form.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void field(StringBuilder into, String name, String value) {
        if (!value.isEmpty()) {
            into.append(into.isEmpty() ? "" : "&").append(name).append('=')
                    .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
        }
    }

    /// The value of Authorization for a name and a password.
    static String basic(AuthConfig auth) {
        String both = auth.username() + ":" + auth.password();
        return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
    }

    private static Grant grant(Origin from, ClientResponse response) throws IOException, EngineException {
        try (response) {
            var json = Json.parseObject(response.readBody(ANSWER));
            String token = json.text("token", json.text("access_token"));
            if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
                throw new EngineException.Unavailable("the token server of " + from.hostPort() + " gave no usable token");
            }
            long seconds = Math.clamp(json.number("expires_in", LEAST_SECONDS), LEAST_SECONDS, MOST_SECONDS);
            String identity = json.text("refresh_token");
            return new Grant(token, seconds, identity.isEmpty() ? Optional.empty() : Optional.of(identity));
        } catch (EngineException.Invalid e) {
            throw new EngineException.Unavailable(
                    "the token server of " + from.hostPort() + " answers what is no token: " + e.getMessage(), e);
        }
    }
}
