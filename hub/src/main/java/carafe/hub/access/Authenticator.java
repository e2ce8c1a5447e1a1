package carafe.hub.access;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;

/// Says who asks, from the Authorization field of a request, and gives tokens out.
public final class Authenticator {

    private static final Duration REFRESH_LIFE = Duration.ofDays(90);

    private final Optional<Users> users;
    private final Tokens tokens;
    private final Gate gate;
    private final Duration tokenLife;

    /// Access tokens live `tokenLife`. Without users nobody can log in.
    public Authenticator(Optional<Users> users, Tokens tokens, Gate gate, Duration tokenLife) {
        this.users = users;
        this.tokens = tokens;
        this.gate = gate;
        this.tokenLife = tokenLife;
    }

    /// Whether there is anybody to log in as.
    public boolean hasUsers() {
        return users.isPresent();
    }

    /// Who sent a request with this Authorization field.
    /// @throws Refusal UNAUTHORIZED the password is wrong, or the token is not ours or over
    public Identity identify(Optional<String> authorization) throws Refusal {
        if (authorization.isEmpty()) {
            return Identity.ANONYMOUS;
        }
        String field = authorization.get();
        int blank = field.indexOf(' ');
        String scheme = (blank < 0 ? field : field.substring(0, blank)).toLowerCase(Locale.ROOT);
        String rest = blank < 0 ? "" : field.substring(blank + 1).strip();
        return switch (scheme) {
            case "basic" -> basic(rest);
            case "bearer" -> tokens.bearer(rest)
                    .orElseThrow(() -> new Refusal(Reason.UNAUTHORIZED, "the token is not valid, or no longer"));
            default -> throw new Refusal(Reason.UNAUTHORIZED, "only Basic and Bearer authorization are understood");
        };
    }

    private Identity basic(String encoded) throws Refusal {
        try {
            String pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            if (colon >= 0) {
                return password(pair.substring(0, colon), pair.substring(colon + 1));
            }
        } catch (IllegalArgumentException e) {
            throw wrong(); // not base64
        }
        throw wrong();
    }

    private static Refusal wrong() {
        return new Refusal(Reason.UNAUTHORIZED, "user name or password is wrong");
    }

    /// The user of that name and password.
    /// @throws Refusal UNAUTHORIZED there is none
    public Identity password(String name, String password) throws Refusal {
        if (users.isEmpty() || !users.get().check(name, password)) {
            throw wrong();
        }
        return Identity.user(name);
    }

    /// The user who was given this refresh token.
    /// @throws Refusal UNAUTHORIZED it is not valid, or no longer
    public Identity refreshing(String token) throws Refusal {
        return users.flatMap(known -> tokens.refreshing(token, known))
                .orElseThrow(() -> new Refusal(Reason.UNAUTHORIZED, "the refresh token is not valid, or no longer"));
    }

    /// What /token gives out.
    public record Tokenset(String access, Ticket ticket, Duration life, Optional<String> refresh) {}

    /// A token for that part of `asked` that `who` may do; with a refresh token when `offline`, for users.
    public Tokenset give(Identity who, Ticket asked, boolean offline) {
        var ticket = gate.narrow(who, asked);
        Optional<String> refresh = offline && who.kind() == Identity.Kind.USER
                ? users.flatMap(known -> known.generation(who.name()))
                        .map(generation -> tokens.refresh(who, generation, REFRESH_LIFE))
                : Optional.empty();
        return new Tokenset(tokens.access(who, ticket, tokenLife), ticket, tokenLife, refresh);
    }
}
