package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What kernels before Linux 6.15 need, which later ones take as well.
@ExtendWith(NothingLeft.class)
class ScaffoldTest {

    /// What a filesystem of ours is known by among the host's mounts.
    private static final String MARK = "size=1708k";

    private final List<Fd> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.reversed().forEach(Fd::close);
    }

    private Fd detached(String file) throws Exception {
        var mount = FsContext.mount("tmpfs", Map.of("size", "1708k"), 0);
        open.add(mount);
        try (var tree = FileTree.adopt(mount.duplicate())) {
            tree.mkdirs("dir", 0755, 0, 0).close();
            tree.writeFile("dir/" + file, file.getBytes(StandardCharsets.US_ASCII), 0644, 0, 0);
        }
        return mount;
    }

    private static long ours(String mountinfo) throws IOException {
        return Files.readAllLines(Path.of(mountinfo)).stream().filter(line -> line.contains(MARK)).count();
    }

    /// The mount namespaces that our threads are in.
    private static Set<String> namespaces() throws IOException {
        var found = new HashSet<String>();
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (var task : tasks) {
                try {
                    found.add(Files.readSymbolicLink(task.resolve("ns/mnt")).toString());
                } catch (IOException ended) {
                    // it ended while we looked
                }
            }
        }
        return found;
    }

    private static void assertNothingStays() throws Exception {
        Stage.await("the threads' end", () -> namespaces().size() == 1);
        assertThat(ours("/proc/self/mountinfo")).isZero();
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().startsWith("carafe-mounts"));
    }

    @Test
    void mountsAreAttachedInsideWhileNobodyElseSeesThem() throws Exception {
        var mounts = List.of(detached("one"), detached("two"));
        String inside = Scaffold.with(mounts, () -> {
            try {
                assertThat(ours("/proc/thread-self/mountinfo")).isEqualTo(2);
                assertThat(ours("/proc/self/mountinfo")).isZero();
                assertThat(ours("/proc/1/mountinfo")).isZero();
                return Files.readSymbolicLink(Path.of("/proc/thread-self/ns/mnt")).toString();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertNothingStays();
        assertThat(namespaces()).doesNotContain(inside);
        for (var mount : mounts) {
            assertThatThrownBy(() -> Mounts.detach(mount)).hasMessageContaining("invalid argument");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anOverlayOutlivesWhatItsLayersWereAttachedTo(Overlay.Way way) throws Exception {
        var mounts = List.of(detached("one"), detached("two"), detached("own"));
        Fd made;
        try (var tree = FileTree.adopt(mounts.getLast().duplicate())) {
            tree.mkdirs("upper", 0755, 0, 0).close();
            tree.mkdirs("work", 0755, 0, 0).close();
            var own = new Overlay.Upper(tree.open("upper", Linux.O_PATH, 0), tree.open("work", Linux.O_PATH, 0));
            open.addAll(List.of(own.directory(), own.work()));
            made = Scaffold.with(mounts, () -> new Overlay(mounts.subList(0, 2), Optional.of(own), false).mount(way, 0));
        } catch (KernelException e) {
            assertThat(way).as("every kernel has the older ways: " + e.getMessage()).isLessThan(Overlay.Way.LOWERDIR);
            return;
        }
        try (var overlay = FileTree.adopt(made)) {
            assertNothingStays();
            assertThat(overlay.list("dir")).extracting(DirectoryEntry::name).containsExactlyInAnyOrder("one", "two");
            overlay.writeFile("dir/two", new byte[5], 0600, 0, 0);
            assertThat(overlay.stat("dir/two").sizeBytes()).isEqualTo(5);
        }
        try (var upper = FileTree.adopt(mounts.getLast().duplicate()); var lower = FileTree.adopt(mounts.get(1).duplicate())) {
            assertThat(upper.stat("upper/dir/two").sizeBytes()).isEqualTo(5);
            assertThat(lower.stat("dir/two").sizeBytes()).isEqualTo(3);
        }
    }

    @Test
    void aPartOfADetachedMountIsCopied() throws Exception {
        var mount = detached("one");
        try (var tree = FileTree.adopt(mount.duplicate());
                var part = FileTree.adopt(Scaffold.with(List.of(mount), () -> {
                    try (var directory = tree.open("dir", Linux.O_PATH, 0)) {
                        return Mounts.cloneTree(directory, false);
                    }
                }))) {
            assertThat(part.readFile("one", 10)).asString().isEqualTo("one");
            assertThat(Inodes.isMountRoot(part.root())).isTrue();
        }
        assertNothingStays();
    }

    /// Attaches, tells its mount namespace, and waits to be killed.
    static final class Daemon {
        public static void main(String[] args) throws Exception {
            try (var mount = FsContext.mount("tmpfs", Map.of("size", "1708k"), 0)) {
                Scaffold.with(List.of(mount), () -> {
                    try {
                        System.out.println(Files.readSymbolicLink(Path.of("/proc/thread-self/ns/mnt")));
                        System.in.read();
                        return true;
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
            }
        }
    }

    @Test
    void aProcessThatIsKilledMeanwhileLeavesNothing() throws Exception {
        var daemon = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Daemon.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var lines = daemon.inputReader(StandardCharsets.US_ASCII)) {
            String namespace = lines.readLine();
            assertThat(namespace).startsWith("mnt:[");
            assertThat(holders(namespace)).isEqualTo(1);
            assertThat(ours("/proc/self/mountinfo") + ours("/proc/" + daemon.pid() + "/mountinfo")).isZero();
            daemon.destroyForcibly().waitFor();
            Stage.await("the end of " + namespace, () -> holders(namespace) == 0);
            assertThat(ours("/proc/self/mountinfo")).isZero();
        }
    }

    /// How many threads of the host are in that mount namespace.
    private static long holders(String namespace) throws IOException {
        long found = 0;
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (var process : processes) {
                try (var tasks = Files.newDirectoryStream(process.resolve("task"))) {
                    for (var task : tasks) {
                        found += Files.readSymbolicLink(task.resolve("ns/mnt")).toString().equals(namespace) ? 1 : 0;
                    }
                } catch (IOException | DirectoryIteratorException ended) {
                    // it ended while we looked
                }
            }
        }
        return found;
    }

    @Test
    void aFailureLeavesNothing() throws Exception {
        assertThatThrownBy(() -> Scaffold.with(List.of(detached("one")), () -> {
            throw new KernelException("mount", "nothing", Errno.EIO);
        })).hasMessage("mount nothing: input/output error");
        assertNothingStays();
    }
}
