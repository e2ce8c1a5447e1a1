package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;

/// What `POST /containers/{id}/exec` asks to run in a running container.
public record ExecConfig(
        List<String> command,
        List<String> environment,
        String user,
        String workingDirectory,
        boolean terminal,
        boolean privileged,
        Attach attach,
        String detachKeys) {

    /// Which streams the client wants.
    public record Attach(boolean stdin, boolean stdout, boolean stderr) {}

    public ExecConfig {
        command = List.copyOf(command);
        environment = List.copyOf(environment);
    }

    /// Reads a request; a missing command is refused in Docker's words.
    public static ExecConfig parse(Json.Obj given) throws EngineException.Invalid {
        var command = ContainerConfig.words(given, "Cmd").orElse(List.of());
        if (command.isEmpty()) {
            throw new EngineException.Invalid("No exec command specified");
        }
        var environment = given.texts("Env");
        for (var entry : environment) {
            if (entry.isEmpty() || entry.startsWith("=") || entry.indexOf('\0') >= 0) {
                throw new EngineException.Invalid("invalid environment variable: " + entry.replace("\0", "\\0"));
            }
        }
        return new ExecConfig(
                command,
                environment,
                given.text("User"),
                given.text("WorkingDir"),
                given.truth("Tty"),
                given.truth("Privileged"),
                new Attach(given.truth("AttachStdin"), given.truth("AttachStdout"), given.truth("AttachStderr")),
                given.text("DetachKeys"));
    }
}
