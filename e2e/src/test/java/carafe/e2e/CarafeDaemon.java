package carafe.e2e;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/// Our engine, as `./carafed` starts it.
final class CarafeDaemon extends EngineUnderTest {

    CarafeDaemon() throws IOException {
        super("carafe");
    }

    @Override
    List<String> daemonCommand() {
        return List.of(
                Tools.ours("carafed").toString(),
                "-H", host(),
                "--data-root", dataRoot().toString(),
                "--exec-root", execRoot().toString(),
                "--pidfile", directory().resolve("pid").toString());
    }

    @Override
    Map<String, String> daemonEnvironment() {
        return Map.of();
    }
}
