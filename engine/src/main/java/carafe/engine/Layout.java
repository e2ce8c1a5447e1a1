package carafe.engine;

import java.nio.file.Path;

/// Where the engine's files lie. Under the data root: `db/`, `containers/ID/` (the log). Under the run root, which a
/// reboot empties: `c/KEY` for a container's monitor, `f/KEY` for its files of /etc, which every start writes anew,
/// `e/KEY-EXEC` for an exec's monitor; KEY is the first 32 characters of the container's id, for a socket's path may have
/// no more than 107 bytes.
record Layout(Path dataRoot, Path runRoot) {
    private static final int KEY = 32;
    private static final int EXEC_KEY = 16;

    Path database() {
        return dataRoot.resolve("db");
    }

    Path containers() {
        return dataRoot.resolve("containers");
    }

    Path container(String id) {
        return containers().resolve(id);
    }

    ContainerDetails.Files files(String id) {
        Path directory = etc(id);
        return new ContainerDetails.Files(
                container(id).resolve(id + "-json.log"),
                directory.resolve("hosts"),
                directory.resolve("hostname"),
                directory.resolve("resolv.conf"));
    }

    Path runs() {
        return runRoot.resolve("c");
    }

    /// Those of a container that has the files of /etc of `owner`.
    ContainerDetails.Files files(String id, String owner) {
        var theirs = files(owner);
        return new ContainerDetails.Files(files(id).log(), theirs.hosts(), theirs.hostname(), theirs.resolver());
    }

    Path run(String id) {
        return runs().resolve(key(id));
    }

    Path etcs() {
        return runRoot.resolve("f");
    }

    /// The directory of the files that a container has in its /etc; made by its first start.
    Path etc(String id) {
        return etcs().resolve(key(id));
    }

    Path execRuns() {
        return runRoot.resolve("e");
    }

    Path execRun(String containerId, String execId) {
        return execRuns().resolve(key(containerId) + "-" + execId.substring(0, EXEC_KEY));
    }

    /// What builds keep; the builder is its owner.
    Path builds() {
        return dataRoot.resolve("build");
    }

    /// Secrets of builds that go on; on memory.
    Path buildSecrets() {
        return runRoot.resolve("b");
    }

    /// What names a container in the run root.
    static String key(String id) {
        return id.substring(0, KEY);
    }
}
