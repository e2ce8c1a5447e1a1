package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.credential.Credentials;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// `login` and `logout`: who the caller is at a registry. The engine asks the registry; the answer is kept in the
/// caller's own settings.
final class Login {

    private static final int LONGEST_LINE = 64 << 10;

    private final Call call;
    private final String key;
    private final Credentials credentials;

    private Login(Call call) {
        this.call = call;
        this.key = Credentials.key(call.words().isEmpty() ? "" : call.word(0));
        this.credentials = call.credentials();
    }

    static Command in(String path) {
        var command = Command.of(path, "[OPTIONS] [SERVER]",
                        "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.")
                .words(0, 1);
        var flags = command.flags();
        flags.text("p,password", "Password or Personal Access Token (PAT)");
        flags.bool("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin");
        flags.text("u,username", "Username");
        return command.does(call -> new Login(call).logIn());
    }

    static Command out(String path) {
        return Command.of(path, "[SERVER]",
                        "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.")
                .words(0, 1)
                .does(call -> new Login(call).logOut());
    }

    private int logIn() throws Failure, EngineError, EngineException.Invalid, IOException {
        var flags = call.flags();
        String username = flags.text("username");
        String password = flags.text("password");
        if (flags.given("password")) {
            call.session().say("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
            if (flags.truth("password-stdin")) {
                throw new Failure(1, "conflicting options: cannot specify both --password and --password-stdin");
            }
        }
        if (flags.truth("password-stdin")) {
            if (username.isEmpty()) {
                throw new Failure(1, "the --password-stdin option requires --username to be set");
            }
            password = new String(call.session().in().readNBytes(LONGEST_LINE), StandardCharsets.UTF_8)
                    .replaceAll("\r?\n$", "");
            if (password.isEmpty()) {
                throw new Failure(1, "password is empty");
            }
        }
        var known = credentials.get(key);
        if (username.isEmpty() && password.isEmpty() && known.present() && stillGood(known)) {
            call.session().println("Login Succeeded");
            return 0;
        }
        if (username.isEmpty() || password.isEmpty()) {
            if (!call.session().terminal().isTerminal(0)) {
                throw new Failure(1, "Error: Cannot perform an interactive login from a non TTY device");
            }
            if (username.isEmpty()) {
                username = askName(known.username());
            }
            password = password.isEmpty() ? askPassword() : password;
        }
        String identity = prove(username, password);
        var login = identity.isEmpty()
                ? new Credentials.Login(username, password, false) : new Credentials.Login(username, identity, true);
        if (credentials.helper(key).isEmpty()) {
            call.session().say("\nWARNING! Your credentials are stored unencrypted in '" + credentials.file() + "'.\n"
                    + "Configure a credential helper to remove this warning. See\n"
                    + "https://docs.docker.com/go/credential-store/\n");
        }
        credentials.put(key, login);
        call.session().println("Login Succeeded");
        return 0;
    }

    private boolean stillGood(Credentials.Login known) throws Failure, EngineException.Invalid, IOException {
        String name = known.username().isEmpty() ? "" : " [Username: " + known.username() + "]";
        call.session().println("Authenticating with existing credentials..." + name);
        try {
            call.engine().post(Target.of("auth"), credentials.document(key));
            return true;
        } catch (EngineError e) {
            call.session().say("Stored credentials invalid or expired: " + e.getMessage());
            return false;
        }
    }

    /// Lets the engine ask the registry.
    /// @return an identity token, or nothing
    private String prove(String username, String password) throws Failure, EngineError, EngineException.Invalid, IOException {
        var auth = Json.object().put("username", username).put("password", password).put("serveraddress", key).build();
        return call.engine().post(Target.of("auth"), auth).text("IdentityToken");
    }

    private String askName(String usual) throws Failure, IOException {
        call.session().print("Username" + (usual.isEmpty() ? "" : " (" + usual + ")") + ": ");
        String name = line(false);
        name = name.isBlank() ? usual : name.strip();
        if (name.isEmpty()) {
            throw new Failure(1, "username is empty");
        }
        return name;
    }

    private String askPassword() throws Failure, IOException {
        call.session().print("Password: ");
        String password;
        try (var _ = call.session().terminal().raw()) {
            password = line(true);
        }
        call.session().println("");
        if (password.isEmpty()) {
            throw new Failure(1, "password is empty");
        }
        return password;
    }

    /// A line of standard input. In raw mode keys come as they are: Return ends it, Backspace takes back, Ctrl-C leaves.
    private String line(boolean raw) throws Failure, IOException {
        var line = new ByteArrayOutputStream();
        while (line.size() < LONGEST_LINE) {
            int key = call.session().in().read();
            if (key < 0 || key == '\n' || key == '\r') {
                break;
            }
            if (raw && key == 3) {
                throw new Failure(130, "");
            }
            if (raw && (key == 127 || key == 8)) {
                byte[] before = line.toByteArray();
                line.reset();
                line.write(before, 0, Math.max(0, before.length - 1));
            } else {
                line.write(key);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private int logOut() throws IOException {
        String shown = key.equals(Credentials.HUB) ? "https://index.docker.io/v1/" : key;
        if (credentials.erase(key)) {
            call.session().println("Removing login credentials for " + shown);
        } else {
            call.session().println("Not logged in to " + shown);
        }
        return 0;
    }
}
