package carafe.hub;

import carafe.hub.access.Authenticator;
import carafe.hub.access.Gate;
import carafe.hub.access.Identity;
import carafe.hub.distribution.Distribution;
import carafe.hub.distribution.Errors;
import carafe.hub.distribution.TokenRoute;
import carafe.hub.notice.Metrics;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Verifier;
import carafe.hub.web.Web;
import carafe.http.Answer;
import carafe.http.Exchange;
import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// What answers at one listener: finds out who asks, then hands on by the first part of the path. A refusal for want of
/// a login becomes the challenge that says how.
final class Door implements Handler {

    private static final String HOST = "[A-Za-z0-9.:\\[\\]-]{1,255}";

    private final Rooms rooms;
    private final boolean secure;
    private final boolean local;
    private final Errors errors = new Errors();

    /// What is behind every door of a hub.
    record Rooms(Distribution distribution, TokenRoute tokens, Web web, Authenticator authenticator, Gate gate,
            HubConfig.Login login, Metrics metrics, boolean publicMetrics, Verifier verifier) {}

    /// `secure` when clients speak TLS here, `local` when whoever connects is trusted.
    Door(Rooms rooms, boolean secure, boolean local) {
        this.rooms = rooms;
        this.secure = secure;
        this.local = local;
    }

    @Override
    public void handle(Exchange exchange) throws IOException {
        long begun = System.nanoTime();
        List<String> path = exchange.segments();
        String kind = "other";
        int status = 200;
        try {
            kind = route(exchange, path);
        } catch (Refusal refusal) {
            Answer answer = errors.answer(refusal);
            status = answer.status();
            exchange.respond(status, challenged(exchange, path, refusal, answer.headers()), answer.body());
        }
        rooms.metrics().answered(kind, method(exchange), status, System.nanoTime() - begun);
    }

    private static String method(Exchange exchange) {
        return switch (exchange.method()) {
            case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" -> exchange.method();
            default -> "other";
        };
    }

    private String route(Exchange exchange, List<String> path) throws IOException, Refusal {
        switch (path.getFirst()) {
            case "v2" -> {
                return rooms.distribution().handle(exchange, who(exchange), path.subList(1, path.size()));
            }
            case "token" -> {
                rooms.tokens().handle(exchange, local ? Optional.of(Identity.LOCAL) : Optional.empty());
                return "token";
            }
            case "metrics" -> {
                if (!rooms.publicMetrics()) {
                    requireAdministrator(who(exchange), "the numbers of the hub are for its administrators");
                }
                byte[] text = rooms.metrics().print().getBytes(StandardCharsets.UTF_8);
                exchange.respond(200, Headers.of("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), text);
                return "metrics";
            }
            case "api" -> {
                if (!String.join("/", path).equals("api/v1/verify")) {
                    rooms.web().handle(exchange, () -> who(exchange), path);
                    return "web";
                }
                verify(exchange);
                return "verify";
            }
            default -> {
                rooms.web().handle(exchange, () -> who(exchange), path);
                return "web";
            }
        }
    }

    /// `POST /api/v1/verify[?repair=true]`, for administrators: see [Verifier].
    private void verify(Exchange exchange) throws IOException, Refusal {
        requireAdministrator(who(exchange), "only administrators of the hub may have its content verified");
        if (!exchange.method().equals("POST")) {
            throw new Refusal(Reason.UNSUPPORTED, "content is verified by POST");
        }
        var report = rooms.verifier().run(exchange.query().first("repair").filter("true"::equals).isPresent());
        exchange.respond(200, Headers.of("Content-Type", "application/json"), Json.object()
                .put("blobs", report.blobs())
                .put("bytes", report.bytes())
                .put("faults", Json.ofAll(report.faults().stream().map(fault -> Json.object()
                        .put("kind", fault.kind())
                        .put("subject", fault.subject())
                        .put("fault", fault.what())
                        .put("repositories", Json.ofTexts(fault.repositories()))
                        .put("repaired", fault.repaired())
                        .build()).toList()))
                .build().printBytes());
    }

    /// Who did not show a password may have one that helps.
    private void requireAdministrator(Identity who, String sentence) throws Refusal {
        if (!rooms.gate().administers(who)) {
            boolean unknown = who.kind() == Identity.Kind.ANONYMOUS || who.ticket().isPresent();
            throw new Refusal(unknown ? Reason.UNAUTHORIZED : Reason.DENIED, sentence);
        }
    }

    private Identity who(Exchange exchange) throws Refusal {
        return local ? Identity.LOCAL : rooms.authenticator().identify(exchange.headers().first("Authorization"));
    }

    private Headers challenged(Exchange exchange, List<String> path, Refusal refusal, Headers headers) {
        if (refusal.reason() != Reason.UNAUTHORIZED) {
            return headers;
        }
        return headers.toBuilder().set("WWW-Authenticate", challenge(exchange, path)).build();
    }

    private String challenge(Exchange exchange, List<String> path) {
        String host = exchange.headers().first("Host").orElse("");
        boolean protocol = path.getFirst().equals("v2");
        Optional<String> url = rooms.login().url()
                .or(() -> host.matches(HOST) ? Optional.of((secure ? "https://" : "http://") + host) : Optional.empty());
        if (!protocol || !rooms.login().token() || url.isEmpty()) {
            return "Basic realm=\"" + rooms.login().service() + "\", charset=\"UTF-8\"";
        }
        String scope = Distribution.scope(exchange, path.subList(1, path.size()));
        return "Bearer realm=\"" + url.get() + "/token\",service=\"" + rooms.login().service() + "\""
                + (scope.isEmpty() ? "" : ",scope=\"" + scope + "\"") + complaint(exchange);
    }

    /// What is wrong with the token that was shown, if one was: Podman asks for another scope only after these words.
    /// Source: RFC 6750, section 3.1.
    private String complaint(Exchange exchange) {
        var shown = exchange.headers().first("Authorization").filter(text -> text.regionMatches(true, 0, "Bearer ", 0, 7));
        if (shown.isEmpty()) {
            return "";
        }
        try {
            rooms.authenticator().identify(shown);
            return ",error=\"insufficient_scope\"";
        } catch (Refusal e) {
            return ",error=\"invalid_token\"";
        }
    }
}
