package carafe.registry;

import carafe.http.Address;
import carafe.http.Answer;
import carafe.http.Exchange;
import carafe.http.Handler;
import carafe.http.Headers;
import carafe.http.HttpException;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.http.TlsFiles;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// A registry in memory that has bad days on request: faults answer in its place, in the order they were given.
public final class TestRegistry implements AutoCloseable, Handler {

    public static final byte[] NOTHING = {};

    public final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
    public final Map<String, Document> manifests = new ConcurrentHashMap<>();
    final Map<String, ByteArrayOutputStream> uploads = new ConcurrentHashMap<>();

    /// `GET /v2/x [Authorization]`, one for each request.
    public final List<String> requests = new CopyOnWriteArrayList<>();

    final List<Fault> faults = new CopyOnWriteArrayList<>();

    private final HttpServer server;
    private final AtomicInteger sessions = new AtomicInteger();

    /// Answers requests that begin with `begin` in the registry's place, `times` times.
    static class Fault {
        private final String begin;
        private final Handler answer;
        private final AtomicInteger times;

        Fault(String begin, int times, Handler answer) {
            this.begin = begin;
            this.answer = answer;
            this.times = new AtomicInteger(times);
        }

        boolean concerns(Exchange exchange) {
            return (exchange.method() + " " + exchange.rawPath()).startsWith(begin);
        }

        private boolean answers(Exchange exchange) throws Exception {
            if (!concerns(exchange) || times.getAndDecrement() <= 0) {
                return false;
            }
            answer.handle(exchange);
            return true;
        }
    }

    public TestRegistry() throws IOException {
        this(Optional.empty());
    }

    TestRegistry(Optional<TlsFiles> tls) throws IOException {
        this(Listener.at(new Address.Tcp("127.0.0.1", 0, tls)));
    }

    /// Listens at an address of this host, with TLS if `tls`.
    public TestRegistry(String address, Optional<TlsFiles> tls) throws IOException {
        this(Listener.at(new Address.Tcp(address, 0, tls)));
    }

    /// Listens at a socket of this host.
    TestRegistry(Path socket) throws IOException {
        this(Listener.unix(socket, 0600, Optional.empty()));
    }

    private TestRegistry(Listener listener) throws IOException {
        server = HttpServer.start(List.of(listener), ServerLimits.DEFAULTS,
                this, cause -> new Answer(cause instanceof HttpException refused ? refused.status() : 500,
                        Headers.NONE, String.valueOf(cause).getBytes(StandardCharsets.UTF_8)));
    }

    int port() {
        return ((Address.Tcp) server.addresses().getFirst()).port();
    }

    public String host() {
        return ((Address.Tcp) server.addresses().getFirst()).host() + ":" + port();
    }

    /// Refuses what does not show the header `Authorization` with this value; what does goes to the registry.
    public void demand(String header, String challenge) {
        faults.add(new Fault("", 1_000_000, exchange ->
                exchange.respond(401, Headers.of("WWW-Authenticate", challenge), NOTHING)) {
            @Override
            boolean concerns(Exchange exchange) {
                return exchange.rawPath().startsWith("/v2/")
                        && !shows(exchange, header);
            }
        });
    }

    static boolean shows(Exchange exchange, String header) {
        return exchange.headers().first("Authorization").orElse("").equals(header);
    }

    public void fault(String begin, int times, Handler answer) {
        faults.add(new Fault(begin, times, answer));
    }

    public long count(String begin) {
        return requests.stream().filter(request -> request.startsWith(begin)).count();
    }

    /// What the tests' clients bear with: little.
    static final Patience BRIEF = new Patience(Duration.ofSeconds(10), Duration.ofMillis(1500), 4, Duration.ofMillis(2),
            Duration.ofMillis(4), Duration.ofSeconds(5));

    static Waiting waiting() {
        return new Waiting(BRIEF, Clock.systemUTC());
    }

