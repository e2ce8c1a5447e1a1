package carafe.engine.transfer;

import carafe.image.Artifact;
import carafe.image.Images;
import carafe.registry.Document;
import carafe.registry.ImageCopy;
import carafe.registry.ReferrerBudget;
import carafe.registry.Registries;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/// The transfers of this engine, over its images and the registries it may talk to.
public final class LiveTransfers implements ImageTransfers {

    private static final int MOST_FOUND = 100;
    private static final int MOST_REFERRERS = 1000;
    private static final String UNKNOWN = "unknown";

    private final Images images;
    private final Registries registries;
    private final Observer observer;
    private final Semaphore downloads;
    private final Semaphore uploads;

    /// Closes neither.
    public LiveTransfers(Images images, Registries registries, Limits limits, Observer observer) {
        this.images = images;
        this.registries = registries;
        this.observer = observer;
        this.downloads = new Semaphore(limits.downloads(), true);
        this.uploads = new Semaphore(limits.uploads(), true);
    }

    @Override
    public void pull(PullRequest request, TransferListener listener) throws EngineException, InterruptedException {
        var repository = registries.repository(request.name(), request.auth(),
                sentence -> listener.tell(new TransferMessage.Line(sentence)));
        try {
            var names = new ArrayList<Reference>();
            if (request.name().tag().isPresent() || request.name().digest().isPresent()) {
                names.add(request.name());
            } else {
                for (String tag : repository.tags()) {
                    names.add(request.name().withTag(tag));
                }
            }
            for (var name : names) {
                Digest id;
                try {
                    id = pull(request, repository, name, listener);
                } finally {
                    observer.namesChanged(); // what refers to an image may fail when that has its name already
                }
                observer.happened("pull", name.familiar(), Optional.of(id.toString()));
            }
        } catch (EngineException.Forbidden e) {
            throw new EngineException.NotFound(e.getMessage()); // Docker's clients expect that kind
        }
    }

