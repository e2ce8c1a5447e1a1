package carafe.build.solve;

import carafe.build.plan.Operation;
import carafe.build.source.Checkout;
import carafe.build.source.Contexts;
import carafe.build.source.Remotes;
import carafe.build.step.CopyStep;
import carafe.build.tree.Closing;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.GitAddress;
import carafe.spec.oci.Digest;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What an ADD gets from the web and from repositories. First it is found out what each source is now, as far as the
/// step's key needs it: the digest of a file (told by `--checksum`, or by the server which says that the version of an
/// earlier build still holds), the commit of a repository. Only where the step is not cached the rest is fetched.
final class Fetched implements AutoCloseable {

    private static final long MAX_FILE_BYTES = 16L << 30;
    private static final String KIND = "web";

    private final Workshop workshop;
    private final Job job;
    private final Operation.Copy copy;
    private final boolean usesCache;
    private final Map<String, Located> located = new HashMap<>();
    private final List<ContextArchive> opened = new ArrayList<>();

    /// What a source is now.
    private sealed interface Located {}

    private record File(String url, String name, Digest content, Optional<Spooled> here) implements Located {}

    private record Tree(GitAddress address, String commit, boolean keepGit) implements Located {}

    private record Spooled(ContextArchive archive, Node file, Digest content) {}

    Fetched(Workshop workshop, Job job, Operation.Copy copy, boolean usesCache) {
        this.workshop = workshop;
        this.job = job;
        this.copy = copy;
        this.usesCache = usesCache;
    }

    private Remotes remotes() {
        return job.contexts().remotes();
    }

    /// Finds out what the sources are, and adds them to the key.
    void locate(StepKey key) throws IOException, EngineException, InterruptedException {
        var remote = copy.sources().stream().filter(BuildContexts::isRemote).toList();
        var checksum = copy.options().checksum();
        if (checksum.isPresent() && copy.sources().size() > 1) {
            throw new EngineException.Invalid("ADD --checksum is for one source, not for " + copy.sources().size());
        }
        for (String source : remote) {
            var address = GitAddress.parse(source);
            var found = address.isPresent() ? tree(address.get(), checksum) : file(source, checksum);
            located.put(source, found);
            key.with("source " + source, switch (found) {
                case File file -> file.name + " " + file.content;
                case Tree tree -> tree.commit + " " + tree.keepGit + " " + tree.address.submodules();
            });
        }
    }

    private Tree tree(GitAddress address, Optional<String> checksum) throws EngineException, InterruptedException {
        if (address.login().isPresent()) {
            throw new EngineException.Invalid("ADD " + address + ": name and password would stay in the image's history; "
                    + "give them as the secret GIT_AUTH_TOKEN");
        }
        if (checksum.isPresent() && checksum.get().startsWith("sha256:")) {
            throw new EngineException.Invalid("ADD --checksum of a repository is a commit, not " + checksum.get());
        }
        String commit = Contexts.commit(remotes(), address, checksum.isPresent() ? checksum : address.checksum(),
                job.contexts().proof());
        boolean keepGit = (copy.options().keepGitDirectory() || address.keepGit().orElse(false))
                && address.directory().isEmpty();
        return new Tree(address, commit, keepGit);
    }

    private File file(String url, Optional<String> checksum) throws IOException, EngineException, InterruptedException {
        String name = name(url);
        if (checksum.isPresent()) {
            return new File(url, name, Digest.parse(checksum.get()), Optional.empty());
        }
        var known = usesCache ? job.results().find(key(url)) : Optional.<StepRecord>empty();
        var version = known.map(record -> record.inputs().getOrDefault("version", "")).filter(text -> !text.isEmpty());
        try (var answer = remotes().file(url, version, job.contexts().proof())) {
            if (answer.unchanged()) {
                var content = Digest.parse(known.orElseThrow().inputs().getOrDefault("content", ""));
                return new File(url, name, content, Optional.empty());
            }
            var here = spool(url, answer);
            return new File(url, name, here.content, Optional.of(here));
        }
    }

    /// The last name of the URL's path.
    private String name(String url) throws EngineException.Invalid {
        String name;
        try {
            String path = String.valueOf(new URI(url).getPath());
            name = path.substring(path.lastIndexOf('/') + 1);
        } catch (URISyntaxException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
        boolean usable = !name.isEmpty() && !name.equals(".") && !name.equals("..") && name.indexOf('\0') < 0;
        if (!usable && copy.destination().endsWith("/")) {
            throw new EngineException.Invalid("ADD " + url + ": its path ends in no name for the file; name it in the "
                    + "destination");
        }
        return usable ? name : "file";
    }

    private static Digest key(String url) {
        return new StepKey(KIND, Optional.empty()).with("url", url).digest();
    }

    private Spooled spool(String url, Remotes.WebFile answer) throws IOException, EngineException {
        var archive = ContextArchive.empty(workshop.place().scratch());
        opened.add(archive);
        var node = archive.add("file", 0600, modified(answer.modified()), answer.body(), MAX_FILE_BYTES);
        var content = archive.content(node);
        if (answer.version().isPresent()) {
            var now = workshop.clock().instant();
            job.results().put(new StepRecord(key(url), KIND, url, Optional.empty(), now, now, 0,
                    Map.of("version", answer.version().get(), "content", content.toString())));
        }
        return new Spooled(archive, node, content);
    }

    private static Node.Time modified(Optional<String> text) {
        try {
            return new Node.Time(text.isEmpty() ? 0
                    : Math.max(0, ZonedDateTime.parse(text.get(), DateTimeFormatter.RFC_1123_DATE_TIME).toEpochSecond()), 0);
        } catch (DateTimeException e) {
            return new Node.Time(0, 0);
        }
    }

    /// Fetches what is missing, and takes all sources in their order; local ones are in the context.
    void into(CopyStep step) throws IOException, EngineException, InterruptedException {
        for (String source : copy.sources()) {
            switch (located.get(source)) {
                case File file -> {
                    var here = file.here.isPresent() ? file.here.get() : fetch(file);
                    step.takeFile(here.archive, here.file, file.name);
                }
                case Tree tree -> {
                    var archive = ContextArchive.empty(workshop.place().scratch());
                    opened.add(archive);
                    remotes().checkout(tree.address, tree.commit, tree.keepGit, job.contexts().proof(),
                            new Checkout(archive));
                    if (!tree.address.directory().isEmpty()) {
                        archive.narrow(tree.address.directory());
                    }
                    step.take("", archive);
                }
                case null -> step.take(source, job.contexts().main());
            }
        }
    }

    private Spooled fetch(File file) throws IOException, EngineException, InterruptedException {
        try (var answer = remotes().file(file.url, Optional.empty(), job.contexts().proof())) {
            var here = spool(file.url, answer);
            if (!here.content.equals(file.content)) {
                throw new EngineException.Invalid("ADD " + file.url + ": what the server gives has the digest " + here.content
                        + ", not " + file.content + (copy.options().checksum().isPresent() ? " as --checksum says"
                        : ", which it was when the build began; build again"));
            }
            return here;
        }
    }

    @Override
    public void close() throws IOException {
        Closing.all(opened.stream().<Closeable>map(archive -> archive::close).toList());
    }
}
