package carafe.cli.client;

import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.ClientResponse;
import carafe.http.ConnectFailed;
import carafe.http.DuplexStream;
import carafe.http.HttpClient;
import carafe.http.Upgraded;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One engine, asked over Docker's API.
///
/// The newest version both know is found without a round trip: requests are sent as [#NEWEST], and only an engine that
/// refuses it as too new is asked for its own. Every request may be used by several threads at once.
public final class Engine implements AutoCloseable {

    /// The API version this client is written for.
    public static final String NEWEST = "1.50";

    private static final String AUTH = "X-Registry-Auth";
    private static final int LARGEST_ANSWER = 256 << 20;
    private static final int LARGEST_ERROR = 64 << 10;
    private static final Duration CONNECT = Duration.ofSeconds(30);

    private final Endpoint endpoint;
    private final HttpClient http;
    private final Starter starter;
    private final boolean pinned;
    private volatile String version;

    /// Talks to `endpoint`; `pinnedVersion` is the only version spoken unless it is empty.
    public Engine(Endpoint endpoint, Starter starter, String pinnedVersion) {
        this.endpoint = endpoint;
        this.http = new HttpClient(endpoint.address(), CONNECT);
        this.starter = starter;
        this.pinned = !pinnedVersion.isEmpty();
        this.version = pinned ? pinnedVersion : NEWEST;
    }

    /// The version spoken so far.
    public String version() {
        return version;
    }

    /// Where the engine is.
    public Endpoint endpoint() {
        return endpoint;
    }

    /// GETs a document.
    public Json get(Target target) throws EngineError, IOException {
        return json(send(versioned("GET", target)));
    }

    /// GETs an object.
    public Json.Obj fetchObject(Target target) throws EngineError, IOException {
        return object(get(target));
    }

    /// GETs whatever comes as bytes, endless maybe; the caller closes the answer.
    public ClientResponse open(Target target) throws EngineError, IOException {
        return send(versioned("GET", target));
    }

    /// POSTs without a body and waits for the end of the answer.
    public void post(Target target) throws EngineError, IOException {
        finish(send(versioned("POST", target)));
    }

    /// DELETEs and returns what was said about it.
    public Json delete(Target target) throws EngineError, IOException {
        return json(send(versioned("DELETE", target)));
    }

    /// POSTs a document and reads the object that answers it.
    public Json.Obj post(Target target, Json body) throws EngineError, IOException {
        return object(json(send(withBody(versioned("POST", target), body))));
    }

    /// POSTs a document and waits for the end of an answer that says nothing.
    public void tell(Target target, Json body) throws EngineError, IOException {
        finish(send(withBody(versioned("POST", target), body)));
    }

    /// POSTs and leaves the answer's body to be read; the caller closes it.
    public ClientResponse openPost(Target target) throws EngineError, IOException {
        return send(versioned("POST", target));
    }

    /// POSTs for the owner of registry credentials and leaves the answer's body to be read; the caller closes it.
    public ClientResponse openPost(Target target, String auth) throws EngineError, IOException {
        return send(versioned("POST", target).header(AUTH, auth));
    }

    /// GETs a document for the owner of registry credentials.
    public Json get(Target target, String auth) throws EngineError, IOException {
        return json(send(versioned("GET", target).header(AUTH, auth)));
    }

    /// GETs outside of Docker's API for the owner of registry credentials.
    public Json.Obj fetchOwn(Target target, String auth) throws EngineError, IOException {
        return object(json(send(ClientRequest.get(target.toString()).header(AUTH, auth))));
    }

    /// POSTs outside of Docker's API for the owner of registry credentials.
    public Json.Obj postOwn(Target target, Json body, String auth) throws EngineError, IOException {
        return object(json(send(withBody(ClientRequest.of("POST", target.toString()), body).header(AUTH, auth))));
    }

    /// POSTs outside of Docker's API and leaves the answer's body to be read; the caller closes it.
    public ClientResponse openPostOwn(Target target, Json body) throws EngineError, IOException {
        return send(withBody(ClientRequest.of("POST", target.toString()), body));
    }

    /// POSTs a tar archive as it is read; the caller closes the answer.
    public ClientResponse upload(Target target, InputStream archive) throws EngineError, IOException {
        return upload(target, "application/x-tar", archive);
    }

    /// POSTs bytes of some type as they are read; the caller closes the answer.
    public ClientResponse upload(Target target, String type, InputStream body) throws EngineError, IOException {
        agree(); // a stream cannot be sent twice
        return send(versioned("POST", target).body(type, body));
    }

    /// PUTs a tar archive as it is read; the caller closes the answer.
    public ClientResponse put(Target target, InputStream archive) throws EngineError, IOException {
        agree(); // a stream cannot be sent twice
        return send(versioned("PUT", target).body("application/x-tar", archive));
    }

    /// Asks for the head of an answer only; the caller closes it.
    public ClientResponse head(Target target) throws EngineError, IOException {
        return send(versioned("HEAD", target));
    }

    /// POSTs a tar archive outside of Docker's API; the caller closes the answer.
    public ClientResponse uploadOwn(Target target, InputStream archive) throws EngineError, IOException {
        return send(ClientRequest.of("POST", target.toString()).body("application/x-tar", archive));
    }

    /// POSTs without a body outside of Docker's API.
    public void postOwn(Target target) throws EngineError, IOException {
        finish(send(ClientRequest.of("POST", target.toString())));
    }

