package carafe.registry;

import carafe.http.Origin;
import carafe.spec.docker.AuthConfig;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What was learnt about showing who we are: how each origin asks, and the tokens got, by host, rights and who asked.
/// For several threads.
final class Tokens {

    private static final int MOST = 1000;

    private final Clock clock;

    /// Both guarded by this.
    private final Map<Key, Token> tokens = bounded();

    private final Map<Origin, Challenge> challenges = bounded();

    /// What a token is for.
    record Key(Origin origin, AuthConfig auth, String scopes) {}

    /// A token and when it ends.
    private record Token(String text, Instant ends) {}

    Tokens(Clock clock) {
        this.clock = clock;
    }

    private static <K, V> Map<K, V> bounded() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > MOST;
            }
        };
    }

    synchronized Optional<Challenge> challenge(Origin origin) {
        return Optional.ofNullable(challenges.get(origin));
    }

    synchronized void challenged(Origin origin, Challenge challenge) {
        challenges.put(origin, challenge);
    }

    synchronized Optional<String> token(Key key) {
        var token = tokens.get(key);
        return token == null || !clock.instant().isBefore(token.ends) ? Optional.empty() : Optional.of(token.text);
    }

    synchronized void keep(Key key, String token, Instant ends) {
        tokens.put(key, new Token(token, ends));
    }

    synchronized void drop(Key key) {
        tokens.remove(key);
    }

    Instant now() {
        return clock.instant();
    }
}
