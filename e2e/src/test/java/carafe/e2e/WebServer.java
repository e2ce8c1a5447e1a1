package carafe.e2e;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// A web server on the loopback: files with ETags, and the git repositories below a directory through git's own
/// `http-backend`. Requests for files are written down with the status they got.
final class WebServer implements AutoCloseable {

    private final Path repositories;
    private final HttpServer server;
    final Map<String, byte[]> files = new ConcurrentHashMap<>();
    final List<String> asked = new CopyOnWriteArrayList<>();

    WebServer(Path repositories) throws IOException {
        this.repositories = Files.createDirectories(repositories);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(task -> Thread.ofVirtual().start(task));
        server.createContext("/", this::file);
        server.createContext("/git/", this::git);
        server.start();
    }

    String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + path;
    }

    /// Makes a repository of `files` (path to text), reached at `git/NAME`.
    /// @return its commit
    String repository(String name, Map<String, String> files) throws Exception {
        Path made = Files.createDirectories(repositories.resolve(name));
        if (!Files.exists(made.resolve(".git"))) {
            git(made, "init", "-q", "-b", "main", ".");
        }
        for (var file : files.entrySet()) {
            Path path = made.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        git(made, "add", "-A");
        git(made, "commit", "-q", "-m", "more");
        return git(made, "rev-parse", "HEAD").text();
    }

    private static Outcome git(Path repository, String... words) throws Exception {
        return Command.of("git", "-C", repository.toString(), "-c", "user.name=t", "-c", "user.email=t@t").and(words)
                .with("GIT_CONFIG_GLOBAL", "/dev/null").run().good();
    }

    private void file(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring(1);
        byte[] content = files.getOrDefault(path, new byte[0]);
        String version = "\"" + Arrays.hashCode(content) + "\"";
        int status = !files.containsKey(path) ? 404
                : version.equals(exchange.getRequestHeaders().getFirst("If-None-Match")) ? 304 : 200;
        asked.add(path + " " + status);
        if (status == 200) {
            exchange.getResponseHeaders().set("ETag", version);
            exchange.getResponseHeaders().set("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT");
            exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
            exchange.getResponseBody().write(content);
        } else {
            exchange.sendResponseHeaders(status, -1);
        }
        exchange.close();
    }

    /// A CGI of RFC 3875, as far as git needs it.
    private void git(HttpExchange exchange) throws IOException {
        var uri = exchange.getRequestURI();
        var builder = new ProcessBuilder("git", "http-backend");
        var environment = builder.environment();
        environment.put("GIT_PROJECT_ROOT", repositories.toString());
        environment.put("GIT_HTTP_EXPORT_ALL", "1");
        environment.put("GIT_CONFIG_GLOBAL", "/dev/null");
        environment.put("PATH_INFO", uri.getPath().substring("/git".length()));
        environment.put("QUERY_STRING", uri.getRawQuery() == null ? "" : uri.getRawQuery());
        environment.put("REQUEST_METHOD", exchange.getRequestMethod());
        environment.put("CONTENT_TYPE", String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type")));
        String encoding = exchange.getRequestHeaders().getFirst("Content-Encoding");
        if (encoding != null) {
            environment.put("HTTP_CONTENT_ENCODING", encoding);
        }
        String protocol = exchange.getRequestHeaders().getFirst("Git-Protocol");
        if (protocol != null) {
            environment.put("GIT_PROTOCOL", protocol);
        }
        byte[] body = exchange.getRequestBody().readAllBytes();
        environment.put("CONTENT_LENGTH", Integer.toString(body.length));
        var process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var out = process.getOutputStream()) {
            out.write(body);
        }
        byte[] answer = process.getInputStream().readAllBytes();
        int end = new String(answer, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n");
        int status = 200;
        for (String line : new String(answer, 0, end, StandardCharsets.ISO_8859_1).split("\r\n")) {
            int colon = line.indexOf(':');
            if (line.startsWith("Status:")) {
                status = Integer.parseInt(line.substring(8, 11));
            } else if (!line.startsWith("Content-Length")) {
                exchange.getResponseHeaders().add(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        }
        exchange.sendResponseHeaders(status, answer.length - end - 4 == 0 ? -1 : answer.length - end - 4);
        exchange.getResponseBody().write(answer, end + 4, answer.length - end - 4);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
