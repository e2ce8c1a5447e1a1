package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class NamespaceThreadTest {

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    private NamespaceThread thread;
    private NetNamespace guest;

    @BeforeEach
    void makeNamespace() throws Exception {
        thread = NamespaceThread.start();
        guest = thread.create(new NetNamespace.Settings(Map.of()));
    }

    @AfterEach
    void close() {
        guest.close();
        thread.close();
    }

    private static Path link(String path) {
        try {
            return Files.readSymbolicLink(Path.of(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Where(Path task, Path namespace) {
        static Where here() {
            return new Where(link("/proc/thread-self"), link("/proc/thread-self/ns/net"));
        }
    }

    @Test
    void tellsWhatItDidInsideOnlyWhenItIsHome() throws Exception {
        var home = link("/proc/thread-self/ns/net");
        for (int i = 0; i < 200; i++) {
            var where = thread.inside(guest.handle(), Where::here);
            assertThat(where.namespace).isNotEqualTo(home);
            assertThat(link("/proc/" + where.task + "/ns/net")).isEqualTo(home);
        }
    }

    @Test
    void tellsOfAFailureInsideOnlyWhenItIsHome() throws Exception {
        var home = link("/proc/thread-self/ns/net");
        var where = thread.insideHome(Where::here);
        assertThat(where.namespace).isEqualTo(home);
        assertThatThrownBy(() -> thread.inside(guest.handle(), () -> {
            throw new KernelException("open", "what is not there", Errno.ENOENT);
        })).isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        assertThat(link("/proc/" + where.task + "/ns/net")).isEqualTo(home);
        assertThat(thread.insideHome(Where::here)).isEqualTo(where);
    }

    @Test
    void hasAHomeElsewhere() throws Exception {
        var here = link("/proc/thread-self/ns/net");
        var elsewhere = Descriptors.open(Path.of("/proc/self/fd/" + guest.handle().number()), Linux.O_RDONLY, 0);
        try (var away = NamespaceThread.startAt(elsewhere)) {
            var where = away.insideHome(Where::here);
            assertThat(where.namespace).isNotEqualTo(here);
            assertThat(away.insideHome(Where::here)).isEqualTo(where);
        }
    }

    @Test
    void interruptedItStillEndsBeforeItsNamespacesAreClosed() throws Exception {
        var another = NamespaceThread.start();
        Thread.currentThread().interrupt();
        another.close();
        assertThat(Thread.interrupted()).isTrue();
    }
}
