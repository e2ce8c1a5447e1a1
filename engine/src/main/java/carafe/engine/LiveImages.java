package carafe.engine;

import carafe.engine.transfer.ImageTransfers;
import carafe.engine.transfer.ReferrerList;
import carafe.image.Image;
import carafe.image.ImageArchive;
import carafe.image.ImageCheck;
import carafe.image.ImageUsers;
import carafe.image.Images;
import carafe.image.LoadProgress;
import carafe.image.MadeArchive;
import carafe.image.Removal;
import carafe.registry.Registries;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.AuthConfig;
import carafe.spec.docker.Event;
import carafe.spec.docker.Filters;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The door to images: adds to the image room who uses what, and tells what happened.
final class LiveImages implements ImageCatalog, ImageTransfers.Observer {
    private static final Logger LOG = LoggerFactory.getLogger(LiveImages.class);
    private static final Set<String> KEYS = Set.of("before", "dangling", "label", "reference", "since", "until");

    private final Images images;
    private final Registries registries;
    private final Book book;
    private final ImageNames names;
    private final EventLog events;
    private final ImageMaker maker;
    private final ImagePruner pruner;

    /// Who is told of what, and when it is.
    record Tell(ImageNames names, EventLog events, Clock clock) {}

    LiveImages(Images images, Registries registries, Book book, Tell tell) {
        this.images = images;
        this.registries = registries;
        this.book = book;
        this.names = tell.names;
        this.events = tell.events;
        this.maker = new ImageMaker(images, book, tell.clock);
        this.pruner = new ImagePruner(images, this, tell.clock);
    }

    @Override
    public void load(InputStream archive, Optional<Platform> platform, LoadListener listener) throws EngineException {
        var loaded = images.load(archive, platform, new LoadProgress() {
            @Override
            public void layer(String name, long doneBytes, long totalBytes) {
                listener.layer(name, doneBytes, totalBytes);
            }

            @Override
            public void renamed(Reference name, Digest oldId) {
                listener.message("The image " + name.familiar() + " already exists, renaming the old one with ID "
                        + oldId + " to empty string");
            }
        });
        names.forget();
        for (var image : loaded) {
            String shown = image.name().map(Reference::familiar).orElse(image.id().toString());
            listener.message(image.name().isPresent() ? "Loaded image: " + shown : "Loaded image ID: " + shown);
            tell("load", image.id().toString(), shown);
        }
    }

    @Override
    public ImageDetails inspect(String name, Optional<Platform> platform) throws EngineException {
        var artifact = images.artifacts().find(name);
        if (artifact.isPresent()) {
            return ArtifactViews.details(artifact.get(), images.artifacts());
        }
        var image = platform.isPresent() ? images.find(name, platform.get()) : images.find(name);
        return new ImageDetails(
                image.id(),
                image.config(),
                Json.parseObject(images.configBytes(image.id())),
                image.manifestDigest(),
                image.tags(),
                image.digests(),
                image.size(),
                users(image.id()).size(),
                Optional.empty());
    }

    @Override
    public List<ImageSummary> list(Filters filters) throws EngineException {
        filters.allowOnly(KEYS);
        var before = moment(filters.of("before"));
        var since = moment(filters.of("since"));
        var until = ContainerFilter.until(filters, Instant.now());
        boolean dangling = filters.truth("dangling", false);
        boolean asksDangling = !filters.of("dangling").isEmpty();
        var summaries = new ArrayList<ImageSummary>();
        for (var image : all()) {
            var created = image.created().orElse(Instant.EPOCH);
            var tags = matching(image.tags(), filters.of("reference"));
            var digests = matching(image.digests(), filters.of("reference"));
            boolean shown = (!asksDangling || dangling == image.tags().isEmpty())
                    && filters.allowsLabels("label", image.labels())
                    && (before.isEmpty() || created.isBefore(before.get()))
                    && (since.isEmpty() || created.isAfter(since.get()))
                    && (until.isEmpty() || created.isBefore(until.get()))
                    && (filters.of("reference").isEmpty() || !tags.isEmpty() || !digests.isEmpty());
            if (shown) {
                summaries.add(image.shownAs(tags, digests));
            }
        }
        return summaries;
    }

    @Override
    public List<ImageManifest> manifests(Digest id) throws EngineException {
        return images.departures().manifests(id).stream().map(each -> new ImageManifest(each.manifest(), each.image().map(image ->
                new ImageManifest.Here(image.config().platform(), each.manifest().size() + image.manifest().config().size(),
                        image.size(), users(image.id()).stream().map(ImageUsers.ImageUser::containerId).toList())),
                each.attests())).toList();
    }

