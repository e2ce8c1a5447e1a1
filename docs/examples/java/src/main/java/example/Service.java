package example;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Answers every request with a greeting as JSON.
public final class Service {

    private Service() {}

    static String greeting(String path) {
        String name = path.substring(1);
        return new Gson().toJson(Map.of("greeting", "Hello, " + (name.isEmpty() ? "world" : name) + "!"));
    }

    /// Serves on port 8080 until the process is ended.
    public static void main(String[] words) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] answer = greeting(exchange.getRequestURI().getPath()).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, answer.length);
            try (var body = exchange.getResponseBody()) {
                body.write(answer);
            }
        });
        server.start();
    }
}
