package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Headers;
import carafe.http.Origin;
import carafe.http.TlsFiles;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the host's owner says: proxies, certificates, hosts without proof; and what servers say about credentials.
@Timeout(60)
class ConfigTest {

    @TempDir
    private Path directory;

    @Test
    void proxiesAreChosenByHost() throws Exception {
        var proxies = Proxies.of(Map.of("HTTP_PROXY", "http://p:3128", "https_proxy", "u:w@q", "NO_PROXY",
                ".inner.example, plain.example,10.0.0.0/8,with.port:5000"));
        assertThat(proxies.to(Origin.parse(false, "far.example")).orElseThrow().host()).isEqualTo("p");
        assertThat(proxies.to(Origin.parse(true, "far.example")).orElseThrow().authorization()).isPresent();
        for (String near : List.of("a.inner.example", "plain.example", "sub.plain.example", "10.1.2.3:5000", "localhost",
                "127.3.3.3:80", "[::1]:5000", "with.port:5000")) {
            assertThat(proxies.to(Origin.parse(true, near))).as(near).isEmpty();
        }
        for (String far : List.of("inner.example", "11.1.2.3", "with.port:5001", "explain.example")) {
            assertThat(proxies.to(Origin.parse(true, far))).as(far).isPresent();
        }
        assertThat(Proxies.of("http://p", "", "*").to(Origin.parse(false, "x"))).isEmpty();
        assertThatThrownBy(() -> Proxies.of("socks5://p", "", "")).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void rangesCoverAddresses() {
        assertThat(HostRange.covers("192.168.0.0/16", "192.168.7.7")).isTrue();
        assertThat(HostRange.covers("192.168.0.0/16", "192.169.0.0")).isFalse();
        assertThat(HostRange.covers("fd00::/8", "fd12::1")).isTrue();
        assertThat(HostRange.covers("0.0.0.0/0", "name.example")).isFalse();
        assertThat(HostRange.covers("10.0.0.0/99", "10.0.0.0")).isFalse();
        assertThat(HostRange.covers("10.0.0.0/x", "10.0.0.0")).isFalse();
    }

    @Test
    void challengesAreRead() {
        assertThat(Challenge.parse(List.of("Bearer realm=\"https://a/t\",service=\"s\\\"x\", scope=\"a:b:c,d e\"")))
                .containsExactly(new Challenge("bearer",
                        Map.of("realm", "https://a/t", "service", "s\"x", "scope", "a:b:c,d e")));
        assertThat(Challenge.parse(List.of("Negotiate, Basic realm=r", "Bearer realm=\"x\"")).stream()
                .map(Challenge::scheme)).containsExactly("negotiate", "basic", "bearer");
        for (String broken : List.of("", ",", "=", "Bearer realm=", "Bearer realm=\"", "\"", "a=b=c", "x".repeat(9000))) {
            assertThat(Challenge.parse(List.of(broken))).hasSizeLessThan(3);
        }
    }

    @Test
    void onlyHostsWithoutNeedOfProofMaySpeakInClear() throws Exception {
        var config = new RegistryConfig(List.of("open.example:5000", "10.0.0.0/8"), Map.of(), Optional.empty(), List.of(directory),
                Proxies.NONE, TestRegistry.BRIEF, "t");
        try (var clients = new Clients(config, TestRegistry.waiting())) {
            assertThat(Endpoint.own("open.example:5000", clients).origins()).hasSize(2);
            assertThat(Endpoint.own("10.2.3.4", clients).origins()).hasSize(2);
            assertThat(Endpoint.own("localhost:5000", clients).origins()).hasSize(2);
            assertThat(Endpoint.own("open.example:5001", clients).origins()).hasSize(1);
            assertThat(Endpoint.own("docker.io", clients).origins())
                    .containsExactly(new Origin(true, "registry-1.docker.io", 443));
            Files.createDirectory(directory.resolve("localhost:5001"));
            assertThat(Endpoint.own("localhost:5001", clients).origins()).hasSize(1);
        }
        for (String wrong : List.of("ftp://m", "http://", "http://u:p@m", "m", "http://m?x")) {
            try (var clients = new Clients(new RegistryConfig(List.of(), Map.of("docker.io", List.of(wrong)), Optional.empty(), List.of(),
                    Proxies.NONE, TestRegistry.BRIEF, "t"), TestRegistry.waiting())) {
                assertThatThrownBy(() -> Endpoint.of("docker.io", clients)).as(wrong)
                        .isInstanceOf(EngineException.Invalid.class);
            }
        }
    }

    @Test
    void certificatesOfAHostAreFoundAndCounted() throws Exception {
        try (var registry = new TestRegistry(Optional.of(demanding()))) {
            registry.image("app", "1");
            Path certs = directory.resolve("certs.d");
            Path host = Files.createDirectories(certs.resolve(registry.host()));
            Files.copy(directory.resolve("ca.pem"), host.resolve("ca.crt"));
            Files.copy(directory.resolve("client.pem"), host.resolve("client.cert"));
            assertThatThrownBy(() -> fetch(certs, registry)).hasMessageContaining("missing key client.key");
            Files.copy(directory.resolve("client.key"), host.resolve("client.key"));
            fetch(certs, registry);
            Files.delete(host.resolve("ca.crt"));
            Files.copy(directory.resolve("server.pem"), host.resolve("other.crt"));
            Files.delete(host.resolve("client.cert"));
            try (var client = client(certs)) {
                assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Forbidden.class)
                        .hasMessageContaining(registry.host() + " asks for a client certificate, and there is none for it; put"
                                + " it and its key into " + host + " as client.cert and client.key");
                Files.copy(directory.resolve("client.pem"), host.resolve("client.cert"));
                fetch(client, registry); // without a restart
            }
            Files.delete(host.resolve("other.crt"));
            Files.copy(directory.resolve("client.pem"), host.resolve("alone.crt"));
            Files.writeString(host.resolve("alone.crt"), Files.readString(host.resolve("alone.crt"))
                    .replaceFirst("(?s)(-----END CERTIFICATE-----).*", "$1\n")); // the client's own, no authority
            assertThatThrownBy(() -> fetch(certs, registry)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("the TLS handshake failed");
        }
    }

    /// What a server needs that asks everybody for a certificate; beside it lies what its clients need.
    private TlsFiles demanding() throws Exception {
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=authority", "-ext", "bc:c", "-keyalg", "EC");
        for (String alias : List.of("server", "client")) {
            keytool("-genkeypair", "-alias", alias, "-dname", "CN=" + alias, "-keyalg", "EC", "-signer", "ca",
                    "-ext", "san=ip:127.0.0.1");
        }
        export();
        return new TlsFiles(Optional.of(directory.resolve("ca.pem")), Optional.of(directory.resolve("server.pem")),
                Optional.of(directory.resolve("server.key")), true);
    }

    /// Puts the certificate and the key called `alias` into `place` as ours.
    private void put(String alias, Path place) throws IOException {
        Files.createDirectories(place);
        Files.copy(directory.resolve(alias + ".key"), place.resolve("client.key"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(directory.resolve(alias + ".pem"), place.resolve("client.cert"), StandardCopyOption.REPLACE_EXISTING);
    }

    private static String advice(TestRegistry wants, Path place) {
        return wants.host() + " asks for a client certificate, and there is none for it; put it and its key into " + place;
    }

    @Test
    void aCertificateThatIsReplacedOrRemovedCountsAtOnceAndHalfOfOneDoesNot() throws Exception {
        keytool("-genkeypair", "-alias", "stranger", "-dname", "CN=stranger", "-keyalg", "EC");
        Path certs = directory.resolve("certs.d");
        try (var registry = new TestRegistry(Optional.of(demanding())); var client = client(certs)) {
            registry.image("app", "1");
            Path place = certs.resolve(registry.host());
            put("client", place);
            fetch(client, registry);
            String key = Files.readString(place.resolve("client.key"));
            Files.writeString(place.resolve("client.key"), key.substring(0, key.length() / 2));
            fetch(client, registry); // somebody is about to write it
            Files.delete(place.resolve("client.key"));
            fetch(client, registry);
            put("stranger", place);
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageContaining(advice(registry, place));
            put("client", place);
            fetch(client, registry);
            Files.delete(place.resolve("client.key"));
            Files.delete(place.resolve("client.cert"));
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageContaining(advice(registry, place));
            assertThatThrownBy(() -> client.login(new AuthConfig("ada", "secret", "", "", registry.host())))
                    .isInstanceOf(EngineException.Forbidden.class)
                    .hasMessage("login to " + registry.host() + ": " + advice(registry, place)
                            + " as client.cert and client.key, and the registry's authority as ca.crt");
        }
    }

    @Test
    void whoIsRedirectedIsToldWhichServerWantsACertificate() throws Exception {
        Path certs = directory.resolve("certs.d");
        try (var storage = new TestRegistry(Optional.of(demanding())); var registry = new TestRegistry();
                var client = client(certs)) {
            storage.image("app", "1");
            registry.fault("GET /v2/app/manifests/1", 99, exchange -> exchange.respond(307, Headers.of("Location",
                    "https://" + storage.host() + "/v2/app/manifests/1"), TestRegistry.NOTHING));
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageContaining(advice(storage, certs.resolve(storage.host())));
            put("client", certs.resolve(storage.host()));
            fetch(client, registry);
        }
    }

    /// Only its owner can mend it, so nothing is waited for.
    @Test
    void whatIsBrokenInCertsIsToldAtOnce() throws Exception {
        Path certs = directory.resolve("certs.d");
        var pauses = new ArrayList<Duration>();
        try (var registry = new TestRegistry(Optional.of(demanding()));
                var client = new Registries(new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(certs),
                        Proxies.NONE, TestRegistry.BRIEF, "t"), Clock.systemUTC(), pauses::add)) {
            Path place = certs.resolve(registry.host());
            put("client", place);
            Files.delete(place.resolve("client.key"));
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("missing key client.key for client certificate client.cert in " + place);
            put("client", place);
            Files.writeString(place.resolve("ca.crt"), "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n");
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining(place.resolve("ca.crt").toString());
            assertThat(pauses).isEmpty();
            Files.delete(place.resolve("ca.crt"));
            registry.image("app", "1");
            fetch(client, registry);
        }
    }

    /// The registry is sound, its token server's directory is not.
    @Test
    void aTokenServersBrokenCertsAreToldAtOnce() throws Exception {
        Path certs = directory.resolve("certs.d");
        var pauses = new ArrayList<Duration>();
        try (var tokens = new TestRegistry(Optional.of(demanding())); var registry = new TestRegistry();
                var client = new Registries(new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(certs),
                        Proxies.NONE, TestRegistry.BRIEF, "t"), Clock.systemUTC(), pauses::add)) {
            registry.demand("Bearer t", "Bearer realm=\"https://" + tokens.host() + "/token\",service=\"x\"");
            Path place = certs.resolve(tokens.host());
            put("client", place);
            Files.delete(place.resolve("client.key"));
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("cannot get a token for " + registry.host() + ": missing key client.key");
            assertThat(pauses).isEmpty();
        }
    }

    @Test
    void aTokenServerThatWantsACertificateIsNamed() throws Exception {
        Path certs = directory.resolve("certs.d");
        try (var tokens = new TestRegistry(Optional.of(demanding())); var registry = new TestRegistry();
                var client = client(certs)) {
            registry.image("app", "1");
            tokens.fault("GET /token", 9, exchange -> exchange.respond(200, Headers.NONE, "{\"token\":\"t\"}".getBytes()));
            registry.fault("GET /v2/app", 1, exchange -> exchange.respond(401, Headers.of("WWW-Authenticate",
                    "Bearer realm=\"https://" + tokens.host() + "/token\",service=\"x\""), TestRegistry.NOTHING));
            assertThatThrownBy(() -> fetch(client, registry)).isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageStartingWith("cannot get a token for " + registry.host() + ": "
                            + advice(tokens, certs.resolve(tokens.host())));
            put("client", certs.resolve(tokens.host()));
            fetch(client, registry);
            assertThat(registry.requests).contains("GET /v2/app/manifests/1 [Bearer t]");
        }
    }

    private static void fetch(Path certs, TestRegistry registry) throws Exception {
        try (var client = client(certs)) {
            fetch(client, registry);
        }
    }

    private static Registries client(Path certs) {
        return new Registries(new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(certs), Proxies.NONE,
                TestRegistry.BRIEF, "t"), Clock.systemUTC());
    }