    /// Images, newest first, then the artifacts that people would look for: those with a name, and those that nothing
    /// keeps.
    private List<ImageSummary> all() throws EngineException {
        var all = new ArrayList<ImageSummary>();
        for (var image : images.list()) {
            var tags = shown(image.tags(), image.id());
            var digests = shown(image.digests(), image.id());
            boolean another = tags.isEmpty() && digests.isEmpty() && !(image.tags().isEmpty() && image.digests().isEmpty());
            if (!another) { // else the image of this machine's platform stands for all that its names mean
                all.add(new ImageSummary(image.id(), tags, digests, image.config().created(), image.size(),
                        image.config().run().labels(), users(image.id()).size(), Optional.empty()));
            }
        }
        for (var artifact : images.artifacts().list()) {
            boolean named = !artifact.tags().isEmpty() || !artifact.digests().isEmpty();
            if (named || !images.artifacts().isKept(artifact)) {
                all.add(ArtifactViews.summary(artifact));
            }
        }
        return all;
    }

    private List<Reference> shown(List<Reference> all, Digest id) {
        return all.stream().filter(name -> images.isShown(name, id)).toList();
    }

    private Optional<Instant> moment(Set<String> named) throws EngineException {
        Optional<Instant> moment = Optional.empty();
        for (var name : named) {
            moment = inspect(name, Optional.empty()).config().created();
        }
        return moment;
    }

    /// The names that one of `patterns` (shell patterns, a tag optional) matches; all when there are none.
    private static List<Reference> matching(List<Reference> tags, Set<String> patterns) {
        if (patterns.isEmpty()) {
            return tags;
        }
        var matching = new ArrayList<Reference>();
        for (var tag : tags) {
            for (var pattern : patterns) {
                var glob = FileSystems.getDefault().getPathMatcher(
                        "glob:" + (pattern.length() > 256 ? "" : pattern.replaceAll("[{}]", "")));
                boolean matches = List.of(
                                tag.familiar(), tag.familiarRepository(), tag.toString(), tag.repository())
                        .stream()
                        .anyMatch(text -> glob.matches(Path.of(text)));
                if (matches && !matching.contains(tag)) {
                    matching.add(tag);
                }
            }
        }
        return matching;
    }

    @Override
    public void tag(String source, String repository, String tag) throws EngineException {
        var target = Reference.parse(repository);
        if (target.digest().isPresent()) {
            throw new EngineException.Invalid("refusing to create a tag with a digest reference");
        }
        if (target.familiarRepository().equals("sha256")) {
            throw new EngineException.Invalid(
                    "refusing to create an ambiguous tag using digest algorithm as name");
        }
        var id = images.tag(source, tag.isEmpty() ? target.withDefaultTag() : target.withTag(tag));
        names.forget();
        tell("tag", id.toString(), tag.isEmpty()
                ? target.withDefaultTag().familiar()
                : target.withTag(tag).familiar());
    }

    @Override
    public List<ImageRemoval> remove(String name, boolean force) throws EngineException {
        var removals = images.remove(name, force, this::users);
        names.forget();
        var result = new ArrayList<ImageRemoval>();
        for (var removal : removals) {
            switch (removal) {
                case Removal.Untagged(var shown, var image) -> {
                    result.add(new ImageRemoval.Untagged(shown));
                    tell("untag", image.toString(), image.toString());
                }
                case Removal.Deleted(var image) -> {
                    result.add(new ImageRemoval.Deleted(image.toString()));
                    tell("delete", image.toString(), image.toString());
                }
                case Removal.LayerDeleted(var chain) -> result.add(new ImageRemoval.Deleted(chain.toString()));
            }
        }
        return result;
    }

    private List<ImageUsers.ImageUser> users(Digest id) {
        String text = id.toString();
        return book.all().stream()
                .map(Container::snapshot)
                .filter(container -> container.image().id().equals(text))
                .map(container -> new ImageUsers.ImageUser(container.id(), container.state().alive()))
                .toList();
    }

    @Override
    public List<ImageHistory> history(String name) throws EngineException {
        return images.history(name).stream()
                .map(entry -> new ImageHistory(
                        entry.id(), entry.created(), entry.createdBy(), entry.tags(), entry.size(), entry.comment()))
                .toList();
    }

    @Override
    public long layerBytes() throws EngineException {
        return images.layerBytes() + images.artifacts().bytes();
    }

    @Override
    public Download save(List<String> saved, Optional<Platform> platform) throws EngineException {
        return download(images.save(saved, platform));
    }

