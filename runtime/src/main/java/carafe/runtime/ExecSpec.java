package carafe.runtime;

import carafe.spec.oci.ProcessSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A further process for a running container. `env` is complete (the caller merged it with the container's); `cwd` `""`
/// is the container's own. `privileged` gives it every capability and no system-call filter.
public record ExecSpec(
        String id,
        Path runDir,
        List<String> args,
        List<String> env,
        String cwd,
        UserRequest user,
        boolean terminal,
        Optional<ProcessSpec.ConsoleSize> consoleSize,
        boolean privileged,
        Stdio stdio) {

    public ExecSpec {
        args = List.copyOf(args);
        env = List.copyOf(env);
        if (id.isEmpty() || !runDir.isAbsolute()) {
            throw new IllegalArgumentException("an exec needs an id and an absolute run directory: " + id);
        }
    }
}
