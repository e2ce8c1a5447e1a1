package carafe.engine.transfer;

import carafe.image.Images;
import carafe.image.Intake;
import carafe.registry.Document;
import carafe.registry.PlatformChoice;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;

/// One image on its way in: manifest, configuration, then the layers in parallel, each fetched, inflated and written as
/// it arrives, and at last the names.
final class Pull {

    private final Images images;
    private final Semaphore downloads;
    private final Repository repository;
    private final Reference name;
    private final TransferListener listener;

    /// What a pull found at the registry.
    private record Found(Document root, Document document, Manifest manifest, byte[] config, ImageConfig parsed) {}

    Pull(Images images, Semaphore downloads, Repository repository, Reference name, TransferListener listener) {
        this.images = images;
        this.downloads = downloads;
        this.repository = repository;
        this.name = name;
        this.listener = listener;
    }

    /// Pulls for `platform`, with what refers to it if `referrers`; the id of the image or artifact.
    Digest run(Optional<Platform> platform, boolean referrers) throws EngineException, InterruptedException {
        String called = name.digest().map(Digest::toString).or(name::tag).orElseThrow();
        var root = repository.fetch(called);
        var document = root;
        if (root.isIndex()) {
            var chosen = PlatformChoice.choose(root.index(), platform.orElseGet(Platform::host));
            document = repository.fetch(chosen.digest().toString());
        }
        var digest = root.descriptor().digest();
        var byDigest = name.withDigest(digest);
        var names = name.digest().isPresent() ? List.of(byDigest) : List.of(name, byDigest);
        var artifact = new ArtifactTransfer(images.artifacts(), downloads, repository, listener);
        Digest id;
        boolean there;
        if (document.manifest().artifact().isPresent() && !root.isIndex()) {
            listener.tell(new TransferMessage.About(called, "Pulling from " + name.path()));
            there = isHere(names, document.descriptor().digest());
            id = there ? document.descriptor().digest() : artifact.take(document, names);
        } else {
            var found = find(root, document, platform);
            listener.tell(new TransferMessage.About(called, "Pulling from " + name.path()));
            there = isHere(name, found) && isHere(byDigest, found);
            if (!there) {
                take(found, names);
            }
            id = found.manifest.config().digest();
        }
        if (there) {
            images.use(id);
        }
        if (referrers) {
            artifact.takeReferrers(root.isIndex() ? List.of(digest, document.descriptor().digest()) : List.of(digest));
        }
        listener.tell(new TransferMessage.Line("Digest: " + digest));
        listener.tell(new TransferMessage.Line(there
                ? "Status: Image is up to date for " + name.familiar()
                : "Status: Downloaded newer image for " + name.familiar()));
        return id;
    }

    /// Whether all these names mean the artifact.
    private boolean isHere(List<Reference> names, Digest artifact) throws EngineException {
        for (var each : names) {
            try {
                if (images.artifacts().find(each.toString()).filter(here -> here.id().equals(artifact)).isEmpty()) {
                    return false;
                }
            } catch (EngineException.NotFound e) {
                return false;
            }
        }
        return true;
    }

    /// Whether the name means the image with just these documents: one image may have several manifests, which differ in
    /// their annotations, and be listed by several indexes.
    private boolean isHere(Reference reference, Found found) throws EngineException {
        try {
            var image = images.find(reference.toString(), found.parsed.platform());
            var index = found.root.isIndex() ? Optional.of(found.root.descriptor().digest()) : Optional.<Digest>empty();
            return image.id().equals(found.manifest.config().digest())
                    && image.manifest().annotations().equals(found.manifest.annotations())
                    && images.indexOf(reference).equals(index);
        } catch (EngineException.NotFound | EngineException.Unsupported | EngineException.Unavailable e) {
            return false; // not here, an artifact until now, or damaged
        }
    }

    private Found find(Document root, Document document, Optional<Platform> platform)
            throws EngineException, InterruptedException {
        var manifest = document.manifest();
        if (manifest.artifact().isPresent()) {
            throw new EngineException.Unsupported(name.familiar() + " is an index of artifacts, not of container images;"
                    + " pull one of them by its digest");
        }
        byte[] config = repository.read(manifest.config(), ImageConfig.MAX_BYTES);
        var parsed = ImageConfig.parse(config);
        if (platform.isPresent() && !parsed.platform().runsOn(platform.get())) {
            throw new EngineException.NotFound("image with reference " + name.familiar() + " was found but its platform ("
                    + parsed.platform() + ") does not match the specified platform (" + platform.get() + ")");
        }
        if (parsed.diffIds().size() != manifest.layers().size()) {
            throw new EngineException.Invalid("invalid manifest, layers length mismatch: expected "
                    + parsed.diffIds().size() + ", got " + manifest.layers().size());
        }
        return new Found(root, document, manifest, config, parsed);
    }

    private void take(Found found, List<Reference> names) throws EngineException, InterruptedException {
        try (var intake = images.intake()) {
            var tasks = new ArrayList<Callable<Boolean>>();
            var seen = new HashMap<Digest, Digest>();
            for (int i = 0; i < found.manifest.layers().size(); i++) {
                var blob = found.manifest.layers().get(i);
                var diffId = found.parsed.diffIds().get(i);
                if (!MediaTypes.isLayer(blob.mediaType())) {
                    throw new EngineException.Unsupported(name.familiar() + " has a layer of the unknown type \""
                            + blob.mediaType() + "\"");
                }
                if (seen.putIfAbsent(diffId, blob.digest()) == null) {
                    tasks.add(task(intake, blob, diffId));
                }
            }
            Parallel.all(tasks);
            var index = found.root.isIndex() ? Optional.of(found.root.bytes()) : Optional.<byte[]>empty();
            intake.commit(found.config, found.document.bytes(), names, index);
        }
    }

    private Callable<Boolean> task(Intake intake, Descriptor blob, Digest diffId) throws EngineException {
        String id = blob.digest().shortHex();
        if (intake.has(diffId)) {
            listener.tell(new TransferMessage.About(id, "Already exists"));
            return () -> true;
        }
        listener.tell(new TransferMessage.About(id, "Pulling fs layer"));
        return () -> {
            if (!downloads.tryAcquire()) {
                listener.tell(new TransferMessage.About(id, "Waiting"));
                downloads.acquire();
            }
            try {
                repository.take(blob, source -> intake.layer(new Intake.Layer(blob, diffId, repository.name()),
                        () -> new ArrivingLayer(source.open(0), id, blob, listener)));
            } finally {
                downloads.release();
            }
            listener.tell(new TransferMessage.About(id, "Pull complete"));
            return true;
        };
    }
}
