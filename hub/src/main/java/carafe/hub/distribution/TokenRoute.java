package carafe.hub.distribution;

import carafe.hub.access.Authenticator;
import carafe.hub.access.Identity;
import carafe.hub.access.Ticket;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.http.Query;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Optional;

/// Gives tokens out: to GET with Basic or without, and to OAuth 2's POST with a password or a refresh token.
/// Source: Docker registry v2, "Token Authentication Specification" and "OAuth2 Token Authentication".
public final class TokenRoute {

    private static final int FORM_LIMIT = 64 << 10;

    private final Authenticator authenticator;
    private final Clock clock;

    /// For tokens of `authenticator`.
    public TokenRoute(Authenticator authenticator, Clock clock) {
        this.authenticator = authenticator;
        this.clock = clock;
    }

    /// Answers a request to `/token`; `came` is what its connection tells of the client.
    public void handle(Exchange exchange, Optional<Identity> came) throws IOException, Refusal {
        switch (exchange.method()) {
            case "GET" -> {
                var query = exchange.query();
                var who = came.isPresent()
                        ? came.get()
                        : authenticator.identify(exchange.headers().first("Authorization"));
                if (who.ticket().isPresent()) {
                    throw new Refusal(Reason.UNAUTHORIZED, "a token does not get another one");
                }
                answer(exchange, who, query, query.flag("offline_token"));
            }
            case "POST" -> {
                byte[] form = exchange.readBody(FORM_LIMIT);
                var query = Query.parse(new String(form, StandardCharsets.ISO_8859_1));
                Identity who = switch (query.first("grant_type").orElse("")) {
                    case "password" -> authenticator.password(
                            query.first("username").orElse(""), query.first("password").orElse(""));
                    case "refresh_token" -> authenticator.refreshing(query.first("refresh_token").orElse(""));
                    default -> throw new Refusal(Reason.UNSUPPORTED, "grant_type must be password or refresh_token");
                };
                answer(exchange, who, query, query.first("access_type").filter("offline"::equals).isPresent());
            }
            default -> throw new Refusal(Reason.UNSUPPORTED, "tokens are asked for by GET or POST");
        }
    }

    private void answer(Exchange exchange, Identity who, Query query, boolean offline) throws IOException, Refusal {
        Ticket asked;
        try {
            asked = Ticket.parse(query.all("scope"));
        } catch (EngineException.Invalid e) {
            throw new Refusal(Reason.UNSUPPORTED, "the scope is not understood: " + e.getMessage());
        }
        var given = authenticator.give(who, asked, offline);
        var body = Json.object()
                .put("token", given.access())
                .put("access_token", given.access())
                .put("expires_in", given.life().toSeconds())
                .put("issued_at", clock.instant().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString());
        given.refresh().ifPresent(token -> body.put("refresh_token", token));
        exchange.respond(200,
                Headers.of("Content-Type", "application/json", "Cache-Control", "no-store"), body.build().printBytes());
    }
}
