package carafe.build;

import carafe.build.source.Remotes;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.build.GitAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// A web and its repositories as a test writes them; everything that was asked is written down.
final class PlayedRemotes implements Remotes {

    final Map<String, WebFile> files = new ConcurrentHashMap<>();
    final Map<String, String> commits = new ConcurrentHashMap<>();
    final Map<String, TarText> trees = new ConcurrentHashMap<>();
    final List<String> asked = new CopyOnWriteArrayList<>();

    /// Puts a file there whose version is its text.
    void put(String url, byte[] text, String modified) {
        files.put(url, new WebFile(new ByteArrayInputStream(text), Optional.of("\"" + text.length + text[0] + "\""),
                Optional.of(modified).filter(word -> !word.isEmpty()), false));
    }

    @Override
    public WebFile file(String url, Optional<String> version, Proof proof) throws EngineException {
        var file = files.get(url);
        if (file == null) {
            throw new EngineException.Unavailable("download of " + url + ": answers with status 404");
        }
        if (version.isPresent() && version.equals(file.version())) {
            asked.add("same " + url);
            return new WebFile(InputStream.nullInputStream(), version, Optional.empty(), true);
        }
        asked.add("get " + url);
        try {
            file.body().reset();
            return new WebFile(new ByteArrayInputStream(file.body().readAllBytes()), file.version(), file.modified(), false);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public String commit(GitAddress address, Proof proof) throws EngineException {
        asked.add("commit " + address);
        var commit = commits.get(address.url() + "#" + address.ref());
        if (commit == null) {
            throw new EngineException.NotFound(address.url() + " has no " + address.ref());
        }
        return commit;
    }

    @Override
    public void checkout(GitAddress address, String commit, boolean keepGit, Proof proof, Receiver receiver)
            throws EngineException {
        asked.add("checkout " + commit + (keepGit ? " with .git" : ""));
        var tree = trees.get(commit);
        if (tree == null) {
            throw new EngineException.NotFound("no commit " + commit);
        }
        try {
            receiver.tar(tree.stream());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
