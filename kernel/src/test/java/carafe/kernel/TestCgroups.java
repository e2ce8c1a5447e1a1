package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The host's cgroups for one test: makes cgroups named `test-…` below a parent of its own, starts processes that wait
/// for a line before they do anything, and takes everything away at the end.
final class TestCgroups implements AutoCloseable {

    private static final AtomicInteger NUMBER = new AtomicInteger();

    final Cgroups cgroups;
    final String parent;
    private final List<Cgroup> made = new ArrayList<>();
    private final List<Process> started = new ArrayList<>();

    TestCgroups(Cgroups cgroups) {
        this.cgroups = cgroups;
        String name = "test-" + ProcessHandle.current().pid();
        parent = cgroups.home().equals("/carafe") ? "/" + name : cgroups.home() + "/" + name;
    }

    Cgroups.Created create(CgroupLimits limits, List<DeviceRule> devices) throws KernelException {
        var created = cgroups.create(newPath(), limits, devices);
        made.add(created.cgroup());
        return created;
    }

    Cgroup create(CgroupLimits limits) throws KernelException {
        return create(limits, List.of()).cgroup();
    }

    /// A cgroup below `cgroup` as its own processes make one, with mkdir alone.
    Cgroup madeInside(Cgroup cgroup, String... names) throws KernelException {
        String path = cgroup.path();
        for (String name : names) {
            path += "/" + name;
            for (var hierarchy : cgroups.hierarchies()) {
                assertThat(hierarchy.tryMkdir(path.substring(1))).isZero();
            }
        }
        return cgroups.at(path);
    }

    String newPath() {
        return parent + "/test-" + NUMBER.incrementAndGet();
    }

    /// A shell in `cgroup` that has run `script`; its output with errors.
    String run(Cgroup cgroup, String script) throws Exception {
        var shell = start(cgroup, script);
        String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        shell.waitFor(20, TimeUnit.SECONDS);
        return output;
    }

    /// A shell in `cgroup` that runs `script`.
    Process start(Cgroup cgroup, String script) throws IOException {
        var shell = new ProcessBuilder("sh", "-c", "read go; " + script).redirectErrorStream(true).start();
        started.add(shell);
        cgroup.enter(shell.pid());
        shell.getOutputStream().write('\n');
        shell.getOutputStream().flush();
        return shell;
    }

    String file(Cgroup cgroup, String controller, String name) throws KernelException {
        return cgroups.hierarchyOf(controller).orElseThrow().read(cgroup.path().substring(1), name);
    }

    boolean isV1() {
        return cgroups.version() == Cgroups.Version.V1;
    }

    @Override
    public void close() throws KernelException {
        try (cgroups) {
            for (var cgroup : made) {
                if (cgroup.exists()) {
                    cgroup.kill();
                    cgroup.remove(Duration.ofSeconds(10));
                }
            }
            started.forEach(Process::destroyForcibly);
            cgroups.at(parent).remove(Duration.ofSeconds(5));
        }
    }
}
