package carafe.network;

import carafe.kernel.Descriptors;
import carafe.kernel.Linux;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A process that lives in a sandbox until it is closed: what a container's first process is to the fabric.
record Dweller(Process process, int pid) implements AutoCloseable {

    /// The JDK starts a process in the namespace of the thread that asks: so that thread goes there first.
    static Dweller in(FabricStage stage, Sandbox sandbox) throws Exception {
        try (var handle = Descriptors.open(Path.of(sandbox.path()), Linux.O_RDONLY, 0)) {
            var process = stage.thread().inside(handle, () -> {
                try {
                    var builder = new ProcessBuilder("cat");
                    builder.environment().putAll(Map.of("LC_ALL", "C"));
                    return builder.start();
                } catch (java.io.IOException e) {
                    throw new AssertionError(e);
                }
            });
            String own = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString();
            String theirs = Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/ns/net")).toString();
            if (own.equals(theirs)) {
                throw new AssertionError("the process is not in the sandbox");
            }
            return new Dweller(process, (int) process.pid());
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
