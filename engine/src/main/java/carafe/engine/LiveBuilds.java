package carafe.engine;

import carafe.build.Builder;
import carafe.build.CacheCollector;
import carafe.build.cache.CacheImage;
import carafe.build.plan.BaseImages;
import carafe.engine.transfer.ImageTransfers;
import carafe.engine.transfer.PullRequest;
import carafe.engine.transfer.PushRequest;
import carafe.engine.transfer.TransferMessage;
import carafe.image.Image;
import carafe.image.Images;
import carafe.image.ImageUsers;
import carafe.image.Intake;
import carafe.spec.EngineException;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.build.CacheImport;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheRules;
import carafe.spec.build.CacheUse;
import carafe.spec.docker.AuthConfig;
import carafe.spec.docker.Event;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.InputStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The door to builds: adds to the build room where images come from, and tells what happened.
final class LiveBuilds implements Builds, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveBuilds.class);
    private static final int LEAST_ID = 12; // shorter, it is rather a name

    private final Builder builder;
    private final Images images;
    private final Tell tell;
    private final Clock clock;
    private Optional<CacheCollector> collector = Optional.empty();

    /// Who is told of new names, and who fetches images that are missing.
    record Tell(ImageNames names, EventLog events, ImageTransfers transfers) {}

    private LiveBuilds(Builder builder, Images images, Tell tell, Clock clock) {
        this.builder = builder;
        this.images = images;
        this.tell = tell;
        this.clock = clock;
    }

    static LiveBuilds open(Engine.Parts parts, BuildSteps steps, Layout layout, Tell tell) throws EngineException {
        var places = new Builder.Places(layout.builds(), layout.buildSecrets());
        var git = GitProgram.open(layout.builds().resolve("git"), layout.builds().resolve("known_hosts"));
        var remotes = new LiveRemotes(parts.remote().registries(), git);
        var builder = Builder.open(places, new Builder.Parts(parts.images(), steps, remotes, parts.clock()));
        return new LiveBuilds(builder, parts.images(), tell, parts.clock());
    }

    /// Collects what builds keep from now on; at the engine's start.
    void collect(CacheRules rules) {
        collector = Optional.of(CacheCollector.begin(builder.keeping(), rules, clock));
    }

    /// Images that are here, or at their registry, which is shown what `credentials` has for it and no more.
    /// `listener` hears how they come.
    private record Bases(Images images, ImageTransfers transfers, List<AuthConfig> credentials, BuildListener listener)
            implements BaseImages {

        @Override
        public BaseImage find(String reference, Platform platform) throws EngineException {
            try {
                return local(reference, platform);
            } catch (EngineException.NotFound e) {
                if (isId(reference)) {
                    throw e; // no registry has ids
                }
                return refresh(reference, platform);
            }
        }

        /// Whether it is no name but says an image of this engine.
        private boolean isId(String reference) throws EngineException {
            try {
                var id = images.find(reference).id();
                return reference.length() >= LEAST_ID && (id.toString().startsWith(reference) || id.hex().startsWith(reference));
            } catch (EngineException.NotFound e) {
                return false;
            }
        }

        @Override
        public BaseImage refresh(String reference, Platform platform) throws EngineException {
            var given = Reference.parse(reference);
            var name = given.digest().isPresent() ? given : given.withDefaultTag();
            listener.on(new BuildEvent.Resolving(name.toString()));
            String error = "cancelled";
            try {
                transfers.pull(new PullRequest(name, Optional.of(platform), credentialsFor(name.domain())),
                        message -> listener.on(told(name.toString(), message)));
                error = "";
            } catch (EngineException e) {
                error = String.valueOf(e.getMessage());
                throw e;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException.Unavailable("fetching " + name.familiar() + ": cancelled", e);
            } finally {
                listener.on(new BuildEvent.Fetched(name.toString(), error));
            }
            return local(reference, platform);
        }

        private static BuildEvent told(String name, TransferMessage message) {
            return switch (message) {
                case TransferMessage.Line(String text) -> new BuildEvent.Fetching(name, "", text, 0, 0);
                case TransferMessage.About(String id, String text) -> new BuildEvent.Fetching(name, id, text, 0, 0);
                case TransferMessage.Moving(String id, String text, long current, long total) ->
                    new BuildEvent.Fetching(name, id, text, current, total);
                case TransferMessage.Pushed pushed -> throw new AssertionError("a pull pushes nothing: " + pushed);
            };
        }

        @Override
        public List<CacheImage> cache(CacheImport asked, List<Platform> platforms)
                throws EngineException, InterruptedException {
            if (asked.remote()) {
                var name = Reference.parse(asked.reference()).withDefaultTag();
                try {
                    return remote(name, platforms);
                } catch (EngineException e) { // whatever is wrong with it, the build can do without
                    LOG.info("the cache {} is not to be had at its registry", asked.reference(), e);
                }
            }
            try {
                return here(images, asked.reference(), platforms);
            } catch (EngineException.NotFound e) {
                return List.of();
            }
        }

        /// Their documents now, their layers when they are wanted.
        private List<CacheImage> remote(Reference name, List<Platform> platforms)
                throws EngineException, InterruptedException {
            var auth = credentialsFor(name.domain());
            var document = transfers.document(name, auth);
            if (!MediaTypes.isIndex(document.mediaType())) {
                return List.of(remote(name, document, auth));
            }
            var found = new ArrayList<CacheImage>();
            for (var entry : Index.parse(document.bytes()).manifests()) {
                boolean wanted = platforms.stream()
                        .anyMatch(platform -> entry.platform().map(made -> made.runsOn(platform)).orElse(false));
                if (wanted) {
                    found.add(remote(name, transfers.document(name.withDigest(entry.digest()), auth), auth));
                }
            }
            if (found.isEmpty()) {
                throw new EngineException.NotFound("the cache " + name.familiar() + " is not for this platform");
            }
            return found;
        }

        private CacheImage remote(Reference name, ImageTransfers.RemoteDocument document, AuthConfig auth)
                throws EngineException, InterruptedException {
            var manifest = Manifest.parse(document.bytes());
            byte[] configBytes = transfers.blob(name, manifest.config(), auth);
            var config = ImageConfig.parse(configBytes);
            if (config.diffIds().size() != manifest.layers().size()) {
                throw new EngineException.Invalid("the cache " + name.familiar() + " has " + manifest.layers().size()
                        + " layers, but its configuration names " + config.diffIds().size());
            }
            return new CacheImage(name.familiar(), configBytes, config, manifest, (diffId, intake) -> {
                var blob = manifest.layers().get(config.diffIds().indexOf(diffId));
                transfers.take(name, blob, auth, source ->
                        intake.layer(new Intake.Layer(blob, diffId, name.repository()), () -> source.open(0)));
                return true;
            });
        }

        private AuthConfig credentialsFor(String registry) {
            return credentials.stream().map(auth -> auth.ifFor(registry)).filter(AuthConfig::present).findFirst()
                    .orElse(AuthConfig.NONE);
        }

        private BaseImage local(String reference, Platform platform) throws EngineException {
            var image = images.find(reference, platform);
            images.use(image.id());
            return new BaseImage(image.id(), image.config());
        }
    }

    /// What a name means here for these platforms; where it has nothing for them, what it is shown as.
    private static List<CacheImage> here(Images images, String reference, List<Platform> platforms) throws EngineException {
        var found = new LinkedHashMap<Digest, CacheImage>();
        for (var platform : platforms) {
            try {
                var image = images.find(reference, platform);
                found.put(image.id(), cache(images, reference, image));
            } catch (EngineException.NotFound e) {
                LOG.debug("the cache {} has nothing for {}", reference, platform);
            }
        }
        return found.isEmpty() ? List.of(cache(images, reference, images.find(reference))) : List.copyOf(found.values());
    }

    private static CacheImage cache(Images images, String reference, Image image) throws EngineException {
        images.use(image.id());
        return new CacheImage(reference, images.configBytes(image.id()), image.config(), image.manifest(),
                (diffId, intake) -> intake.has(diffId));
    }

    /// A name that an image has here is not given to a cache: that image would lose it.
    private void checkExports(BuildRequest request) throws EngineException {
        for (var to : request.cache().to()) {
            if (to.kind() == CacheExport.Kind.REGISTRY) {
                var name = Reference.parse(to.reference()).withDefaultTag();
                try {
                    images.find(name.toString());
                } catch (EngineException.NotFound e) {
                    continue;
                }
                throw new EngineException.Conflict("the cache cannot go to " + name.familiar()
                        + ": an image of this engine has that name; choose another, such as " + name.familiarRepository()
                        + ":buildcache");
            }
        }
    }

    /// Sends the caches that are for registries, and lets go of their names here: of those alone, whatever else has the
    /// same image; one that is for the client too stays until he has it.
    private void push(BuildRequest request, BuildOutcome outcome, Bases bases, BuildListener listener)
            throws EngineException, InterruptedException {
        var exports = request.cache().to().stream().filter(to -> to.kind() != CacheExport.Kind.INLINE).toList();
        var names = new LinkedHashSet<Reference>();
        var needed = new HashSet<Reference>();
        var wanted = new HashSet<String>();
        for (int i = 0; i < exports.size(); i++) {
            if (exports.get(i).kind() == CacheExport.Kind.REGISTRY) {
                var name = Reference.parse(exports.get(i).reference()).withDefaultTag();
                names.add(name);
                if (!exports.get(i).ignoreError()) {
                    needed.add(name);
                }
            } else {
                wanted.add(outcome.cacheIds().get(i));
            }
        }
        try {
            for (var name : names) {
                try {
                    tell.transfers.push(new PushRequest(name, bases.credentialsFor(name.domain())), _ -> { });
                } catch (EngineException e) {
                    if (needed.contains(name)) {
                        throw e;
                    }
                    listener.on(new BuildEvent.Note("the cache did not go to " + name.familiar() + ": " + e.getMessage()));
                }
            }
        } finally {
            letGo(images, names, wanted);
            tell.names.forget();
        }
    }

    /// Takes these names from their images; an image goes with its last one unless its id is `wanted`.
    static void letGo(Images images, Set<Reference> names, Set<String> wanted) throws EngineException {
        ImageUsers client = id -> wanted.contains(id.toString())
                ? List.of(new ImageUsers.ImageUser("the build's client", true)) : List.of();
        for (var name : names) {
            images.remove(name.toString(), true, client);
        }
    }

    @Override
    public String exportMounts(List<String> ids) throws EngineException, InterruptedException {
        return builder.exportMounts(ids).toString();
    }

    @Override
    public List<String> importMounts(String image) throws EngineException, InterruptedException {
        return builder.importMounts(cache(images, image, images.find(image)));
    }

    @Override
    public BuildOutcome build(BuildRequest request, List<AuthConfig> credentials, InputStream context,
            BuildListener listener) throws EngineException, InterruptedException {
        try {
            return make(request, credentials, context, listener);
        } finally {
            collector.ifPresent(CacheCollector::soon);
        }
    }

    private BuildOutcome make(BuildRequest request, List<AuthConfig> credentials, InputStream context,
            BuildListener listener) throws EngineException, InterruptedException {
        checkExports(request);
        var bases = new Bases(images, tell.transfers, credentials, listener);
        var outcome = builder.build(request, bases, context, listener);
        if (outcome.contextWanted()) {
            return outcome;
        }
        tell.names.forget();
        push(request, outcome, bases, listener);
        if (outcome.imageId().isPresent()) {
            for (String tag : request.tags()) {
                var attributes = new TreeMap<String, String>();
                attributes.put("name", Reference.parse(tag).withDefaultTag().familiar());
                tell.events.publish(Event.Type.IMAGE, "tag", outcome.imageId().get(), attributes);
            }
        }
        return outcome;
    }

    @Override
    public List<CacheUse> cache() throws EngineException {
        return builder.keeping().list();
    }

    @Override
    public CachePruned prune(CachePrune prune) throws EngineException {
        return builder.keeping().prune(prune, clock.instant());
    }

    /// Stops collecting, and no more.
    void abandon() {
        collector.ifPresent(CacheCollector::close);
    }

    @Override
    public void close() {
        abandon();
        builder.close();
    }
}
