package carafe.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Our engine, as `./carafed` starts it.
final class CarafeDaemon extends EngineUnderTest {

    private final List<String> before;
    private List<String> flags = List.of();
    private String failpoints = "";

    CarafeDaemon() throws IOException {
        this(List.of());
    }

    /// Started by the program `before`, which takes away rights and then becomes the daemon.
    CarafeDaemon(List<String> before) throws IOException {
        super("carafe");
        this.before = List.copyOf(before);
    }

    /// Where the daemon fails from its next start on; empty: nowhere.
    void failAt(String points) {
        failpoints = points;
    }

    /// Further flags of the daemon from its next start on.
    CarafeDaemon with(String... more) {
        flags = List.of(more);
        return this;
    }

    @Override
    List<String> daemonCommand() {
        var words = new ArrayList<>(before);
        words.addAll(List.of(
                Tools.ours("carafed").toString(),
                "-H", host(),
                "--data-root", dataRoot().toString(),
                "--exec-root", execRoot().toString(),
                "--pidfile", directory().resolve("pid").toString()));
        words.addAll(flags);
        return words;
    }

    @Override
    Map<String, String> daemonEnvironment() {
        return failpoints.isEmpty() ? Map.of() : Map.of("CARAFE_FAILPOINTS", failpoints);
    }

    /// A second after its start the daemon maps a library that it unpacked into its data root: that takes room too.
    void awaitOwnLibrary() throws Exception {
        Path maps = Path.of("/proc", String.valueOf(pid()), "maps");
        Deadline.await("the daemon's own library is loaded",
                () -> Files.readString(maps).contains("libamazonCorrettoCryptoProvider.so"));
    }
}