    @Override
    public MadeDownload save(BuiltArchive built) throws EngineException {
        var ids = new ArrayList<Digest>();
        for (String id : built.ids()) {
            ids.add(Digest.parse(id));
        }
        var named = new ArrayList<Reference>();
        for (String name : built.names()) {
            named.add(Reference.parse(name).withDefaultTag());
        }
        if (ids.isEmpty() || built.index().isEmpty() && Set.copyOf(ids).size() > 1) {
            throw new EngineException.Invalid("an archive of what was built has one image, or an index over several");
        }
        var ofManifests = new HashMap<Digest, Map<String, String>>();
        for (var said : built.ofManifests().entrySet()) {
            ofManifests.put(Digest.parse(said.getKey()), said.getValue());
        }
        var archive = images.departures().save(new MadeArchive(ids, built.index(), named, built.annotations(), ofManifests,
                built.form()));
        boolean known = false;
        try {
            var made = new MadeDownload(download(archive), archive.only());
            known = true;
            return made;
        } catch (IOException e) {
            throw Failures.io("cannot read what was built", e);
        } finally {
            if (!known) {
                archive.close();
            }
        }
    }

    @Override
    public Download files(String image) throws EngineException {
        var files = images.snapshots().files(images.find(image));
        return new Download() {
            @Override
            public void write(OutputStream out) throws IOException, EngineException {
                files.write(out);
            }

            @Override
            public void close() {
                try {
                    files.close();
                } catch (EngineException e) {
                    LOG.warn("what the files of {} were read through stays until the next start", image, e);
                }
            }
        };
    }

    private Download download(ImageArchive archive) {
        for (var id : archive.ids()) {
            tell("save", id.toString(), id.toString());
        }
        return new Download() {
            @Override
            public void write(OutputStream out) throws IOException, EngineException {
                archive.write(out);
            }

            @Override
            public void close() {
                archive.close();
            }
        };
    }

    @Override
    public String importRoot(InputStream tar, ImportRequest request) throws EngineException {
        Digest id;
        try (var from = request.source().equals("-") ? tar : registries.web(request.source())) {
            id = maker.importRoot(from, request);
        } catch (IOException e) {
            throw new EngineException.Unavailable("import from " + request.source() + ": " + e.getMessage(), e);
        }
        names.forget();
        tell("import", id.toString(), id.toString());
        return id.toString();
    }

    @Override
    public String commit(CommitRequest request) throws EngineException, InterruptedException {
        var id = maker.commit(request);
        names.forget();
        return id.toString();
    }

    @Override
    public ImagePrune prune(Filters filters) throws EngineException {
        var pruned = pruner.prune(filters);
        events.publish(Event.Type.IMAGE, "prune", "", Map.of("reclaimed", Long.toString(pruned.reclaimedBytes())));
        return pruned;
    }

    /// Whether a container was made of the image.
    boolean isUsed(Digest id) {
        return !users(id).isEmpty();
    }

    @Override
    public DiskUsage usage(List<ContainerSummary> containers) throws EngineException {
        var shared = new TreeMap<Digest, Long>();
        long all = images.artifacts().bytes();
        for (var layer : images.layerUses()) {
            all += layer.isNeeded() ? layer.fileBytes() : 0; // else it is the build cache's
            if (layer.images().size() > 1) {
                layer.images().forEach(id -> shared.merge(id, layer.fileBytes(), Long::sum));
            }
        }
        return new DiskUsage(all, list(Filters.parse("")), shared, containers);
    }

    @Override
    public CheckResult check(boolean repair, Optional<InputStream> archive, AuthConfig auth) throws EngineException {
        var report = images.check(repair ? new RepairSources(registries, archive, auth) : ImageCheck.Sources.NONE);
        return new CheckResult(report.blobs(), report.layers(), report.bytes(), report.problems().stream()
                .map(each -> new CheckResult.Problem(each.kind(), each.digest().toString(), each.fault(), each.images(),
                        each.repaired()))
                .toList());
    }

    @Override
    public ReferrerList referrers(String name) throws EngineException {
        return ArtifactViews.referrers(name, images);
    }

    @Override
    public void namesChanged() {
        names.forget();
    }

    /// Docker tells transfers with the image's name in the place of its id.
    @Override
    public void happened(String action, String name, Optional<String> imageId) {
        tell(action, name, imageId.orElse(""), name);
    }

    private void tell(String action, String id, String name) {
        tell(action, id, id, name);
    }

    private void tell(String action, String actor, String id, String name) {
        Map<String, String> labels = Map.of();
        try {
            labels = images.byId(Digest.parse(id)).map(Image::config).map(config -> config.run().labels())
                    .orElse(Map.of());
        } catch (EngineException e) {
            labels = Map.of(); // the image is gone by now: told without its labels
        }
        var attributes = new TreeMap<>(labels);
        attributes.put("name", name);
        events.publish(Event.Type.IMAGE, action, actor, attributes);
    }
}
