package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.VolumeRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A real network around a start that waits for its volume's server.
final class LinuxPendingStartTest {
    private static final Path LINKS = Path.of("/sys/class/net");

    private final String volume = "far-" + ProcessHandle.current().pid();
    private LinuxStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
        stage.reopen(Failpoints.parse("volume.mount=sleep(600000)"));
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        var left = stage.leftAfterRemoval();
        stage.close();
        assertThat(left).isEmpty();
    }

    /// This engine's bridge and all that is plugged in there.
    private List<Path> links() throws IOException {
        var found = new ArrayList<Path>();
        try (var all = Files.newDirectoryStream(LINKS)) {
            for (var link : all) {
                if (Files.exists(link.resolve("bridge"))
                        && Files.readString(link.resolve("ifalias")).contains(stage.root.toString())) {
                    found.add(link);
                    try (var ports = Files.list(link.resolve("brif"))) {
                        ports.forEach(port -> found.add(LINKS.resolve(port.getFileName())));
                    }
                }
            }
        }
        return found;
    }

    private List<Thread> mounts() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("mount of " + volume))
                .toList();
    }

    private static List<Path> in(Path directory) throws IOException {
        try (var entries = Files.list(directory)) {
            return entries.toList();
        }
    }

    @Test
    void aCleanStopOfTheEngineLeavesNothingOfIt() throws Exception {
        stage.engine.volumes().create(
                new VolumeRequest(volume, "local", Map.of("type", "tmpfs", "device", "tmpfs"), Map.of()));
        stage.containers().create(request("web", "{\"Binds\":[\"" + volume + ":/away\"]}", "sleep", "100"));
        var start = new FutureTask<Boolean>(() -> {
            stage.containers().start("web");
            return true;
        });
        Thread.ofVirtual().start(start);
        EngineHarness.eventually(() -> !mounts().isEmpty());
        var links = links();
        assertThat(links).as("the bridge and the container's link").hasSize(2);
        stage.engine.close();
        assertThatThrownBy(() -> start.get(1, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
                .cause().isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("given up");
        assertThat(links).noneMatch(Files::exists);
        assertThat(in(stage.root.resolve("run/n"))).isEmpty();
        assertThat(in(stage.root.resolve("run/c"))).isEmpty();
        for (var mount : mounts()) {
            mount.interrupt(); // the server answers
            mount.join();
        }
        stage.reopenAfterAbandon();
        assertThat(stage.state("web")).isInstanceOf(State.Created.class);
        stage.containers().start("web");
    }
}
