package carafe.cli.client;

import carafe.cli.session.Session;
import carafe.http.Address;
import carafe.http.TlsFiles;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the engine a command means: `-c`, `-H`, then `CARAFE_HOST`, `CARAFE_CONTEXT`, `DOCKER_HOST`,
/// `DOCKER_CONTEXT`, else the socket where an engine of this host listens.
public final class Endpoints {

    /// Where an engine of this host listens.
    public static final String DEFAULT = "unix:///run/carafe/carafe.sock";

    private Endpoints() {}

    /// What the global flags said; empty texts were not given.
    public record Wanted(List<String> hosts, String context, String configDirectory, Tls tls) {

        /// What no global flag says.
        public static final Wanted NOTHING = new Wanted(List.of(), "", "", new Tls(false, false, "", "", ""));
    }

    /// The TLS flags.
    public record Tls(boolean on, boolean verify, String ca, String cert, String key) {}

    /// Chooses by flags and environment.
    /// @throws EndpointException a sentence for the user
    public static Endpoint choose(Wanted wanted, Session session) throws EndpointException {
        if (!wanted.context.isEmpty() && !wanted.hosts.isEmpty()) {
            throw new EndpointException("conflicting options: cannot specify both --host and --context");
        }
        if (wanted.hosts.size() > 1) {
            throw new EndpointException("Specify only one -H");
        }
        if (!wanted.hosts.isEmpty()) {
            return at(wanted.hosts.getFirst(), wanted, session, false);
        }
        String context = wanted.context;
        if (context.isEmpty()) {
            for (var prefix : new String[] {"CARAFE", "DOCKER"}) {
                if (!session.variable(prefix + "_HOST").isEmpty()) {
                    return at(session.variable(prefix + "_HOST"), wanted, session, false);
                }
                if (!session.variable(prefix + "_CONTEXT").isEmpty()) {
                    context = session.variable(prefix + "_CONTEXT");
                    break;
                }
            }
        }
        if (context.isEmpty() || context.equals("default")) {
            return at(DEFAULT, wanted, session, true);
        }
        return at(contextHost(context, wanted, session), wanted, session, false);
    }

    /// The directory of the user's settings.
    public static Path configDirectory(Wanted wanted, Session session) {
        return configDirectory(wanted.configDirectory, session.environment(), session.directory());
    }

    /// The same for whoever is in `directory`; `named` is empty or what the flag says.
    public static Path configDirectory(String named, Map<String, String> environment, Path directory) {
        String chosen = named;
        for (int i = 0; i < 2 && chosen.isEmpty(); i++) {
            chosen = environment.getOrDefault(i == 0 ? "CARAFE_CONFIG" : "DOCKER_CONFIG", "");
        }
        String home = environment.getOrDefault("HOME", "");
        return chosen.isEmpty() ? directory.resolve(home.isEmpty() ? "/root" : home).resolve(".docker")
                : directory.resolve(chosen);
    }

    private static Endpoint at(String host, Wanted wanted, Session session, boolean own) throws EndpointException {
        try {
            return new Endpoint(Address.parse(host, host.startsWith("unix:") ? Optional.empty() : tls(wanted, session)),
                    host, own);
        } catch (IllegalArgumentException e) {
            throw new EndpointException(String.valueOf(e.getMessage()));
        }
    }

    private static Optional<TlsFiles> tls(Wanted wanted, Session session) {
        boolean verify = wanted.tls.verify || !session.variable("CARAFE_TLS_VERIFY").isEmpty()
                || !session.variable("DOCKER_TLS_VERIFY").isEmpty();
        if (!verify && !wanted.tls.on) {
            return Optional.empty();
        }
        String named = session.variable("CARAFE_CERT_PATH");
        if (named.isEmpty()) {
            named = session.variable("DOCKER_CERT_PATH");
        }
        Path directory = named.isEmpty() ? configDirectory(wanted, session) : session.path(named);
        return Optional.of(new TlsFiles(
                file(wanted.tls.ca, directory.resolve("ca.pem"), session),
                file(wanted.tls.cert, directory.resolve("cert.pem"), session),
                file(wanted.tls.key, directory.resolve("key.pem"), session),
                verify));
    }

    private static Optional<Path> file(String named, Path otherwise, Session session) {
        if (!named.isEmpty()) {
            return Optional.of(session.path(named));
        }
        return session.files().exists(otherwise) ? Optional.of(otherwise) : Optional.empty();
    }

    /// The host of a context that `docker context create` stored.
    private static String contextHost(String name, Wanted wanted, Session session) throws EndpointException {
        Path meta = configDirectory(wanted, session).resolve("contexts/meta").resolve(sha256(name)).resolve("meta.json");
        String trouble = "unable to resolve docker endpoint: context \"" + name + "\": ";
        if (!session.files().exists(meta)) {
            throw new EndpointException(trouble + "context not found: open " + meta + ": no such file or directory");
        }
        try (InputStream in = session.files().read(meta)) {
            String host = Json.parseObject(in.readAllBytes()).object("Endpoints").object("docker").text("Host");
            if (host.isEmpty()) {
                throw new EndpointException(trouble + "it names no docker endpoint");
            }
            return host;
        } catch (IOException | EngineException.Invalid e) {
            throw new EndpointException(trouble + e.getMessage());
        }
    }

    private static String sha256(String text) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every Java has SHA-256
        }
    }
}