    /// GETs bytes outside of Docker's API; the caller closes the answer.
    public ClientResponse openOwn(Target target) throws EngineError, IOException {
        return send(ClientRequest.get(target.toString()));
    }

    /// POSTs outside of Docker's API, so without a version.
    public Json.Obj postOwn(Target target, Json body) throws EngineError, IOException {
        return object(json(send(withBody(ClientRequest.of("POST", target.toString()), body))));
    }

    /// GETs outside of Docker's API, so without a version.
    public Json.Obj fetchOwn(Target target) throws EngineError, IOException {
        return object(json(send(ClientRequest.get(target.toString()))));
    }

    /// POSTs and takes the connection over; the caller closes it.
    public DuplexStream hijack(Target target, @Nullable Json body) throws EngineError, IOException {
        Upgraded upgraded = upgrade(target, body);
        if (upgraded instanceof Upgraded.Refused refused) {
            EngineError error = error(refused.response());
            if (!isTooNew(error)) {
                throw error;
            }
            agree();
            upgraded = upgrade(target, body);
        }
        if (upgraded instanceof Upgraded.Switched switched) {
            return switched.stream();
        }
        throw error(((Upgraded.Refused) upgraded).response());
    }

    /// Finds the version both know, by asking.
    public void agree() throws EngineError, IOException {
        if (pinned) {
            return;
        }
        try (var response = send(ClientRequest.get("/_ping"))) {
            String theirs = response.headers().first("Api-Version").orElse("1.24");
            response.readBody(LARGEST_ERROR);
            version = minor(theirs) < minor(NEWEST) ? theirs : NEWEST;
        }
    }

    private ClientResponse send(ClientRequest request) throws EngineError, IOException {
        ClientResponse response = connected(request);
        if (response.status() >= 400) {
            EngineError error = error(response);
            if (!request.target().startsWith("/v") || !isTooNew(error)) {
                throw error;
            }
            agree();
            String bare = request.target().substring(request.target().indexOf('/', 1));
            response = connected(
                    new ClientRequest(request.method(), "/v" + version + bare, request.headers(), request.body()));
            if (response.status() >= 400) {
                throw error(response);
            }
        }
        return response;
    }

    private ClientResponse connected(ClientRequest request) throws IOException {
        try {
            return http.send(request);
        } catch (ConnectFailed e) {
            start(e);
        }
        try {
            return http.send(request);
        } catch (ConnectFailed e) {
            throw unreachable(e);
        }
    }

    private Upgraded upgrade(Target target, @Nullable Json body) throws IOException {
        var request = versioned("POST", target);
        try {
            return http.upgrade(body == null ? request.header("Content-Type", "text/plain") : withBody(request, body), "tcp");
        } catch (ConnectFailed e) {
            throw unreachable(e);
        }
    }

    private void start(ConnectFailed cause) throws IOException {
        if (!endpoint.isOwn() || !starter.start(endpoint.address())) {
            throw unreachable(cause);
        }
    }

    private Unreachable unreachable(ConnectFailed cause) {
        String why = cause.getMessage() == null ? "" : cause.getMessage().toLowerCase(Locale.ROOT);
        String reason = why.contains("no such file") ? "no such file"
                : why.contains("refused") ? "connection refused"
                : why.contains("permission denied") ? "permission denied" : String.valueOf(cause.getMessage());
        if (reason.equals("permission denied")) {
            return new Unreachable("cannot reach the engine at " + endpoint.shown() + " (permission denied)\n"
                    + "  try:  run as root, or join the group that owns the socket");
        }
        return new Unreachable("cannot reach the engine at " + endpoint.shown() + " (" + reason + "): is it running?"
                + (endpoint.address() instanceof Address.Unix ? "\n  try:  start it with: carafed -H " + endpoint.shown() : ""));
    }

    private ClientRequest versioned(String method, Target target) {
        return ClientRequest.of(method, "/v" + version + target);
    }

    private static ClientRequest withBody(ClientRequest request, Json body) {
        return request.body("application/json", body.printBytes());
    }

    private boolean isTooNew(EngineError error) {
        return !pinned && error.getMessage() != null && error.getMessage().contains("is too new");
    }

    private EngineError error(ClientResponse response) throws IOException {
        try (response) {
            byte[] body = response.readBody(LARGEST_ERROR);
            String text = new String(body, StandardCharsets.UTF_8).strip();
            try {
                text = Json.parseObject(body).text("message", text);
            } catch (EngineException.Invalid e) {
                text = text.isEmpty() ? "request returned status " + response.status() : text; // not ours to read
            }
            return new EngineError(response.status(), text);
        }
    }

    private static Json json(ClientResponse response) throws IOException {
        try (response) {
            byte[] body = response.readBody(LARGEST_ANSWER);
            return body.length == 0 ? Json.NULL : Json.parse(body);
        } catch (EngineException.Invalid e) {
            throw new IOException("the engine's answer is no JSON: " + e.getMessage(), e);
        }
    }

    private static Json.Obj object(Json json) throws IOException {
        if (json instanceof Json.Obj object) {
            return object;
        }
        throw new IOException("the engine's answer is no JSON object");
    }

    private static void finish(ClientResponse response) throws IOException {
        try (response) {
            response.readBody(LARGEST_ERROR);
        }
    }

    private static int minor(String version) {
        try {
            return Integer.parseInt(version, version.indexOf('.') + 1, version.length(), 10);
        } catch (NumberFormatException e) {
            return 24; // what an engine speaks that does not say
        }
    }

    /// Closes idle connections.
    @Override
    public void close() {
        http.close();
    }
}
