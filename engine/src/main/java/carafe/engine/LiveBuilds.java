package carafe.engine;

import carafe.build.Builder;
import carafe.build.plan.BaseImages;
import carafe.engine.transfer.ImageTransfers;
import carafe.engine.transfer.PullRequest;
import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheUse;
import carafe.spec.docker.AuthConfig;
import carafe.spec.docker.Event;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.InputStream;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// The door to builds: adds to the build room where images come from, and tells what happened.
final class LiveBuilds implements Builds, AutoCloseable {
    private final Builder builder;
    private final Images images;
    private final Tell tell;
    private final Clock clock;

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
        var builder = Builder.open(places, new Builder.Parts(parts.images(), steps, parts.clock()));
        return new LiveBuilds(builder, parts.images(), tell, parts.clock());
    }

    /// Images that are here, or at their registry, which is shown what `credentials` has for it and no more.
    private record Bases(Images images, ImageTransfers transfers, List<AuthConfig> credentials) implements BaseImages {

        @Override
        public BaseImage find(String reference, Platform platform) throws EngineException {
            try {
                return local(reference, platform);
            } catch (EngineException.NotFound e) {
                return refresh(reference, platform);
            }
        }

        @Override
        public BaseImage refresh(String reference, Platform platform) throws EngineException {
            var name = Reference.parse(reference);
            try {
                var request = new PullRequest(name.digest().isPresent() ? name : name.withDefaultTag(),
                        Optional.of(platform), credentialsFor(name.domain()));
                transfers.pull(request, _ -> { });
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException.Unavailable("fetching " + name.familiar() + ": cancelled", e);
            }
            return local(reference, platform);
        }

        private AuthConfig credentialsFor(String registry) {
            return credentials.stream().map(auth -> auth.ifFor(registry)).filter(AuthConfig::present).findFirst()
                    .orElse(AuthConfig.NONE);
        }

        private BaseImage local(String reference, Platform platform) throws EngineException {
            var image = images.find(reference, platform);
            return new BaseImage(image.id(), image.config());
        }
    }

    @Override
    public BuildOutcome build(BuildRequest request, List<AuthConfig> credentials, InputStream context,
            BuildListener listener) throws EngineException, InterruptedException {
        var outcome = builder.build(request, new Bases(images, tell.transfers, credentials), context, listener);
        tell.names.forget();
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

    @Override
    public void close() {
        builder.close();
    }
}
