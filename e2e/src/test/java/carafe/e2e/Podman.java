package carafe.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Debian's podman, which keeps all it has in a directory of its own and makes no container. Closing removes that.
final class Podman implements AutoCloseable {

    private final Path home = Files.createTempDirectory("e2e-podman-");

    Podman() throws IOException {
        Path policy = Files.createDirectories(home.resolve(".config/containers")).resolve("policy.json");
        Files.writeString(policy, "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}");
        Files.writeString(home.resolve("storage.conf"), """
                [storage]
                driver = "vfs"
                graphroot = "%s"
                runroot = "%s"
                """.formatted(home.resolve("root"), home.resolve("run")));
        Files.writeString(home.resolve("registries.conf"), "unqualified-search-registries = []\n");
        Files.writeString(home.resolve("containers.conf"), """
                [engine]
                cgroup_manager = "cgroupfs"
                events_logger = "none"
                lock_type = "file"
                runtime = "crun"
                conmon_path = ["%s"]
                [engine.runtimes]
                crun = ["%s"]
                [network]
                network_backend = "cni"
                """.formatted(Tools.fetched("podman", "usr/bin/conmon"), Tools.fetched("podman", "usr/bin/crun")));
    }

    Command command(String... words) {
        return Command.of(Tools.fetched("podman", "usr/bin/podman").toString(),
                        "--root", home.resolve("root").toString(),
                        "--runroot", home.resolve("run").toString(),
                        "--tmpdir", home.resolve("tmp").toString(),
                        "--storage-driver", "vfs")
                .and(words)
                .with("LD_LIBRARY_PATH", Tools.fetched("podman", "usr/lib/x86_64-linux-gnu").toString())
                .with("HOME", home.toString())
                .with("XDG_RUNTIME_DIR", home.toString())
                .with("XDG_CONFIG_HOME", home.resolve("config").toString())
                .with("REGISTRY_AUTH_FILE", home.resolve("auth.json").toString())
                .with("CONTAINERS_CONF", home.resolve("containers.conf").toString())
                .with("CONTAINERS_STORAGE_CONF", home.resolve("storage.conf").toString())
                .with("CONTAINERS_REGISTRIES_CONF", home.resolve("registries.conf").toString());
    }

    @Override
    public void close() throws IOException {
        try {
            command("system", "reset", "--force").run().good();
            Command.of("rm", "-rf", "--one-file-system", home.toString()).run().good();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while podman forgot", e);
        }
    }
}
