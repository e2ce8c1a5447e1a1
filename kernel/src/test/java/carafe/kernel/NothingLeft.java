package carafe.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails a test that leaves a descriptor, a mount or a cgroup behind that was not there before.
final class NothingLeft implements BeforeEachCallback, AfterEachCallback {

    private static final ExtensionContext.Namespace HERE = ExtensionContext.Namespace.create(NothingLeft.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// Tests mount below their temporary directories; what else appears is some other program's of the host.
    private static final String OUR_MOUNTS = System.getProperty("java.io.tmpdir") + "/junit";

    private final boolean onlyDescriptors;

    /// Looks at everything.
    NothingLeft() {
        this(false);
    }

    private NothingLeft(boolean onlyDescriptors) {
        this.onlyDescriptors = onlyDescriptors;
    }

    /// Looks at descriptors alone: for tests that mount nothing where the host could see it, on hosts where others do.
    static NothingLeft open() {
        return new NothingLeft(true);
    }

    record Seen(Set<String> descriptors, Set<String> mounts, Set<String> cgroups) {

        static Seen now() throws IOException {
            var mounts = new TreeSet<String>();
            for (var mount : Mounts.list()) {
                if (mount.target().startsWith(OUR_MOUNTS)) {
                    mounts.add(mount.id() + " " + mount.target());
                }
            }
            return new Seen(openDescriptors(), mounts, testCgroups());
        }

        private static Set<String> openDescriptors() throws IOException {
            var open = new TreeSet<String>();
            try (var numbers = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
                for (var number : numbers) {
                    try {
                        String target = Files.readSymbolicLink(number).toString();
                        if (!target.endsWith(".jar") && !target.matches(".*\\.so[.0-9]*")
                                && !target.startsWith("anon_inode:[event") // the JDK's, per carrier thread
                                && !target.matches("/proc/\\d+/fd") && !target.endsWith("/modules")
                                && !target.endsWith("/urandom") && !target.endsWith("/random")) {
                            open.add(number.getFileName() + " → " + target);
                        }
                    } catch (IOException closedMeanwhile) {
                        // the descriptor of this listing
                    }
                }
            }
            return open;
        }

        private static Set<String> testCgroups() throws IOException {
            var found = new TreeSet<String>();
            for (var mount : Mounts.list()) {
                if (mount.fsType().startsWith("cgroup")) {
                    try (var names = Files.find(Path.of(mount.target()), 4,
                            (path, at) -> at.isDirectory() && path.getFileName().toString().startsWith("test-"))) {
                        names.forEach(path -> found.add(path.toString()));
                    } catch (UncheckedIOException othersMove) {
                        // somebody else's cgroup vanished while we looked
                    }
                }
            }
            return found;
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        context.getStore(HERE).put("seen", Seen.now());
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        var before = Objects.requireNonNull(context.getStore(HERE).get("seen", Seen.class));
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        // The JDK closes the pipes of a process that was killed on a thread of its own, a moment later.
        for (String left = left(before); !left.isEmpty(); left = left(before)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the test left behind: " + left);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private String left(Seen before) throws IOException {
        var after = Seen.now();
        var left = new TreeSet<>(after.descriptors);
        left.removeAll(before.descriptors);
        if (!onlyDescriptors) {
            after.mounts.stream().filter(mount -> !before.mounts.contains(mount)).forEach(left::add);
            after.cgroups.stream().filter(cgroup -> !before.cgroups.contains(cgroup)).forEach(left::add);
        }
        return String.join(", ", left);
    }
}
