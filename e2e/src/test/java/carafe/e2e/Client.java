package carafe.e2e;

import java.nio.file.Path;
import java.util.List;

/// A command line client that takes docker's words.
record Client(String name, Path program) {

    /// Debian sid's docker command, 28.x.
    static Client docker28() {
        return new Client("docker28", Tools.fetched("docker28", "usr/bin/docker"));
    }

    /// Debian 12's docker command, 20.10.
    static Client docker20() {
        return new Client("docker20", Tools.fetched("docker20", "usr/bin/docker"));
    }

    /// Our own command.
    static Client carafe() {
        return new Client("carafe", Tools.ours("carafe"));
    }

    /// The client talking to `engine`, with a home of its own so that no configuration of the user's is read.
    Command to(EngineUnderTest engine) {
        return Command.of(List.of(program.toString()))
                .with("DOCKER_HOST", engine.host())
                .with("HOME", engine.directory().toString())
                .with("DOCKER_CONFIG", engine.directory().resolve("client").toString());
    }
}
