package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Debian's Podman, unpacked, as root with the overlay driver, which its users have. It has no daemon: the command is all
/// of it, and only rows of images are measured with it.
final class Podman implements Engine {

    private final Path tools;
    private final Path directory;
    private final Path run; // in memory, as /run is where it keeps such things

    /// `tools` is the root its packages are unpacked in; everything it keeps is below `directory`.
    Podman(Path tools, Path directory) throws IOException {
        this.tools = tools;
        this.directory = Files.createDirectories(directory);
        this.run = Files.createTempDirectory(Path.of("/run"), "carafe-bench");
        Path settings = Files.createDirectories(directory.resolve("home/.config/containers"));
        Files.writeString(settings.resolve("policy.json"), "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}");
        Files.writeString(directory.resolve("registries.conf"), "unqualified-search-registries = []\n");
        Files.writeString(directory.resolve("storage.conf"), "[storage]\ndriver = \"overlay\"\ngraphroot = \"" + directory
                + "/root\"\nrunroot = \"" + run + "/storage\"\n");
        Files.writeString(directory.resolve("containers.conf"), """
                [engine]
                cgroup_manager = "cgroupfs"
                events_logger = "none"
                runtime = "crun"
                conmon_path = ["%s"]
                [engine.runtimes]
                crun = ["%s"]
                [network]
                network_backend = "cni"
                """.formatted(tools.resolve("usr/bin/conmon"), tools.resolve("usr/bin/crun")));
    }

    @Override
    public String name() {
        return "podman";
    }

    @Override
    public List<String> plainFlags() {
        return List.of("--tls-verify=false");
    }

    @Override
    public void command(List<String> arguments) throws IOException, InterruptedException {
        commandOutput(arguments);
    }

    @Override
    public long commandOutput(List<String> arguments) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(tools.resolve("usr/bin/podman").toString(), "--root", directory + "/root",
                "--runroot", run + "/storage", "--tmpdir", run + "/tmp", "--storage-driver", "overlay"));
        words.addAll(arguments);
        var builder = new ProcessBuilder(words);
        builder.environment().putAll(Map.of(
                "LD_LIBRARY_PATH", tools.resolve("usr/lib/x86_64-linux-gnu").toString(),
                "HOME", directory.resolve("home").toString(),
                "XDG_RUNTIME_DIR", run.toString(),
                "CONTAINERS_CONF", directory.resolve("containers.conf").toString(),
                "CONTAINERS_STORAGE_CONF", directory.resolve("storage.conf").toString(),
                "CONTAINERS_REGISTRIES_CONF", directory.resolve("registries.conf").toString()));
        return Output.count(builder, directory.resolve("client.err"));
    }

    @Override
    public void close() {
        try {
            command(List.of("system", "reset", "--force")); // ends its mount of the store too
        } catch (IOException e) {
            System.err.println("warning: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Output.remove(directory);
        Output.remove(run);
    }
}
