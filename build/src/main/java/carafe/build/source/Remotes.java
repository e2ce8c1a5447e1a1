package carafe.build.source;

import carafe.spec.EngineException;
import carafe.spec.build.GitAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// Fetches what lies elsewhere. Every call blocks and has limits of its own; an interrupt ends it and leaves nothing.
public interface Remotes {

    /// What a build may show to prove who asks: secrets by id, agents' sockets by id.
    record Proof(Map<String, byte[]> secrets, Map<String, String> agents) {
        public Proof {
            secrets = Map.copyOf(secrets);
            agents = Map.copyOf(agents);
        }
    }

    /// A file as its server gives it; to be closed.
    ///
    /// @param version   what the server calls this state of the file, if it says
    /// @param modified  the server's `Last-Modified`, if it says
    /// @param unchanged it is still in the version that was named; then the body is empty
    record WebFile(InputStream body, Optional<String> version, Optional<String> modified, boolean unchanged)
            implements AutoCloseable {
        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    /// Asks for a file, unless it is still in `version`.
    WebFile file(String url, Optional<String> version, Proof proof) throws EngineException, InterruptedException;

    /// The commit that the address's ref means now, 40 or 64 hexadecimal digits.
    String commit(GitAddress address, Proof proof) throws EngineException, InterruptedException;

    /// Fetches the files of a commit, with submodules if the address says so, and the repository itself with `keepGit`.
    void checkout(GitAddress address, String commit, boolean keepGit, Proof proof, Receiver receiver)
            throws EngineException, InterruptedException;

    /// Takes what was checked out, part by part. Tars hold hostile names; directories were made by git.
    interface Receiver {

        /// The files of a repository, or of a submodule below the path where it belongs.
        void tar(InputStream tar) throws IOException, EngineException;

        /// A directory of regular files, to be put at `path`.
        void directory(String path, Path directory) throws IOException, EngineException;
    }
}
