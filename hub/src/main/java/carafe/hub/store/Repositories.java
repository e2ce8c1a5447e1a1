package carafe.hub.store;

import carafe.image.CommitSteps;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All repositories of a hub, in `repositories/PATH/_facts` (no path has a part with `_` in front). A repository's facts
/// are read when it is first asked for and stay in memory, about 300 bytes each.
public final class Repositories {

    private static final Logger LOG = LoggerFactory.getLogger(Repositories.class);
    private static final String FACTS = "_facts";

    private final Path root;
    private final Content content;
    private final List<Quota> quotas;
    private final Clock clock;
    private final CommitSteps steps;
    private final ConcurrentSkipListSet<String> names = new ConcurrentSkipListSet<>();
    private final Map<String, Repository> open = new ConcurrentHashMap<>();

    private Repositories(Path root, Content content, List<Quota> quotas, Clock clock, CommitSteps steps) {
        this.root = root;
        this.content = content;
        this.quotas = List.copyOf(quotas);
        this.clock = clock;
        this.steps = steps;
    }

    /// Opens what is in `root`; repositories under a quota are read at once. Tells `steps` of each change of facts.
    public static Repositories open(Path root, Content content, List<Quota> quotas, Clock clock, CommitSteps steps)
            throws IOException {
        Disk.makeDirectory(root);
        var all = new Repositories(root, content, quotas, clock, steps);
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.endsWith(FACTS)) {
                    all.names.add(root.relativize(file.resolveSibling("")).toString());
                }
                return FileVisitResult.CONTINUE;
            }
        });
        for (String name : all.names) {
            if (quotas.stream().anyMatch(quota -> quota.namespace().holds(name))) {
                all.open(name);
            }
        }
        return all;
    }

    /// Shared bytes.
    public Content content() {
        return content;
    }

    /// The repository, if anything was ever pushed to it.
    public Optional<Repository> find(String name) throws IOException {
        var known = open.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        return names.contains(name) ? Optional.of(open(name)) : Optional.empty();
    }

    /// The repository, new if need be; nothing is on disk until something is pushed. `name` must be a valid path.
    public Repository open(String name) throws IOException {
        try {
            return open.computeIfAbsent(name, this::read);
        } catch (UncheckedIOException e) {
            throw new IOException(e.getMessage(), e.getCause());
        }
    }

    private Repository read(String name) {
        try {
            var opened = Journal.open(root.resolve(name).resolve(FACTS), steps);
            var repository = new Repository(name, content, opened, quotas, clock);
            names.add(name);
            return repository;
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /// Makes durable what waits for a manifest to name it; before the hub ends as it should.
    public void settle() throws IOException {
        for (var repository : open.values()) {
            repository.settle();
        }
    }

    /// How large a blob the quotas allow in the repository `name`, which need not exist; `digest` where it is known.
    public long room(String name, Optional<Digest> digest) {
        return quotas.stream()
                .filter(quota -> quota.namespace().holds(name))
                .mapToLong(quota -> quota.room(digest))
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /// The names of all repositories from which something can be pulled, in order, after `last`.
    public Iterable<String> names(String last) {
        var following = last.isEmpty() ? names : names.tailSet(last, false);
        return () -> following.stream().filter(this::holdsManifests).iterator();
    }

    private boolean holdsManifests(String name) {
        try {
            return find(name).filter(repository -> !repository.manifests().isEmpty()).isPresent();
        } catch (IOException e) {
            LOG.warn("the repository {} cannot be read: {}", name, e.getMessage());
            return false;
        }
    }

    /// Every name, of empty repositories too.
    List<String> all() {
        return List.copyOf(names);
    }
}
