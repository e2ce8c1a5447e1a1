package carafe.cli.command;

import carafe.cli.client.Endpoint;
import carafe.cli.client.EndpointException;
import carafe.cli.client.Endpoints;
import carafe.cli.client.Engine;
import carafe.cli.client.Starter;
import carafe.cli.credential.Credentials;
import carafe.cli.flag.Flags;
import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One call of a command: its session, its flags and words, and the engine once it is needed.
final class Call implements AutoCloseable {

    private static final int LARGEST_SETTINGS = 4 << 20;

    private final Session session;
    private final Command command;
    private final Endpoints.Wanted wanted;
    private final Starter starter;
    private @Nullable Engine engine;
    private Json.@Nullable Obj settings;

    Call(Session session, Command command, Endpoints.Wanted wanted, Starter starter) {
        this.session = session;
        this.command = command;
        this.wanted = wanted;
        this.starter = starter;
    }

    Session session() {
        return session;
    }

    Command command() {
        return command;
    }

    /// What starts engines, and may know the only one.
    Starter starter() {
        return starter;
    }

    Flags flags() {
        return command.flags();
    }

    List<String> words() {
        return command.flags().words();
    }

    String word(int at) {
        return command.flags().words().get(at);
    }

    /// The engine the global flags and the environment name.
    Engine engine() throws Failure {
        if (engine == null) {
            Endpoint endpoint;
            try {
                var chosen = Endpoints.choose(wanted, session);
                endpoint = starter.only().map(only -> new Endpoint(only, chosen.shown(), false)).orElse(chosen);
            } catch (EndpointException e) {
                throw new Failure(1, "Failed to initialize: " + e.getMessage());
            }
            String pinned = session.variable("CARAFE_API_VERSION");
            pinned = pinned.isEmpty() ? session.variable("DOCKER_API_VERSION") : pinned;
            engine = new Engine(endpoint, starter, pinned.startsWith("v") ? pinned.substring(1) : pinned);
        }
        return engine;
    }

    /// The user's settings, `config.json` of his configuration directory; empty when there is none.
    Json.Obj settings() {
        if (settings == null) {
            settings = Json.object().build();
            Path file = Endpoints.configDirectory(wanted, session).resolve("config.json");
            if (session.files().exists(file)) {
                try (InputStream in = session.files().read(file)) {
                    settings = Json.parseObject(in.readNBytes(LARGEST_SETTINGS));
                } catch (IOException | EngineException.Invalid e) {
                    session.say("WARNING: Error loading config file: " + file + ": " + e.getMessage());
                }
            }
        }
        return settings;
    }

    /// A text of the user's settings; empty when it is not there.
    String setting(String name) {
        try {
            return settings().text(name);
        } catch (EngineException.Invalid e) {
            return "";
        }
    }

    /// The user's credentials for registries.
    Credentials credentials() {
        return new Credentials(session, Endpoints.configDirectory(wanted, session));
    }

    /// The directory of the user's settings.
    Path settingsDirectory() {
        return Endpoints.configDirectory(wanted, session);
    }

    /// The context's name, for `version`.
    String context() {
        for (var name : new String[] {wanted.context(), session.variable("CARAFE_CONTEXT"), session.variable("DOCKER_CONTEXT")}) {
            if (!name.isEmpty()) {
                return name;
            }
        }
        return "default";
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
        }
    }
}
