package carafe.http;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/// The certificates that we show to servers, remembering which connections were asked for one in vain: a server that wants
/// one may end the connection much later, and without saying why (TLS 1.3).
final class OwnCertificates extends X509ExtendedKeyManager {

    private final @Nullable X509KeyManager known;
    private final Set<Socket> inVain = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /// `known` has them; null: there are none.
    OwnCertificates(@Nullable X509KeyManager known) {
        this.known = known;
    }

    /// Whether the server at the other end asked for a certificate and got none.
    boolean inVain(Socket socket) {
        return inVain.contains(socket);
    }

    @Override
    public @Nullable String chooseClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
        String alias = known == null ? null : known.chooseClientAlias(types, issuers, socket);
        if (alias == null && socket != null) {
            inVain.add(socket);
        }
        return alias;
    }

    @Override
    public String @Nullable [] getClientAliases(String type, Principal @Nullable [] issuers) {
        return known == null ? null : known.getClientAliases(type, issuers);
    }

    @Override
    public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
        return null; // a client's only
    }

    @Override
    public @Nullable String chooseServerAlias(String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        return known == null ? null : known.getCertificateChain(alias);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        return known == null ? null : known.getPrivateKey(alias);
    }
}