    private static void fetch(Registries client, TestRegistry registry) throws Exception {
        client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE).fetch("1");
    }

    private void keytool(String... arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("-keystore", directory.resolve("store").toString(), "-storepass", "changeit"));
        var tool = new ProcessBuilder(command).redirectErrorStream(true).start();
        assertThat(new String(tool.getInputStream().readAllBytes())).doesNotContain("error");
        assertThat(tool.waitFor()).isZero();
    }

    private void export() throws Exception {
        char[] password = "changeit".toCharArray();
        var store = KeyStore.getInstance(directory.resolve("store").toFile(), password);
        for (String alias : Collections.list(store.aliases())) {
            var pem = new StringBuilder();
            for (var certificate : store.getCertificateChain(alias)) {
                pem.append(block("CERTIFICATE", certificate.getEncoded()));
            }
            Files.writeString(directory.resolve(alias + ".pem"), pem);
            Files.writeString(directory.resolve(alias + ".key"),
                    block("PRIVATE KEY", store.getKey(alias, password).getEncoded()));
        }
    }

    private static String block(String label, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
    }

    /// A server that asks for a certificate and goes on without one, to answer 400 as web servers do, after it has reset
    /// the first connections.
    private static boolean serve(ServerSocket listener, SSLContext context, int resets) throws IOException {
        try {
            for (int i = 0;; i++) {
                try (var socket = listener.accept()) {
                    var tls = (SSLSocket) context.getSocketFactory().createSocket(socket, "", 0, true);
                    tls.setUseClientMode(false);
                    tls.setWantClientAuth(true);
                    tls.startHandshake();
                    var request = new StringBuilder();
                    while (request.indexOf("\r\n\r\n") < 0) {
                        request.append((char) tls.getInputStream().read());
                    }
                    if (i < resets) {
                        socket.setSoLinger(true, 0); // closing resets
                        continue;
                    }
                    String status = known(tls) ? "404 Not Found" : "400 No required SSL certificate was sent";
                    tls.getOutputStream().write(("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
                    tls.close();
                }
            }
        } catch (IOException e) {
            if (listener.isClosed()) {
                return true; // the test is over
            }
            throw e;
        }
    }

    private static boolean known(SSLSocket tls) {
        try {
            return tls.getSession().getPeerCertificates().length > 0;
        } catch (SSLPeerUnverifiedException e) {
            return false;
        }
    }

    @Test
    void aResetIsNoWishForACertificateAndOneThatIsPutThereIsUsedAtOnce() throws Exception {
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=authority", "-ext", "bc:c", "-keyalg", "EC");
        for (String alias : List.of("server", "client")) {
            keytool("-genkeypair", "-alias", alias, "-dname", "CN=" + alias, "-keyalg", "EC", "-signer", "ca");
        }
        export();
        char[] password = "changeit".toCharArray();
        var store = KeyStore.getInstance(directory.resolve("store").toFile(), password);
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        Path certs = directory.resolve("certs.d");
        FutureTask<Boolean> server;
        try (var listener = new ServerSocket(0, 9, InetAddress.getLoopbackAddress()); var client = client(certs)) {
            server = new FutureTask<>(() -> serve(listener, context, 1));
            Thread.ofVirtual().start(server);
            String host = "127.0.0.1:" + listener.getLocalPort();
            var repository = client.repository(Reference.parse(host + "/app"), AuthConfig.NONE);
            assertThatThrownBy(() -> repository.fetch("1")).isInstanceOf(EngineException.Invalid.class);
            Path place = Files.createDirectories(certs.resolve(host));
            Files.copy(directory.resolve("client.key"), place.resolve("client.key"));
            Files.copy(directory.resolve("client.pem"), place.resolve("client.cert"));
            assertThatThrownBy(() -> repository.fetch("1")).isInstanceOf(EngineException.NotFound.class);
        }
        assertThat(server.get()).as("its server ended in order").isTrue();
    }
}
