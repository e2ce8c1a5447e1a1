package carafe.registry;

import carafe.http.Origin;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/// Shows one registry who asks: by name and password or by tokens, as it wants it. Only the registry's own origin is
/// ever answered; where redirects lead does not come here (CVE-2020-15157).
final class Authorizer {

    private static final long SLACK_SECONDS = 10;

    private final Tokens tokens;
    private final TokenServer server;
    private final AuthConfig auth;
    private final boolean silent;

    /// Lets one thread at a time ask the token server, so that the others find its token. Guards no field.
    private final ReentrantLock turn = new ReentrantLock();

    Authorizer(Clients clients, Waiting waiting, Tokens tokens, AuthConfig auth) {
        this(new TokenServer(clients, waiting), tokens, auth, false);
    }

    private Authorizer(TokenServer server, Tokens tokens, AuthConfig auth, boolean silent) {
        this.tokens = tokens;
        this.server = server;
        this.auth = auth;
        this.silent = silent;
    }

    /// Says nothing, so that the server says what it wants to hear.
    static Authorizer silent(Clients clients, Tokens tokens) {
        return new Authorizer(new TokenServer(clients, clients.waiting()), tokens, AuthConfig.NONE, true);
    }

    /// The value of Authorization for a request, by what is known of the origin so far.
    Optional<String> header(Origin origin, List<String> scopes) throws EngineException, InterruptedException {
        var challenge = tokens.challenge(origin);
        if (silent || challenge.isEmpty()) {
            return Optional.empty();
        }
        return challenge.get().scheme().equals("basic") ? basic() : Optional.of(bearer(origin, challenge.get(), scopes));
    }

    /// What to say after the origin refused a request that said `shown`; empty when there is nothing more to say.
    Optional<String> answer(Origin origin, List<Challenge> challenges, List<String> scopes, Optional<String> shown)
            throws EngineException, InterruptedException {
        if (silent) {
            return Optional.empty();
        }
        for (var challenge : challenges) {
            if (challenge.scheme().equals("bearer")) {
                tokens.challenged(origin, challenge);
                shown.ifPresent(_ -> tokens.drop(key(origin, challenge, scopes)));
                var now = Optional.of(bearer(origin, challenge, scopes));
                return now.equals(shown) ? Optional.empty() : now;
            }
        }
        for (var challenge : challenges) {
            if (challenge.scheme().equals("basic")) {
                tokens.challenged(origin, challenge);
                var now = basic();
                return now.equals(shown) ? Optional.empty() : now;
            }
        }
        return Optional.empty();
    }

    private Optional<String> basic() {
        return auth.username().isEmpty() ? Optional.empty() : Optional.of(TokenServer.basic(auth));
    }

    private String bearer(Origin origin, Challenge challenge, List<String> scopes)
            throws EngineException, InterruptedException {
        if (!auth.registryToken().isEmpty()) {
            return "Bearer " + auth.registryToken();
        }
        var key = key(origin, challenge, scopes);
        var known = tokens.token(key);
        if (known.isPresent()) {
            return "Bearer " + known.get();
        }
        turn.lockInterruptibly();
        try {
            known = tokens.token(key);
            if (known.isPresent()) {
                return "Bearer " + known.get();
            }
            var grant = server.ask(origin, challenge, wanted(challenge, scopes), auth, false);
            tokens.keep(key, grant.token(), tokens.now().plusSeconds(grant.seconds() - SLACK_SECONDS));
            return "Bearer " + grant.token();
        } finally {
            turn.unlock();
        }
    }

    /// What proves the name and password to a registry that wants nothing else.
    String basicHeader() {
        return TokenServer.basic(auth);
    }

    /// An identity token and the header that proves it, for a login.
    TokenServer.Grant login(Origin origin, Challenge challenge) throws EngineException, InterruptedException {
        return server.ask(origin, challenge, List.of(), auth, auth.identityToken().isEmpty());
    }

    private Tokens.Key key(Origin origin, Challenge challenge, List<String> scopes) {
        return new Tokens.Key(origin, auth, String.join(" ", new TreeSet<>(wanted(challenge, scopes))));
    }

    /// Our own idea of what we need; the challenge's only where we have none.
    private static List<String> wanted(Challenge challenge, List<String> scopes) {
        if (!scopes.isEmpty()) {
            return List.copyOf(new LinkedHashSet<>(scopes));
        }
        String theirs = challenge.parameter("scope");
        return theirs.isEmpty() ? List.of() : List.of(theirs.split(" "));
    }
}
