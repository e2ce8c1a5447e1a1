package carafe.http;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/// Makes TLS contexts from PEM files, with the JDK's own provider.
final class TlsContexts {

    private static final char[] NO_PASSWORD = {};

    private TlsContexts() {}

    /// For a server: its certificate and key, and the authority its clients must come from if it verifies.
    /// @throws IOException with a sentence naming the file
    static SSLContext server(TlsFiles files) throws IOException {
        if (files.cert().isEmpty() || files.key().isEmpty()) {
            throw new IOException("TLS needs a certificate and a key: --tlscert and --tlskey");
        }
        if (files.verify() && files.ca().isEmpty()) {
            throw new IOException("--tlsverify needs the authority of the clients' certificates: --tlscacert");
        }
        return context(keys(files), files.verify() ? trust(files.ca().get()) : null);
    }

    /// For a client: whom it trusts, and its own certificate if it has one.
    /// @throws IOException with a sentence naming the file
    static SSLContext client(TlsFiles files) throws IOException {
        TrustManager[] trust = null; // the system's authorities
        if (!files.verify()) {
            trust = trustingAll();
        } else if (files.ca().isPresent()) {
            trust = trust(files.ca().get());
        }
        return context(files.cert().isPresent() && files.key().isPresent() ? keys(files) : null, trust);
    }

    /// Believes every server.
    static TrustManager[] trustingAll() {
        return new TrustManager[] {new TrustAll()};
    }

    private static SSLContext context(KeyManager @Nullable [] keys, TrustManager @Nullable [] trust)
            throws IOException {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(keys, trust, new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
        }
    }

    private static KeyManager[] keys(TlsFiles files) throws IOException {
        Path certFile = files.cert().orElseThrow();
        Path keyFile = files.key().orElseThrow();
        var chain = Pem.read(certFile).certificates();
        var key = Pem.read(keyFile).privateKey();
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, NO_PASSWORD);
            store.setKeyEntry("own", key, NO_PASSWORD, chain.toArray(new X509Certificate[0]));
            var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(store, NO_PASSWORD);
            return managers.getKeyManagers();
        } catch (GeneralSecurityException e) {
            throw new IOException(keyFile + " and " + certFile + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static TrustManager[] trust(Path caFile) throws IOException {
        var authorities = Pem.read(caFile).certificates();
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, NO_PASSWORD);
            for (int i = 0; i < authorities.size(); i++) {
                store.setCertificateEntry("ca" + i, authorities.get(i));
            }
            var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(store);
            return managers.getTrustManagers();
        } catch (GeneralSecurityException e) {
            throw new IOException(caFile + " cannot be used: " + e.getMessage(), e);
        }
    }

    /// `--tls` without `--tlsverify`: encrypted, but to whom is not asked, as with Docker's client.
    private static final class TrustAll extends X509ExtendedTrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
