package carafe.cli.command;

import carafe.http.Address;
import carafe.http.Answer;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/// An engine that answers what a test tells it to and remembers what it was asked, in order.
final class FakeEngine implements AutoCloseable {

    /// Answers one endpoint.
    interface Route {
        void handle(Exchange exchange) throws Exception;
    }

    final List<String> asked = new CopyOnWriteArrayList<>();
    final List<String> bodies = new CopyOnWriteArrayList<>();
    private final Map<String, Route> routes = new HashMap<>();
    private final HttpServer server;
    private final Path socket;

    FakeEngine(Path directory) throws IOException {
        socket = directory.resolve("engine.sock");
        server = HttpServer.start(List.of(Listener.at(new Address.Unix(socket))), ServerLimits.DEFAULTS, this::handle,
                cause -> new Answer(500, Headers.NONE, ("{\"message\":\"" + cause + "\"}").getBytes(StandardCharsets.UTF_8)));
    }

    String host() {
        return "unix://" + socket;
    }

    /// Answers `METHOD /path` (without version and query).
    FakeEngine on(String request, Route route) {
        routes.put(request, route);
        return this;
    }

    /// Answers with a status and a document.
    FakeEngine on(String request, int status, String json) {
        return on(request, exchange -> answer(exchange, status, json));
    }

    static void answer(Exchange exchange, int status, String json) throws IOException {
        exchange.respond(status, Headers.of("Content-Type", "application/json"), json.getBytes(StandardCharsets.UTF_8));
    }

    private void handle(Exchange exchange) throws Exception {
        String path = exchange.rawPath();
        String bare = path.startsWith("/v1.") ? path.substring(path.indexOf('/', 1)) : path;
        String query = exchange.rawQuery().isEmpty() ? "" : "?" + exchange.rawQuery();
        asked.add(exchange.method() + " " + bare + query);
        Route route = routes.get(exchange.method() + " " + bare);
        if (route == null) {
            answer(exchange, 404, "{\"message\":\"page not found\"}");
            return;
        }
        if (exchange.headers().first("Content-Type").orElse("").equals("application/json")) {
            bodies.add(new String(exchange.readBody(1 << 20), StandardCharsets.UTF_8));
        }
        route.handle(exchange);
    }

    Json.Obj body(int at) throws Exception {
        return Json.parseObject(bodies.get(at).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        server.close();
    }
}
