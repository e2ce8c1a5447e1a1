package carafe.hub;

import carafe.hub.access.Users;
import carafe.http.Address;
import carafe.http.HttpClient;
import carafe.http.TlsFiles;
import carafe.image.CommitSteps;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A hub on a free loopback port, for tests of this room and of others. Made of what an operator would write: build it,
/// then [#start]. Without users anonymous may do everything; with users each may do what he is given.
public final class TestHub implements AutoCloseable {

    private final Path directory;
    private final Json.Builder document = Json.object();
    private final List<Json> rights = new ArrayList<>();
    private final Map<String, Json> keys = new TreeMap<>();
    private Optional<TestCertificate> certificate = Optional.empty();
    private boolean users;
    private Hub.Dial dial = mirrored -> {
        throw new EngineException.Invalid("no upstream in this test: " + mirrored.registry());
    };
    private Clock clock = Clock.systemUTC();
    private CommitSteps steps = CommitSteps.REAL;
    private @Nullable Hub hub;

    /// A hub that keeps everything in `directory`.
    public TestHub(Path directory) {
        this.directory = directory;
        directory.toFile().mkdirs();
    }

    /// Speaks TLS with a fresh certificate for `localhost` and 127.0.0.1; see [#authority].
    public TestHub tls() throws Exception {
        certificate = Optional.of(TestCertificate.make(directory));
        return this;
    }

    /// Adds a user who may do `rights` (`pull`, `push`, ...) in `namespace`.
    public TestHub user(String name, String password, String namespace, String... rights) throws IOException {
        Files.writeString(directory.resolve("htpasswd"), Users.line(name, password) + "\n",
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        users = true;
        return grant(name, namespace, rights);
    }

    /// Gives somebody (`*`, `anonymous`) rights.
    public TestHub grant(String who, String namespace, String... may) {
        rights.add(Json.object()
                .put("who", Json.ofTexts(List.of(who)))
                .put("namespace", namespace)
                .put("may", Json.ofTexts(List.of(may)))
                .build());
        return this;
    }

    /// Sets a key of the configuration.
    public TestHub with(String key, String json) throws EngineException.Invalid {
        keys.put(key, Json.parse(json));
        return this;
    }

    /// Reaches upstreams by `dial`.
    public TestHub upstreams(Hub.Dial dial) {
        this.dial = dial;
        return this;
    }

    /// Lives by `clock`.
    public TestHub clock(Clock clock) {
        this.clock = clock;
        return this;
    }

    /// Tells `steps` of everything that is made durable.
    public TestHub steps(CommitSteps steps) {
        this.steps = steps;
        return this;
    }

    /// Starts, on the same directory again after a [#close].
    public TestHub start() throws EngineException {
        var place = Json.object().put("address", "tcp://127.0.0.1:0");
        certificate.ifPresent(files ->
                place.put("cert", files.certificate().toString()).put("key", files.key().toString()));
        document.put("data", directory.resolve("hub").toString());
        document.put("listen", Json.ofAll(List.of(
                place.build(), Json.of("unix://" + directory.resolve("hub.sock")))));
        if (users) {
            document.put("users", directory.resolve("htpasswd").toString());
        } else if (rights.isEmpty()) {
            grant("anonymous", "**", "admin");
        }
        document.put("rights", Json.ofAll(rights));
        keys.forEach(document::put);
        hub = Hub.start(HubConfig.parse(document.build()), new Hub.Surroundings(dial, clock, Optional.empty(), steps));
        return this;
    }

    /// The running hub.
    public Hub hub() {
        return Objects.requireNonNull(hub, "not started");
    }

    /// `127.0.0.1:PORT`.
    public String host() {
        return "127.0.0.1:" + port();
    }

    /// The port it listens on.
    public int port() {
        return ((Address.Tcp) hub().addresses().getFirst()).port();
    }

    /// Its unix socket.
    public Path socket() {
        return directory.resolve("hub.sock");
    }

    /// The certificate of the authority that clients must trust, when it speaks TLS.
    public Optional<Path> authority() {
        return certificate.map(TestCertificate::authority);
    }

    /// A client of it.
    public HttpClient client() {
        Optional<TlsFiles> tls = authority()
                .map(ca -> new TlsFiles(Optional.of(ca), Optional.empty(), Optional.empty(), true));
        return new HttpClient(new Address.Tcp("127.0.0.1", port(), tls), Duration.ofSeconds(10));
    }

    @Override
    public void close() {
        hub().close();
    }
}
