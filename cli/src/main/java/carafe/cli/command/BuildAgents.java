package carafe.cli.command;

import carafe.cli.session.Programs;
import carafe.cli.session.Session;
import carafe.http.Address;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The ssh agents that `--ssh` gives to a build, by their ids: sockets that are there, and for keys in files OpenSSH's own
/// agent with them, which runs as long as this is open. However this process ends, its end of a pipe is closed, and the shell
/// below the agent ends that and removes its socket. Source: ssh-agent(1), ssh-add(1).
final class BuildAgents implements AutoCloseable {

    private static final String INSTALL = " cannot be started, which keys in files need; install OpenSSH's client"
            + " (openssh-client): ";

    /// Signals of the terminal are for who closes the pipe, and for nobody else.
    private static final String UNTIL_THE_INPUT_ENDS = """
            trap '' HUP INT QUIT TERM
            echo "$SSH_AGENT_PID"
            while read -r _; do :; done
            kill "$SSH_AGENT_PID"
            rm -f -- "$1/agent"
            rmdir -- "$1"
            """;

    private final Call call;
    private final Session session;
    private final Map<String, String> sockets = new LinkedHashMap<>();
    private final List<Programs.Beside> running = new ArrayList<>();

    private BuildAgents(Call call) {
        this.call = call;
        this.session = call.session();
    }

    /// Reads the flags and starts the agents that are needed; a key with a passphrase is asked for at the terminal.
    static BuildAgents open(Call call) throws Failure {
        var agents = new BuildAgents(call);
        boolean whole = false;
        try {
            for (String text : call.flags().list("ssh")) {
                agents.add(text);
            }
            whole = true;
            return agents;
        } finally {
            if (!whole) {
                agents.close();
            }
        }
    }

    /// Their sockets.
    Map<String, String> sockets() {
        return Map.copyOf(sockets);
    }

    private void add(String text) throws Failure {
        int equals = text.indexOf('=');
        String id = equals < 0 ? text : text.substring(0, equals);
        if (sockets.containsKey(id)) {
            throw new Failure(1, "invalid duplicate ID " + id + " of --ssh; several keys are given as --ssh " + id + "=KEY,KEY");
        }
        if (equals < 0) {
            String socket = session.variable("SSH_AUTH_SOCK");
            if (socket.isEmpty()) {
                throw new Failure(1, "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set");
            }
            sockets.put(id, socket);
            return;
        }
        var paths = new ArrayList<Path>();
        for (String path : text.substring(equals + 1).split(",", -1)) {
            if (path.isEmpty()) {
                throw new Failure(1, "invalid --ssh \"" + text + "\": it names no socket and no key");
            }
            paths.add(session.path(path));
        }
        sockets.put(id, agent(id, paths));
    }

    /// The socket that is meant, or that of a new agent with the keys.
    private String agent(String id, List<Path> paths) throws Failure {
        for (var path : paths) {
            var kind = kind(id, path);
            if (paths.size() == 1 && (kind.isEmpty() || kind.get().isOther())) {
                return path.toString(); // what is not here may be where the engine is
            }
            if (kind.isEmpty() || !kind.get().isRegularFile()) {
                throw new Failure(1, asked(id, path) + (kind.isEmpty() ? ": no such file"
                        : kind.get().isOther() ? " is no key; one id has one agent's socket, or several keys in files"
                        : " is no key in a file and no socket of an ssh agent"));
            }
        }
        if (!(call.engine().endpoint().address() instanceof Address.Unix)) {
            throw new Failure(1, asked(id, paths.getFirst()) + " is a key on this machine, and the engine is on another one: name"
                    + " the socket of an agent that runs there");
        }
        return start(id, paths);
    }

    private static String asked(String id, Path path) {
        return "--ssh " + id + "=" + path;
    }

    private static Optional<BasicFileAttributes> kind(String id, Path path) throws Failure {
        try {
            return Optional.of(Files.readAttributes(path, BasicFileAttributes.class));
        } catch (NoSuchFileException | AccessDeniedException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Failure(1, asked(id, path) + " cannot be read: " + e.getMessage());
        }
    }

    private String start(String id, List<Path> keys) throws Failure {
        Path directory;
        try {
            String own = session.variable("XDG_RUNTIME_DIR");
            directory = !own.isEmpty() && Files.isDirectory(Path.of(own)) && Files.isWritable(Path.of(own))
                    ? Files.createTempDirectory(Path.of(own), "carafe-ssh-") : Files.createTempDirectory("carafe-ssh-");
        } catch (IOException e) {
            throw new Failure(1, "there is no place for the socket of an ssh agent: " + e.getMessage());
        }
        String socket = directory.resolve("agent").toString();
        try {
            running.add(session.programs().start(List.of("ssh-agent", "-a", socket, "sh", "-c", UNTIL_THE_INPUT_ENDS, "sh",
                    directory.toString())));
        } catch (IOException e) {
            remove(directory);
            throw new Failure(1, "ssh-agent" + INSTALL + e.getMessage());
        }
        for (var key : keys) {
            add(id, key, socket);
        }
        return socket;
    }

    private static void remove(Path directory) throws Failure {
        try {
            Files.deleteIfExists(directory.resolve("agent"));
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new Failure(1, "cannot delete " + directory + ": " + e.getMessage());
        }
    }

    private void add(String id, Path key, String socket) throws Failure {
        boolean asks = session.terminal().isTerminal(0);
        Programs.Outcome added;
        try {
            added = session.programs().ask(List.of("ssh-add", "-q", "--", key.toString()), Map.of("SSH_AUTH_SOCK", socket), asks);
        } catch (IOException e) {
            throw new Failure(1, "ssh-add" + INSTALL + e.getMessage());
        }
        if (added.code() == 0) {
            return;
        }
        String said = added.output().strip();
        if (!asks && said.contains("assphrase")) {
            throw new Failure(1, asked(id, key) + " has a passphrase, and there is no terminal to ask for it: add the key to an"
                    + " agent (ssh-add " + key + ") and give --ssh " + id);
        }
        throw new Failure(1, asked(id, key) + " cannot be used" + (said.isEmpty() ? "" : ": " + said));
    }

    /// Ends the agents that this started, and waits until their sockets are gone.
    @Override
    public void close() {
        running.forEach(Programs.Beside::close);
        running.clear();
    }
}
