package carafe.e2e;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Comparator;
import java.util.Map;

/// `carafe hub serve` on directories of its own.
final class HubUnderTest implements RegistryUnderTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    private final Path directory = Files.createTempDirectory("hub");
    private final String address;
    private final int port;
    private final boolean tls;
    private Session process;

    /// With users `alice` (everything) and `bob` (pulls `team/**`), password `pw`; everybody may pull `public/**`.
    static HubUnderTest withUsers(boolean tls) throws Exception {
        return new HubUnderTest(tls, Map.of("alice", "pw", "bob", "pw"),
                "{\"who\":[\"alice\"],\"namespace\":\"**\",\"may\":[\"admin\"]},"
                        + "{\"who\":[\"bob\"],\"namespace\":\"team/**\",\"may\":[\"pull\"]},"
                        + "{\"who\":[\"anonymous\"],\"namespace\":\"public/**\",\"may\":[\"pull\"]}");
    }

    /// Everybody may do everything.
    static HubUnderTest open() throws Exception {
        return new HubUnderTest(false, Map.of(),
                "{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":[\"admin\"]}");
    }

    /// Only [#USER] may do anything.
    static HubUnderTest closed() throws Exception {
        return new HubUnderTest(false, Map.of(USER, "secret"),
                "{\"who\":[\"" + USER + "\"],\"namespace\":\"**\",\"may\":[\"admin\"]}");
    }

    /// Everybody may do everything who shows the certificate `client.cert` of its [#directory], whose key is beside it.
    static HubUnderTest wantingCertificates() throws Exception {
        return new HubUnderTest(true, Map.of(), "{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":[\"admin\"]}", true);
    }

    private HubUnderTest(boolean tls, Map<String, String> passwords, String rights) throws Exception {
        this(tls, passwords, rights, false);
    }

    /// Only [#USER] may do anything; with TLS at another address of this machine than the loopback's, by a certificate of
    /// nobody's.
    static HubUnderTest distant(String address) throws Exception {
        return new HubUnderTest(true, Map.of(USER, "secret"),
                "{\"who\":[\"" + USER + "\"],\"namespace\":\"**\",\"may\":[\"admin\"]}", false, address);
    }

    private HubUnderTest(boolean tls, Map<String, String> passwords, String rights, boolean clients) throws Exception {
        this(tls, passwords, rights, clients, "127.0.0.1");
    }

    private HubUnderTest(boolean tls, Map<String, String> passwords, String rights, boolean clients, String address)
            throws Exception {
        this.tls = tls;
        this.address = address;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        String users = "";
        for (var user : passwords.entrySet()) {
            users += Command.of(Tools.ours("carafe").toString(), "hub", "password", user.getKey())
                    .stdin(user.getValue() + "\n").run().good().out();
        }
        Files.writeString(directory.resolve("htpasswd"), users);
        String place = "{\"address\":\"tcp://" + address + ":" + port + "\"";
        if (tls) {
            makeCertificate("hub", ".crt");
            Files.createDirectories(directory.resolve("trust"));
            Files.copy(directory.resolve("hub.crt"), directory.resolve("trust/ca.crt"));
            place += ",\"cert\":\"" + directory.resolve("hub.crt") + "\",\"key\":\"" + directory.resolve("hub.key") + "\"";
        }
        if (clients) {
            makeCertificate("client", ".cert");
            place += ",\"client-ca\":\"" + directory.resolve("client.cert") + "\"";
        }
        Files.writeString(directory.resolve("hub.json"), "{\"data\":\"" + directory.resolve("data")
                + "\",\"listen\":[" + place + "},\"unix://" + directory.resolve("hub.sock") + "\"],\"users\":\"" + directory.resolve("htpasswd")
                + "\",\"rights\":[" + rights + "]}");
        process = serve();
        Deadline.await("the hub listens", this::listens);
    }

    private Session serve() throws IOException {
        return Command.of(Tools.ours("carafe").toString(), "hub", "serve", "--config",
                directory.resolve("hub.json").toString()).start();
    }

    /// `kill -9`, then a start on what is left.
    void killAndStart() throws Exception {
        process.signal("KILL");
        process.await();
        process.close();
        process = serve();
        Deadline.await("the hub listens", this::listens);
    }

    private boolean listens() throws IOException {
        if (!process.running()) {
            throw new AssertionError("the hub did not start: " + process);
        }
        try (var _ = new Socket(address, port)) {
            return true;
        } catch (java.net.ConnectException e) {
            return false;
        }
    }

    private void makeCertificate(String name, String ending) throws Exception {
        Path store = directory.resolve("keys");
        String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Command.of(keytool, "-genkeypair", "-alias", name, "-dname", "CN=" + name, "-keyalg", "EC", "-ext",
                "san=ip:" + address, "-keystore", store.toString(), "-storepass", new String(PASSWORD), "-validity", "30")
                .run().good();
        var keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        Files.writeString(directory.resolve(name + ending), pem("CERTIFICATE", keys.getCertificate(name).getEncoded()));
        Files.writeString(directory.resolve(name + ".key"), pem("PRIVATE KEY", keys.getKey(name, PASSWORD).getEncoded()));
    }

    private static String pem(String kind, byte[] bytes) {
        return "-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + kind
                + "-----\n";
    }

    @Override
    public String host() {
        return address + ":" + port;
    }

    /// A place for the test's own files.
    Path directory() {
        return directory;
    }

    /// Debian's skopeo, with nothing of the host's settings.
    Command skopeo(String... words) {
        return new Skopeo(directory).command(words);
    }

    /// The words that make skopeo's `side` (`src`, `dest`, or empty) trust the hub.
    String trust(String side) {
        String prefix = side.isEmpty() ? "--" : "--" + side + "-";
        return tls ? prefix + "cert-dir=" + directory.resolve("trust") : prefix + "tls-verify=false";
    }

    /// The hub must end well.
    @Override
    public void close() throws IOException {
        if (!Files.exists(directory)) {
            return; // closed before
        }
        try {
            process.signal("TERM");
            process.await().good();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the hub ended", e);
        } finally {
            process.close();
            try (var files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
