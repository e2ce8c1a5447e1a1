package carafe.build.step;

import carafe.spec.EngineException;
import carafe.spec.build.BuildLimits;
import carafe.spec.oci.RootfsPlan;
import java.nio.file.Path;
import java.util.List;

/// Runs a step's program in a container of its own. The engine implements it.
public interface StepRunner {

    /// What is to be run: `id` names the container (64 hexadecimal characters); `user` as USER says; mounts in order;
    /// `hostName` is what it calls its host, `""` the usual name.
    record StepRun(String id, RootfsPlan.Overlay root, List<String> arguments, List<String> environment, String directory,
            String user, List<StepMount> mounts, String network, String hostName, boolean insecure, BuildLimits limits) {

        public StepRun {
            arguments = List.copyOf(arguments);
            environment = List.copyOf(environment);
            mounts = List.copyOf(mounts);
        }
    }

    /// Something that appears in the step's root while it runs.
    sealed interface StepMount {

        /// Where.
        String target();

        /// A file or directory of the host.
        record Bind(String target, Path source, boolean readOnly) implements StepMount {}

        /// What `path` (`""`: all) is in the layers `lowers`, the topmost first, to be read only. It can be seen at `source`
        /// too, where nobody can have its owners mapped.
        record Layers(String target, Path source, List<Path> lowers, String path) implements StepMount {
            public Layers {
                lowers = List.copyOf(lowers);
            }
        }

        /// A file or socket that was made for this step alone, owned by `uid`:`gid`, and is not written to.
        record Own(String target, Path source, int uid, int gid) implements StepMount {}

        /// Memory; no limit when `sizeBytes` is 0.
        record Tmpfs(String target, long sizeBytes) implements StepMount {}
    }

    /// Is given what the program prints, in order. `stream` is 1 or 2.
    @FunctionalInterface
    interface Output {
        void print(int stream, byte[] bytes);
    }

    /// Runs the program to its end; nothing of it is left then, whatever it started. An interrupt kills it.
    /// @return the exit code
    /// @throws EngineException it could not be started
    /// @throws WrongFormat it could not be started because the kernel does not run such a file
    int run(StepRun run, Output output) throws EngineException, InterruptedException, WrongFormat;
}
