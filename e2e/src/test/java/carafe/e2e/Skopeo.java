package carafe.e2e;

import java.nio.file.Path;

/// Debian's skopeo, which keeps its logins in `home` and reads nothing of the host's settings.
record Skopeo(Path home) {

    Command command(String... words) {
        Path program = Tools.fetched("skopeo", "usr/bin/skopeo");
        String libraries = Tools.fetched("skopeo", "usr/lib/x86_64-linux-gnu").toString();
        return Command.of(program.toString(), "--insecure-policy").and(words)
                .with("LD_LIBRARY_PATH", libraries)
                .with("HOME", home.toString())
                .with("XDG_RUNTIME_DIR", home.toString())
                .with("REGISTRY_AUTH_FILE", home.resolve("auth.json").toString());
    }
}
