package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.TlsFiles;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Clock;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A registry with TLS that is not on the loopback, behind a proxy and without.
@Timeout(60)
class ProxyTest {

    @TempDir
    private Path directory;

    private TestRegistryAddress address;
    private TestRegistry registry;

    @BeforeEach
    void start() throws Exception {
        address = new TestRegistryAddress();
        boolean started = false;
        try {
            registry = new TestRegistry(address.toString(), Optional.of(certificate()));
            started = true;
        } finally {
            if (!started) {
                address.close();
            }
        }
        registry.image("app", "1", "layer".getBytes());
    }

    @AfterEach
    void stop() throws Exception {
        registry.close();
        address.close();
    }

    /// Signed by nobody but itself.
    private TlsFiles certificate() throws Exception {
        Path store = directory.resolve("store");
        var tool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-alias", "own", "-dname", "CN=own", "-keyalg", "EC", "-ext", "san=ip:" + address, "-keystore",
                store.toString(), "-storepass", "changeit").redirectErrorStream(true).start();
        assertThat(new String(tool.getInputStream().readAllBytes())).doesNotContain("error");
        assertThat(tool.waitFor()).isZero();
        var keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        Path pem = directory.resolve("own.pem");
        Path key = directory.resolve("own.key");
        Files.writeString(pem, block("CERTIFICATE", keys.getCertificate("own").getEncoded()));
        Files.writeString(key, block("PRIVATE KEY", keys.getKey("own", "changeit".toCharArray()).getEncoded()));
        return new TlsFiles(Optional.empty(), Optional.of(pem), Optional.of(key), false);
    }

    private static String block(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + label
                + "-----\n";
    }

    private Registries client(Proxies proxies, List<String> insecure) {
        return new Registries(new RegistryConfig(insecure, Map.of(), Optional.empty(), List.of(directory.resolve("certs.d")),
                proxies, TestRegistry.BRIEF, "t"), Clock.systemUTC());
    }

    private byte[] pull(Registries client) throws Exception {
        var repository = client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE);
        return repository.read(repository.fetch("1").manifest().layers().getFirst(), 100);
    }

    /// What a CONNECT proxy was asked, and how it lets through.
    private static final class Proxy implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final List<String> asked = new CopyOnWriteArrayList<>();
        private final String authorization;

        /// Lets through whoever shows `authorization`; everybody if that is empty.
        Proxy(String authorization) throws IOException {
            this.authorization = authorization;
            Thread.ofVirtual().start(this::accept);
        }

        int port() {
            return listener.getLocalPort();
        }

        private void accept() {
            while (!listener.isClosed()) {
                try {
                    var client = listener.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException e) {
                    return; // closed
                }
            }
        }

        private void serve(Socket client) {
            try (client) {
                var head = new StringBuilder();
                while (head.indexOf("\r\n\r\n") < 0) {
                    head.append((char) client.getInputStream().read());
                }
                String line = head.substring(0, head.indexOf("\r\n"));
                asked.add(line);
                if (!authorization.isEmpty() && head.indexOf("\r\nProxy-Authorization: " + authorization + "\r\n") < 0) {
                    say(client, "407 Proxy Authentication Required");
                    return;
                }
                String target = line.split(" ")[1];
                int colon = target.lastIndexOf(':');
                try (var far = new Socket(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)))) {
                    say(client, "200 Connection established");
                    var back = Thread.ofVirtual().start(() -> copy(far, client));
                    copy(client, far);
                    back.join();
                }
            } catch (IOException | InterruptedException e) {
                return; // one side has gone
            }
        }

        private static void say(Socket client, String status) throws IOException {
            client.getOutputStream().write(("HTTP/1.1 " + status + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        }

        private static void copy(Socket from, Socket to) {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
                to.shutdownOutput();
            } catch (IOException e) {
                return; // one side has gone
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    @Test
    void tlsGoesThroughAProxyThatConnects() throws Exception {
        try (var proxy = new Proxy(""); var client = client(Proxies.of(Map.of("HTTPS_PROXY",
                "http://127.0.0.1:" + proxy.port())), List.of(registry.host()))) {
            assertThat(pull(client)).isEqualTo("layer".getBytes());
            assertThat(proxy.asked).isNotEmpty().containsOnly("CONNECT " + registry.host() + " HTTP/1.1");
        }
    }

    @Test
    void aProxyIsShownItsUserAndNobodyElseIs() throws Exception {
        String header = "Basic " + Base64.getEncoder().encodeToString("eve:pa55".getBytes());
        Path kept = Files.createDirectories(directory.resolve("certs.d").resolve(registry.host()));
        Files.copy(directory.resolve("own.pem"), kept.resolve("ca.crt"));
        try (var proxy = new Proxy(header)) {
            String url = "127.0.0.1:" + proxy.port();
            try (var client = client(Proxies.of("", "http://eve:pa55@" + url, ""), List.of())) {
                assertThat(pull(client)).isEqualTo("layer".getBytes());
                assertThat(registry.requests).isNotEmpty().allMatch(request -> request.endsWith(" []"));
            }
            registry.requests.clear();
            for (String user : List.of("", "eve:wrong@")) {
                try (var client = client(Proxies.of("", "http://" + user + url, ""), List.of())) {
                    assertThatThrownBy(() -> pull(client)).isInstanceOf(EngineException.Unavailable.class)
                            .hasMessageContaining("proxy http://" + url + " refuses the way to " + registry.host()
                                    + ": HTTP/1.1 407 Proxy Authentication Required")
                            .hasMessageNotContaining("wrong");
                }
            }
            assertThat(registry.requests).isEmpty();
        }
    }

    @Test
    void whoNeedsNoProxyIsReachedWithoutOne() throws Exception {
        for (String direct : List.of(address.toString(), registry.host(), "198.18.0.0/15", "*")) {
            try (var proxy = new Proxy(""); var client = client(Proxies.of(Map.of("https_proxy",
                    "http://127.0.0.1:" + proxy.port(), "NO_PROXY", "other.example," + direct)), List.of(registry.host()))) {
                assertThat(pull(client)).as(direct).isEqualTo("layer".getBytes());
                assertThat(proxy.asked).as(direct).isEmpty();
            }
        }
    }

    @Test
    void aCertificateOfNobodysIsBelievedOnlyWhereItsHostIsInsecure() throws Exception {
        try (var client = client(Proxies.NONE, List.of())) {
            assertThatThrownBy(() -> pull(client)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("the TLS handshake failed");
            assertThat(registry.requests).isEmpty();
        }
        for (String insecure : List.of(registry.host(), address.toString(), "198.18.0.0/15")) {
            try (var client = client(Proxies.NONE, List.of(insecure))) {
                assertThat(pull(client)).as(insecure).isEqualTo("layer".getBytes());
            }
        }
        try (var client = client(Proxies.NONE, List.of("198.19.0.0/16", "other.example"))) {
            assertThatThrownBy(() -> pull(client)).isInstanceOf(EngineException.Unavailable.class);
        }
        Path kept = Files.createDirectories(directory.resolve("certs.d").resolve(registry.host()));
        Files.copy(directory.resolve("own.pem"), kept.resolve("ca.crt"));
        try (var client = client(Proxies.NONE, List.of())) {
            assertThat(pull(client)).isEqualTo("layer".getBytes());
        }
    }

    @Test
    void whereAHostIsInsecureClearIsSpokenToo() throws Exception {
        try (var clear = new TestRegistry(address.toString(), Optional.empty())) {
            var blob = clear.blob("clear".getBytes(), MediaTypes.OCI_LAYER);
            var name = Reference.parse(clear.host() + "/app");
            try (var client = client(Proxies.NONE, List.of(clear.host()))) {
                assertThat(client.repository(name, AuthConfig.NONE).read(blob, 100)).isEqualTo("clear".getBytes());
            }
            try (var client = client(Proxies.NONE, List.of())) {
                assertThatThrownBy(() -> client.repository(name, AuthConfig.NONE).read(blob, 100))
                        .isInstanceOf(EngineException.Unavailable.class);
            }
        }
    }
}