    static RegistryConfig config() {
        return new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(), Proxies.NONE, BRIEF, "carafe/test");
    }

    public static Registries client() {
        return new Registries(config(), Clock.systemUTC());
    }

    /// A client that asks this one first for what `registry` has.
    public Registries mirrorOf(TestRegistry registry) {
        return new Registries(new RegistryConfig(List.of(), Map.of(registry.host(), List.of("http://" + host())),
                Optional.empty(), List.of(), Proxies.NONE, BRIEF, "carafe/test"), Clock.systemUTC());
    }

    public Descriptor blob(byte[] bytes, String type) {
        blobs.put(Digest.sha256(bytes), bytes);
        return Descriptor.of(type, bytes);
    }

    public Document image(String repository, String tag, byte[]... layers) {
        var config = blob(("{\"architecture\":\"amd64\",\"os\":\"linux\",\"tag\":\"" + tag + "\"}").getBytes(),
                MediaTypes.OCI_CONFIG);
        var all = Arrays.stream(layers).map(layer -> blob(layer, MediaTypes.OCI_LAYER)).toList();
        return put(repository, tag, Document.of(MediaTypes.OCI_MANIFEST, Manifest.of(config, all).toJson().printBytes()));
    }

    public Document index(String repository, String tag, List<Descriptor> entries) {
        return put(repository, tag, Document.of(MediaTypes.OCI_INDEX, Index.of(entries).toJson().printBytes()));
    }

    public Document put(String repository, String tag, Document document) {
        manifests.put(repository + "@" + tag, document);
        manifests.put(repository + "@" + document.descriptor().digest(), document);
        return document;
    }

    @Override
    public void handle(Exchange exchange) throws Exception {
        String query = exchange.rawQuery().isEmpty() ? "" : "?" + exchange.rawQuery();
        requests.add(exchange.method() + " " + exchange.rawPath() + query + " ["
                + exchange.headers().first("Authorization").orElse("") + "]");
        for (var fault : faults) {
            if (fault.answers(exchange)) {
                return;
            }
        }
        String path = exchange.rawPath();
        if (path.contains("/manifests/")) {
            manifest(exchange, path.substring(4, path.indexOf("/manifests/")), path.substring(path.indexOf("/manifests/") + 11));
        } else if (path.contains("/blobs/uploads/")) {
            upload(exchange, path);
        } else if (path.contains("/blobs/")) {
            blob(exchange, Digest.parse(path.substring(path.indexOf("/blobs/") + 7)));
        } else if (path.equals("/v2/")) {
            exchange.respond(200, Headers.NONE, "{}".getBytes());
        } else {
            refuse(exchange, 404, "NOT_FOUND", "there is nothing");
        }
    }

    static void refuse(Exchange exchange, int status, String code, String message) throws IOException {
        var error = Json.object().put("code", code).put("message", message).build();
        exchange.respond(status, Headers.of("Content-Type", "application/json"),
                Json.object().put("errors", Json.ofAll(List.of(error))).build().printBytes());
    }

    private void manifest(Exchange exchange, String repository, String called) throws IOException {
        if (exchange.method().equals("PUT")) {
            byte[] bytes = exchange.readBody(Manifest.MAX_BYTES);
            var document = put(repository, called,
                    Document.of(exchange.headers().first("Content-Type").orElse(""), bytes));
            exchange.respond(201, Headers.of("Docker-Content-Digest", document.descriptor().digest().toString()), NOTHING);
            return;
        }
        var document = manifests.get(repository + "@" + called);
        if (document == null) {
            refuse(exchange, 404, "MANIFEST_UNKNOWN", "manifest unknown");
            return;
        }
        exchange.respond(200, Headers.of("Content-Type", document.descriptor().mediaType(), "Docker-Content-Digest",
                document.descriptor().digest().toString()), document.bytes());
    }

    private void blob(Exchange exchange, Digest digest) throws IOException {
        byte[] bytes = blobs.get(digest);
        if (bytes == null) {
            refuse(exchange, 404, "BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }
        String range = exchange.headers().first("Range").orElse("");
        if (range.isEmpty()) {
            exchange.respond(200, Headers.NONE, bytes);
        } else {
            int from = Integer.parseInt(range.substring(6, range.length() - 1));
            exchange.respond(206, Headers.of("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length),
                    Arrays.copyOfRange(bytes, from, bytes.length));
        }
    }

    private void upload(Exchange exchange, String path) throws IOException, carafe.spec.EngineException {
        String session = path.substring(path.indexOf("/uploads/") + 9);
        switch (exchange.method()) {
            case "POST" -> {
                if (exchange.query().first("mount").filter(text -> known(text)).isPresent()) {
                    exchange.respond(201, Headers.NONE, NOTHING);
                    return;
                }
                String fresh = "s" + sessions.incrementAndGet();
                uploads.put(fresh, new ByteArrayOutputStream());
                exchange.respond(202, Headers.of("Location", path + fresh), NOTHING);
            }
            case "PATCH" -> {
                var into = session(session);
                exchange.body().transferTo(into);
                exchange.respond(202, Headers.of("Location", path, "Range", "0-" + Math.max(0, into.size() - 1)), NOTHING);
            }
            case "GET" -> {
                var into = uploads.get(session);
                if (into == null) {
                    refuse(exchange, 404, "BLOB_UPLOAD_UNKNOWN", "gone");
                    return;
                }
                exchange.respond(204, Headers.of("Location", path, "Range", "0-" + Math.max(0, into.size() - 1)), NOTHING);
            }
            case "PUT" -> {
                var into = session(session);
                uploads.remove(session);
                exchange.body().transferTo(into);
                var digest = Digest.parse(exchange.query().first("digest").orElse(""));
                if (!digest.matches(into.toByteArray())) {
                    refuse(exchange, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
                    return;
                }
                blobs.put(digest, into.toByteArray());
                exchange.respond(201, Headers.NONE, NOTHING);
            }
            default -> {
                uploads.remove(session);
                exchange.respond(204, Headers.NONE, NOTHING);
            }
        }
    }

    /// What an upload session has so far.
    ByteArrayOutputStream session(String name) {
        return java.util.Objects.requireNonNull(uploads.get(name));
    }

    private boolean known(String digest) {
        return blobs.keySet().stream().anyMatch(blob -> blob.toString().equals(digest));
    }

    @Override
    public void close() {
        server.close(Duration.ofSeconds(5));
    }
}