    /// A mirror that says what a tag means, and is wrong, costs a second go.
    private Digest pull(PullRequest request, Repository repository, Reference name, TransferListener listener)
            throws EngineException, InterruptedException {
        while (true) {
            try {
                return new Pull(images, downloads, repository, name, listener).run(request.platform(), request.referrers());
            } catch (EngineException e) {
                if (!repository.doubt(e)) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void push(PushRequest request, TransferListener listener) throws EngineException, InterruptedException {
        var name = request.name();
        if (name.digest().isPresent()) {
            throw new EngineException.Invalid("cannot push a digest reference");
        }
        var repository = registries.repository(name, request.auth());
        listener.tell(new TransferMessage.Line("The push refers to repository [" + name.repository() + "]"));
        var tagged = Stream.concat(images.list().stream().flatMap(image -> image.tags().stream()),
                        images.artifacts().list().stream().flatMap(artifact -> artifact.tags().stream()))
                .filter(each -> each.repository().equals(name.repository()))
                .filter(each -> name.tag().isEmpty() || name.tag().equals(each.tag()))
                .distinct() // images of several platforms have it in common
                .sorted((a, b) -> a.toString().compareTo(b.toString()))
                .toList();
        if (tagged.isEmpty()) {
            throw new EngineException.NotFound("An image does not exist locally with the tag: "
                    + name.familiarRepository());
        }
        for (var each : tagged) {
            var id = new Push(images, uploads, repository, each, listener).run(request);
            observer.namesChanged();
            observer.happened("push", each.familiar(), Optional.of(id.toString()));
        }
    }

    @Override
    public Login login(AuthConfig auth) throws EngineException, InterruptedException {
        return switch (registries.login(auth)) {
            case Registries.Login.Accepted(String identity) -> new Login.Accepted(identity);
            case Registries.Login.Refused(String sentence) -> new Login.Refused(sentence);
        };
    }

    @Override
    public List<Found> search(String term, int limit, AuthConfig auth)
            throws EngineException, InterruptedException {
        return registries.search(term, Math.clamp(limit, 1, MOST_FOUND), auth).stream()
                .map(found -> new Found(
                        found.name(), found.description(), found.stars(), found.official(), found.automated()))
                .toList();
    }

    @Override
    public Inspection inspect(Reference name, AuthConfig auth) throws EngineException, InterruptedException {
        var repository = registries.repository(name, auth);
        var document = repository.fetch(called(name));
        var platforms = new LinkedHashSet<Platform>();
        if (document.isIndex()) {
            for (var entry : document.index().manifests()) {
                entry.platform().filter(each -> !each.os().equals(UNKNOWN)).ifPresent(platforms::add);
            }
        } else if (MediaTypes.isImageConfig(document.manifest().config().mediaType())) {
            platforms.add(ImageConfig.parse(repository.read(document.manifest().config(), ImageConfig.MAX_BYTES)).platform());
        }
        return new Inspection(document.descriptor(), List.copyOf(platforms));
    }

    private static String called(Reference name) {
        var full = name.withDefaultTag();
        return full.digest().map(Digest::toString).or(full::tag).orElseThrow();
    }

    @Override
    public List<String> tags(Reference name, AuthConfig auth) throws EngineException, InterruptedException {
        return registries.repository(name, auth).tags();
    }

    @Override
    public ReferrerList referrers(Reference name, AuthConfig auth) throws EngineException, InterruptedException {
        var repository = registries.repository(name, auth);
        var root = repository.fetch(called(name));
        var subjects = new ArrayList<Digest>(List.of(root.descriptor().digest()));
        if (root.isIndex()) {
            root.index().manifests().stream()
                    .filter(entry -> entry.platform().filter(made -> made.runsOn(Platform.host())).isPresent())
                    .forEach(entry -> subjects.add(entry.digest()));
        }
        var budget = ReferrerBudget.whole();
        var seen = new HashSet<>(subjects);
        var found = new ArrayList<Referrer>();
        for (int i = 0; i < subjects.size(); i++) {
            for (var entry : repository.referrers(subjects.get(i), budget)) {
                if (!seen.add(entry.digest())) {
                    continue;
                }
                if (found.size() == MOST_REFERRERS) {
                    return new ReferrerList(found, "there are more than " + MOST_REFERRERS);
                }
                subjects.add(entry.digest());
                var here = here(entry.digest());
                var names = new ArrayList<Reference>();
                here.ifPresent(artifact -> names.addAll(artifact.tags()));
                here.ifPresent(artifact -> names.addAll(artifact.digests()));
                found.add(new Referrer(entry, subjects.get(i), names, here.isPresent()));
            }
        }
        return new ReferrerList(found, budget.spent() ? "the registry lists more than " + ReferrerBudget.bounds() : "");
    }

    /// The artifact as it is here; not if it is damaged, since a pull would fetch it again.
    private Optional<Artifact> here(Digest id) {
        try {
            return images.artifacts().find(id.toString());
        } catch (EngineException e) {
            return Optional.empty();
        }
    }

    @Override
    public RemoteDocument document(Reference name, AuthConfig auth) throws EngineException, InterruptedException {
        var document = registries.repository(name, auth).fetch(called(name));
        return new RemoteDocument(document.descriptor().mediaType(), document.bytes());
    }

    @Override
    public byte[] blob(Reference name, Descriptor blob, AuthConfig auth) throws EngineException, InterruptedException {
        return registries.repository(name, auth).read(blob, ImageConfig.MAX_BYTES);
    }

    @Override
    public void take(Reference name, Descriptor blob, AuthConfig auth, Repository.BlobTaker taker)
            throws EngineException, InterruptedException {
        registries.repository(name, auth).take(blob, taker);
    }

    @Override
    public Descriptor put(Reference name, RemoteDocument document, List<Reference> parts, AuthConfig auth)
            throws EngineException, InterruptedException {
        for (var part : parts) {
            if (!part.domain().equals(name.domain())) {
                throw new EngineException.Invalid("cannot use source images from a different registry than the target"
                        + " image: " + part.domain() + " != " + name.domain());
            }
            if (!part.path().equals(name.path())) {
                copy(new Place(part, auth), new Place(name.withDigest(part.digest().orElseThrow()), auth), _ -> { });
            }
        }
        var sent = Document.of(document.mediaType(), document.bytes());
        registries.repository(name, auth).put(sent, name.withDefaultTag().tag());
        return sent.descriptor();
    }

    @Override
    public Descriptor copy(Place source, Place target, TransferListener listener)
            throws EngineException, InterruptedException {
        var copy = new ImageCopy(registries.repository(source.name(), source.auth()), source.name(),
                registries.repository(target.name(), target.auth()), target.name(),
                (id, what) -> listener.tell(new TransferMessage.About(id, what)));
        return copy.run();
    }

    @Override
    public Configured configured() {
        return new Configured(registries.mirrors("docker.io"), registries.insecure());
    }
}
