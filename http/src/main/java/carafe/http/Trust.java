package carafe.http;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/// Whom a client of the web trusts and who it says it is: the host's authorities and `authorities` (PEM files) beside
/// them, the client certificate that fits what the server asks for, and whether the server must prove itself at all.
/// Files are read when first needed, and once.
public final class Trust {

    /// Where distributions keep the authorities that the host's owner trusts; without any, the JDK's own are used.
    private static final List<Path> BUNDLES = List.of(
            Path.of("/etc/ssl/certs/ca-certificates.crt"),
            Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
            Path.of("/etc/ssl/ca-bundle.pem"));

    private static final char[] NO_PASSWORD = {};

    private final List<Path> authorities;
    private final List<Pair> certificates;
    private final boolean verify;

    /// Both guarded by this.
    private @Nullable SSLContext context;
    private @Nullable OwnCertificates own;

    /// A client certificate and its key, PEM files.
    public record Pair(Path certificate, Path key) {}

    /// With `verify` false any server is believed, as for Docker's insecure registries.
    public Trust(List<Path> authorities, List<Pair> certificates, boolean verify) {
        this.authorities = List.copyOf(authorities);
        this.certificates = List.copyOf(certificates);
        this.verify = verify;
    }

    /// The host's authorities only.
    public static Trust ofHost() {
        return new Trust(List.of(), List.of(), true);
    }

    /// Reads the files now.
    /// @throws IOException with a sentence naming the file that cannot be used
    public void check() throws IOException {
        context();
    }

    boolean verify() {
        return verify;
    }

    /// @throws IOException with a sentence naming the file
    synchronized SSLContext context() throws IOException {
        var made = context;
        if (made == null) {
            try {
                made = SSLContext.getInstance("TLS");
                made.init(keys(), verify ? managers() : TlsContexts.trustingAll(), new SecureRandom());
            } catch (GeneralSecurityException e) {
                throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
            }
            context = made;
        }
        return made;
    }

    private javax.net.ssl.TrustManager[] managers() throws IOException, GeneralSecurityException {
        var trusted = new ArrayList<X509Certificate>();
        Optional<Path> bundle = BUNDLES.stream().filter(Files::isReadable).findFirst();
        if (bundle.isPresent()) {
            trusted.addAll(Pem.read(bundle.get()).certificates());
        } else {
            var jdk = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            jdk.init((KeyStore) null);
            for (var manager : jdk.getTrustManagers()) {
                if (manager instanceof javax.net.ssl.X509TrustManager known) {
                    trusted.addAll(List.of(known.getAcceptedIssuers()));
                }
            }
        }
        for (Path file : authorities) {
            trusted.addAll(Pem.read(file).certificates());
        }
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        for (int i = 0; i < trusted.size(); i++) {
            store.setCertificateEntry("ca" + i, trusted.get(i));
        }
        var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        return managers.getTrustManagers();
    }

    /// Whether the server at the other end asked for a certificate of ours and there is none for it.
    synchronized boolean askedInVain(Socket socket) {
        return own != null && own.inVain(socket);
    }

    private KeyManager[] keys() throws IOException, GeneralSecurityException {
        var made = new OwnCertificates(certificates.isEmpty() ? null : known());
        own = made;
        return new KeyManager[] {made};
    }

    private @Nullable X509KeyManager known() throws IOException, GeneralSecurityException {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        for (int i = 0; i < certificates.size(); i++) {
            var chain = Pem.read(certificates.get(i).certificate()).certificates();
            var key = Pem.read(certificates.get(i).key()).privateKey();
            store.setKeyEntry("own" + i, key, NO_PASSWORD, chain.toArray(new X509Certificate[0]));
        }
        var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, NO_PASSWORD);
        for (var manager : managers.getKeyManagers()) {
            if (manager instanceof X509KeyManager usable) {
                return usable;
            }
        }
        return null;
    }
}
