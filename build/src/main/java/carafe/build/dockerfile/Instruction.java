package carafe.build.dockerfile;

import carafe.spec.oci.Healthcheck;
import java.util.List;
import java.util.Optional;

/// An instruction with its parts told apart, variables still in it.
public sealed interface Instruction {

    /// Begins a stage: `FROM [--platform=…] image [AS name]`.
    record From(String image, Optional<String> platform, Optional<String> name) implements Instruction {}

    /// Declares build arguments.
    record Arg(List<KeyValue> arguments) implements Instruction {}

    /// Sets environment variables; `legacy` when written without `=`.
    record Env(List<KeyValue> variables, boolean legacy) implements Instruction {}

    /// Adds labels; `legacy` when written without `=`.
    record Label(List<KeyValue> labels, boolean legacy) implements Instruction {}

    /// Executes a command; mounts are read when the stage is planned, as their options may hold variables.
    record Run(CommandLine command, List<String> mounts, Optional<String> network, Optional<String> security,
            List<String> devices) implements Instruction {}

    /// Copies files from the context, a stage or an image.
    record Copy(Transfer transfer) implements Instruction {}

    /// Copies files, archives, URLs and repositories.
    record Add(Transfer transfer) implements Instruction {}

    /// What a container runs.
    record Cmd(CommandLine command) implements Instruction {}

    /// What a container runs first.
    record Entrypoint(CommandLine command) implements Instruction {}

    /// The shell of shell forms.
    record Shell(List<String> words) implements Instruction {}

    /// Where commands start.
    record Workdir(String path) implements Instruction {}

    /// Who runs commands.
    record User(String user) implements Instruction {}

    /// How containers are stopped.
    record StopSignal(String signal) implements Instruction {}

    /// Who made it; deprecated.
    record Maintainer(String name) implements Instruction {}

    /// Ports a container listens on.
    record Expose(List<String> ports) implements Instruction {}

    /// Directories that get volumes.
    record Volume(List<String> paths) implements Instruction {}

    /// Something for the stages based on the image: an instruction's text.
    record OnBuild(String trigger) implements Instruction {}

    /// How to ask a container whether it is well; a test of `NONE` switches asking off.
    record Health(Healthcheck check, Optional<CommandLine> command) implements Instruction {}
}
