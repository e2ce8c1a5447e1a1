package carafe.hub.web;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/// The files pages are made with, from our own jar and nowhere else.
final class Assets {

    private static final Map<String, String> TYPES = Map.of(
            "hub.css", "text/css; charset=utf-8",
            "hub.js", "text/javascript; charset=utf-8",
            "icon.svg", "image/svg+xml");

    private final Map<String, byte[]> files = Map.of(
            "hub.css", read("hub.css"), "hub.js", read("hub.js"), "icon.svg", read("icon.svg"));

    private static byte[] read(String name) {
        try (var in = Assets.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("this installation is not complete: " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void handle(Exchange exchange, List<String> path) throws IOException, Refusal {
        String name = path.size() == 2 ? path.get(1) : "";
        byte[] bytes = files.get(name);
        String type = TYPES.get(name);
        if (bytes == null || type == null) {
            throw new Refusal(Reason.NAME_UNKNOWN, "there is no such file");
        }
        String tag = "\"" + Digest.sha256(bytes).shortHex() + "\"";
        var headers = Headers.of("Content-Type", type, "ETag", tag, "Cache-Control", "no-cache",
                "X-Content-Type-Options", "nosniff", "Content-Security-Policy", "default-src 'none'");
        boolean known = exchange.headers().first("If-None-Match").filter(tag::equals).isPresent();
        exchange.respond(known ? 304 : 200, headers, known ? new byte[0] : bytes);
    }
}
