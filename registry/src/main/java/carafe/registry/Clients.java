package carafe.registry;

import carafe.http.Address;
import carafe.http.CertificateWanted;
import carafe.http.Dial;
import carafe.http.HttpClient;
import carafe.http.Origin;
import carafe.http.Trust;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/// One HTTP client per origin, each with the trust and the proxy that the origin has; connections are kept and shared.
final class Clients implements AutoCloseable {

    private static final int IDLE_PER_ORIGIN = 8;
    private static final int MOST_ORIGINS = 256;

    private final RegistryConfig config;
    private final Waiting waiting;
    private final Certificates certificates;

    /// Guarded by itself, as is `closed`.
    private final Map<Origin, HttpClient> clients = new HashMap<>();

    /// Guarded by `clients`.
    private final Map<Path, HttpClient> sockets = new HashMap<>();

    /// Which of an endpoint's origins answers. Guarded by `clients`.
    private final Map<Endpoint, Origin> answering = new HashMap<>();

    /// What certs.d had for an origin when its client was made. Guarded by `clients`.
    private final Map<Origin, Map<Path, Certificates.Since>> made = new HashMap<>();

    private boolean closed;

    Clients(RegistryConfig config, Waiting waiting) {
        this.config = config;
        this.waiting = waiting;
        this.certificates = new Certificates(config);
    }

    RegistryConfig config() {
        return config;
    }

    Waiting waiting() {
        return waiting;
    }

    Certificates certificates() {
        return certificates;
    }

    /// The client for an origin; a new one when certs.d has something else for it than before, whoever asks: a registry,
    /// where it sends us on to, or who hands out its tokens. What cannot be used, such as a certificate whose key is not
    /// there yet, changes nothing.
    /// @throws Certificates.Unusable what certs.d has cannot be used, and there was nothing before
    HttpClient of(Origin origin) throws IOException {
        HttpClient known;
        synchronized (clients) {
            known = clients.get(origin);
        }
        Map<Path, Certificates.Since> state;
        Trust trust;
        try {
            state = certificates.state(origin);
            synchronized (clients) {
                if (known != null && state.equals(made.get(origin))) {
                    return known;
                }
            }
            trust = certificates.of(origin);
            if (origin.secure()) {
                trust.check();
            }
        } catch (IOException e) {
            if (known != null) {
                return known; // somebody is about to put files there, one after the other
            }
            throw new Certificates.Unusable(e);
        }
        var patience = config.patience();
        var client = HttpClient.of(origin, new Dial(patience.connect(), patience.stall(), config.proxies().to(origin), trust,
                IDLE_PER_ORIGIN));
        synchronized (clients) {
            if (closed) {
                throw new IOException("the registry client is closed");
            }
            if (clients.size() >= MOST_ORIGINS) { // redirects may lead anywhere
                clients.values().forEach(HttpClient::close);
                clients.clear();
                made.clear();
            }
            var other = clients.get(origin);
            if (other != null && state.equals(made.get(origin))) {
                client.close();
                return other; // somebody was faster
            }
            if (other != null) {
                other.close();
            }
            clients.put(origin, client);
            made.put(origin, state);
            return client;
        }
    }

    /// What to say to whoever asked for `what`, where a server wants a certificate of ours.
    EngineException.Forbidden refusal(String what, CertificateWanted wanted) {
        return new EngineException.Forbidden(what + ": " + wanted.getMessage() + "; "
                + config.certificateAdvice(wanted.origin().hostPort()));
    }

    /// Forgets whom we trust and who we are at an origin where TLS failed, so that what certs.d says is read anew for the
    /// next one who asks; connections in use go on.
    void failed(Origin origin, IOException failure) {
        boolean tls = CertificateWanted.in(failure).isPresent();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            tls |= cause instanceof SSLException;
        }
        if (!tls) {
            return;
        }
        synchronized (clients) {
            made.remove(origin);
            var gone = clients.remove(origin);
            if (gone != null) {
                gone.close();
            }
        }
    }

    /// The client for who listens at a socket of this host.
    HttpClient at(Path socket) throws IOException {
        synchronized (clients) {
            if (closed) {
                throw new IOException("the registry client is closed");
            }
            return sockets.computeIfAbsent(socket,
                    path -> HttpClient.of(new Address.Unix(path), config.patience().connect(), config.patience().stall()));
        }
    }

    /// The origin of an endpoint that answered last, if any did.
    Optional<Origin> answering(Endpoint endpoint) {
        synchronized (clients) {
            return Optional.ofNullable(answering.get(endpoint));
        }
    }

    /// Remembers the origin that answers.
    void answers(Endpoint endpoint, Origin origin) {
        synchronized (clients) {
            if (answering.size() >= MOST_ORIGINS) {
                answering.clear();
            }
            answering.put(endpoint, origin);
        }
    }

    /// Forgets it: it answers no more.
    void silent(Endpoint endpoint) {
        synchronized (clients) {
            answering.remove(endpoint);
        }
    }

    @Override
    public void close() {
        synchronized (clients) {
            closed = true;
            clients.values().forEach(HttpClient::close);
            clients.clear();
            sockets.values().forEach(HttpClient::close);
            sockets.clear();
        }
    }
}
