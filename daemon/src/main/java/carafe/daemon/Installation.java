package carafe.daemon;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/// The directory the product was laid out in: native programs under `libexec/`, and a file `release` that says what this
/// is.
record Installation(Path home, String version, String commit, String built) {

    /// Reads the layout at `home`.
    static Installation at(Path home) throws EngineException {
        var release = new Properties();
        try (var in = Files.newBufferedReader(home.resolve("release"))) {
            release.load(in);
        } catch (IOException e) {
            throw new EngineException.Internal("this installation is not complete: " + home.resolve("release") + ": "
                    + PidFile.reason(e), e);
        }
        return new Installation(home, release.getProperty("version", "unknown"),
                release.getProperty("commit", "unknown"), release.getProperty("built", "unknown"));
    }

    /// The code of the command.
    Path commands() {
        return home.resolve("lib/carafe-cli.jar");
    }

    Path spawner() {
        return home.resolve("libexec/carafe-spawner");
    }

    Path init() {
        return home.resolve("libexec/docker-init");
    }

    Path hello() {
        return home.resolve("libexec/hello");
    }
}
