package carafe.http;

import static carafe.http.TestServer.TEXT;
import static carafe.http.TestServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// TLS with and without client certificates. The certificates are made by the JDK's keytool.
@Timeout(60)
class TlsTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private static Path directory;

    private static final Handler HANDLER = exchange -> {
        if (exchange.upgradeProtocol().isPresent()) {
            try (var stream = exchange.upgrade(Headers.NONE)) {
                stream.output().write(stream.input().readAllBytes());
                stream.output().write(bytes(" and more"));
            }
        } else {
            exchange.respond(200, TEXT, bytes("secret"));
        }
    };

    @BeforeAll
    static void makeCertificates() throws Exception {
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=authority", "-ext", "bc:c", "-keyalg", "EC");
        keytool("-genkeypair", "-alias", "server", "-dname", "CN=server", "-keyalg", "EC", "-signer", "ca",
                "-ext", "san=ip:127.0.0.1");
        keytool("-genkeypair", "-alias", "client", "-dname", "CN=client", "-keyalg", "RSA", "-signer", "ca",
                "-keysize", "2048");
        keytool("-genkeypair", "-alias", "stranger", "-dname", "CN=stranger", "-keyalg", "EC");
        var store = KeyStore.getInstance(directory.resolve("store").toFile(), PASSWORD);
        for (String alias : List.of("ca", "server", "client", "stranger")) {
            var pem = new StringBuilder();
            for (Certificate certificate : store.getCertificateChain(alias)) {
                pem.append(block("CERTIFICATE", certificate.getEncoded()));
            }
            Files.writeString(directory.resolve(alias + ".pem"), pem);
            byte[] key = store.getKey(alias, PASSWORD).getEncoded();
            Files.writeString(directory.resolve(alias + ".key"), block("PRIVATE KEY", key));
        }
    }

    private static void keytool(String... arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("-keystore", directory.resolve("store").toString(), "-storepass", "changeit"));
        var tool = new ProcessBuilder(command).redirectErrorStream(true).start();
        assertThat(new String(tool.getInputStream().readAllBytes())).doesNotContain("error");
        assertThat(tool.waitFor()).isZero();
    }

    private static String block(String label, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
    }

    private static TlsFiles files(String own, boolean verify) {
        return new TlsFiles(
                Optional.of(directory.resolve("ca.pem")),
                own.isEmpty() ? Optional.empty() : Optional.of(directory.resolve(own + ".pem")),
                own.isEmpty() ? Optional.empty() : Optional.of(directory.resolve(own + ".key")),
                verify);
    }

    private static TestServer server(boolean verify) throws IOException {
        return new TestServer(ServerLimits.DEFAULTS, Optional.of(files("server", verify)), HANDLER);
    }

    private static HttpClient client(TestServer server, TlsFiles files) {
        var address = new Address.Tcp("127.0.0.1", server.tcp.port(), Optional.of(files));
        return new HttpClient(address, Duration.ofSeconds(10));
    }

    private static String get(HttpClient client) throws IOException {
        return new String(client.send(ClientRequest.get("/")).readBody(1000));
    }

    @Test
    void bothSidesProveThemselves() throws IOException {
        try (var server = server(true);
                var client = client(server, files("client", true))) {
            assertThat(get(client)).isEqualTo("secret");
            assertThat(get(client)).isEqualTo("secret");
            assertThat(server.server.connections()).isEqualTo(1);
        }
    }

    @Test
    void aClientWithoutOrWithAStrangersCertificateGetsNothing() throws IOException {
        try (var server = server(true)) {
            for (String own : List.of("", "stranger")) {
                try (var client = client(server, files(own, true))) {
                    assertThatThrownBy(() -> get(client)).isInstanceOf(IOException.class);
                }
            }
        }
    }

    @Test
    void aServerIsBelievedOnlyIfItsAuthorityAndNameAreRight() throws IOException {
        var strangersOnly = new TlsFiles(
                Optional.of(directory.resolve("stranger.pem")), Optional.empty(), Optional.empty(), true);
        try (var server = server(false)) {
            try (var client = client(server, strangersOnly)) {
                assertThatThrownBy(() -> get(client))
                        .isInstanceOf(ConnectFailed.class)
                        .hasMessageContaining("the TLS handshake failed: ");
            }
            var byName = new Address.Tcp("localhost", server.tcp.port(), Optional.of(files("", true)));
            try (var client = new HttpClient(byName, Duration.ofSeconds(10))) {
                assertThatThrownBy(() -> get(client)).hasMessageContaining("localhost");
            }
            try (var client = client(server, files("", false))) {
                assertThat(get(client)).isEqualTo("secret");
            }
        }
    }

    @Test
    void anOriginIsBelievedByAuthoritiesBesideTheHostsOwn() throws IOException {
        var pair = new Trust.Pair(directory.resolve("client.pem"), directory.resolve("client.key"));
        var known = new Trust(List.of(directory.resolve("stranger.pem"), directory.resolve("ca.pem")), List.of(pair), true);
        try (var server = server(true)) {
            try (var client = origin(server, known)) {
                assertThat(get(client)).isEqualTo("secret");
            }
            try (var client = origin(server, Trust.ofHost())) {
                assertThatThrownBy(() -> get(client))
                        .isInstanceOf(ConnectFailed.class)
                        .hasMessageStartingWith("cannot connect to https://127.0.0.1:" + server.tcp.port()
                                + ": the TLS handshake failed: ");
            }
            try (var client = origin(server, new Trust(List.of(), List.of(pair), false))) {
                assertThat(get(client)).isEqualTo("secret");
            }
        }
    }

    private static HttpClient origin(TestServer server, Trust trust) {
        var dial = new Dial(Duration.ofSeconds(10), Duration.ofSeconds(10), Optional.empty(), trust, 1);
        return HttpClient.of(new Origin(true, "127.0.0.1", server.tcp.port()), dial);
    }

    @Test
    void rawStreamsHalfCloseUnderTls() throws IOException {
        try (var server = server(true);
                var client = client(server, files("client", true))) {
            var data = new byte[1 << 20];
            Arrays.fill(data, (byte) 'd');
            var switched = (Upgraded.Switched) client.upgrade(ClientRequest.of("POST", "/"), "tcp");
            try (var stream = switched.stream()) {
                stream.output().write(data);
                stream.shutdownOutput();
                assertThat(stream.input().readNBytes(data.length)).isEqualTo(data);
                assertThat(stream.input().readAllBytes()).isEqualTo(bytes(" and more"));
            }
        }
    }

    @Test
    void aClientThatSpeaksInClearIsDroppedAndOneThatSaysNothingTimesOut() throws IOException {
        var brief = Duration.ofMillis(100);
        var limits = new ServerLimits(1000, 1000, 9, brief, Duration.ofSeconds(5), brief);
        try (var server = new TestServer(limits, Optional.of(files("server", false)), HANDLER);
                var clear = server.connectTcp();
                var silent = server.connectTcp()) {
            assertThat(clear.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").restText()).doesNotContain("HTTP", "secret");
            assertThat(silent.rest()).isEmpty();
        }
    }

    @Test
    void olderFormsOfKeysAreRead() throws Exception {
        for (String algorithm : List.of("EC", "Ed25519")) {
            var key = KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate();
            assertThat(Pem.parse("k", block("PRIVATE KEY", key.getEncoded())).privateKey()).isEqualTo(key);
        }
        var rsa = Pem.read(directory.resolve("client.key")).privateKey();
        byte[] bare = Arrays.copyOfRange(rsa.getEncoded(), 26, rsa.getEncoded().length); // behind PKCS#8's envelope
        assertThat(Pem.parse("k", block("RSA PRIVATE KEY", bare)).privateKey()).isEqualTo(rsa);
        // openssl ecparam -genkey: the parameters come first, the key names its curve
        String sec1 = "30770201010420" + "11".repeat(32) + "a00a06082a8648ce3d030107a14403420004"
                + "0217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed"
                + "194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794";
        String text = block("EC PARAMETERS", new byte[] {6, 8})
                + block("EC PRIVATE KEY", HexFormat.of().parseHex(sec1));
        assertThat(Pem.parse("k", text).privateKey().getAlgorithm()).isEqualTo("EC");
    }

    @Test
    void filesThatAreOfNoUseAreNamed() throws IOException {
        Path ca = directory.resolve("ca.pem");
        Path empty = Files.writeString(directory.resolve("empty"), "nothing");
        Path locked = Files.writeString(directory.resolve("locked"), block("ENCRYPTED PRIVATE KEY", new byte[9]));
        Path none = directory.resolve("none");
        assertThatThrownBy(() -> Pem.read(empty).certificates()).hasMessage(empty + " holds no certificate");
        assertThatThrownBy(() -> Pem.read(ca).privateKey()).hasMessage(ca + " holds no private key");
        assertThatThrownBy(() -> Pem.read(none)).hasMessage(none + " does not exist");
        assertThatThrownBy(() -> Pem.read(locked).privateKey())
                .hasMessage(locked + " is protected by a passphrase; decrypt it with: openssl pkey");
        assertThatThrownBy(() -> TlsContexts.server(files("", false)))
                .hasMessage("TLS needs a certificate and a key: --tlscert and --tlskey");
    }
}
