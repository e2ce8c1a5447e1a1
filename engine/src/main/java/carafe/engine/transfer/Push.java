package carafe.engine.transfer;

import carafe.image.Images;
import carafe.image.Intake;
import carafe.image.Outgoing;
import carafe.image.OutgoingImages;
import carafe.image.OutgoingLayer;
import carafe.image.SharedIndex;
import carafe.registry.Document;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;

/// One name on its way out, an image or those of several platforms with their index: layers in parallel, those the registry
/// has or can mount not sent, then configuration and manifest, and at last the index. The manifest that an image came with
/// is sent as it is when all its blobs are there, else one over the blobs that were made.
final class Push {

    private static final long STEP_NANOS = 100_000_000;
    private static final int MOUNTS_TRIED = 4;

    private final Images images;
    private final Semaphore uploads;
    private final Repository repository;
    private final Reference name;
    private final TransferListener listener;

    Push(Images images, Semaphore uploads, Repository repository, Reference name, TransferListener listener) {
        this.images = images;
        this.uploads = uploads;
        this.repository = repository;
        this.name = name;
        this.listener = listener;
    }

    /// Pushes the image or artifact that the name means here, for one platform and with what refers to it if `request` says
    /// so; its id.
    Digest run(PushRequest request) throws EngineException, InterruptedException {
        var transfer = new ArtifactTransfer(images.artifacts(), uploads, repository, listener);
        var artifact = images.artifacts().find(name.toString());
        Descriptor pushed;
        Digest id;
        if (artifact.isPresent()) {
            try (var outgoing = images.artifacts().outgoing(artifact.get())) {
                pushed = transfer.send(outgoing, name.tag()).descriptor();
            }
            id = artifact.get().id();
            images.artifacts().named(id, name.withDigest(id));
        } else {
            var platform = request.platform();
            try (var outgoing = platform.isPresent() ? images.departures().outgoing(name.toString(), platform.get())
                    : images.outgoing(name.toString())) {
                id = outgoing.images().getFirst().image().id();
                pushed = outgoing.index().isPresent() ? together(outgoing, outgoing.index().get())
                        : alone(outgoing.images().getFirst());
            }
        }
        if (request.referrers()) {
            listener.tell(new TransferMessage.Line("Referrers: " + transfer.sendReferrers(id, pushed.digest())));
        }
        String tag = name.tag().orElseThrow();
        listener.tell(new TransferMessage.Line(tag + ": digest: " + pushed.digest() + " size: " + pushed.size()));
        listener.tell(new TransferMessage.Pushed(tag, pushed.digest().toString(), pushed.size()));
        return id;
    }

    private Descriptor alone(Outgoing outgoing) throws EngineException, InterruptedException {
        var document = image(outgoing, name.tag());
        var byDigest = name.withDigest(document.descriptor().digest());
        if (!outgoing.image().digests().contains(byDigest)) {
            remember(List.of(new Intake.Made(outgoing.config(), document.bytes())), byDigest, Optional.empty());
        }
        return document.descriptor();
    }

    /// The images of several platforms, then the index over the manifests they have there.
    private Descriptor together(OutgoingImages all, SharedIndex index) throws EngineException, InterruptedException {
        var parts = new ArrayList<SharedIndex.Part>();
        var made = new ArrayList<Intake.Made>();
        for (var outgoing : all.images()) {
            var document = image(outgoing, Optional.empty());
            parts.add(new SharedIndex.Part(outgoing.image(), document.descriptor()));
            made.add(new Intake.Made(outgoing.config(), document.bytes()));
        }
        byte[] bytes = index.over(parts);
        var document = Document.of(Index.parse(bytes).mediaType(), bytes);
        repository.put(document, name.tag());
        var byDigest = name.withDigest(document.descriptor().digest());
        if (!all.images().stream().allMatch(each -> each.image().digests().contains(byDigest))) {
            remember(made, byDigest, Optional.of(bytes));
        }
        return document.descriptor();
    }

    private Document image(Outgoing outgoing, Optional<String> tag) throws EngineException, InterruptedException {
        var distinct = new LinkedHashMap<Digest, OutgoingLayer>();
        outgoing.layers().forEach(layer -> distinct.putIfAbsent(layer.diffId(), layer));
        distinct.keySet().forEach(id -> listener.tell(new TransferMessage.About(id.shortHex(), "Preparing")));
        var tasks = new ArrayList<Callable<Descriptor>>();
        distinct.values().forEach(layer -> tasks.add(() -> sendInTurn(layer)));
        var sent = Parallel.all(tasks);
        var blobs = new LinkedHashMap<Digest, Descriptor>();
        int next = 0;
        for (var diffId : distinct.keySet()) {
            blobs.put(diffId, sent.get(next++));
        }
        var manifest = outgoing.image().manifest();
        repository.upload(manifest.config().mediaType(), outgoing.config());
        var document = document(outgoing, blobs);
        repository.put(document, tag);
        return document;
    }

    private Descriptor sendInTurn(OutgoingLayer layer) throws EngineException, InterruptedException {
        String id = layer.diffId().shortHex();
        if (!uploads.tryAcquire()) {
            listener.tell(new TransferMessage.About(id, "Waiting"));
            uploads.acquire();
        }
        try {
            var there = there(layer, id);
            var blob = there.isPresent() ? there.get() : send(layer, id);
            layer.seen(blob, repository.name());
            return blob;
        } finally {
            uploads.release();
        }
    }

    /// A blob of the layer that the registry has here already, or has mounted.
    private Optional<Descriptor> there(OutgoingLayer layer, String id) throws EngineException, InterruptedException {
        for (var known : layer.known()) {
            if (repository.has(known.blob().digest())) {
                listener.tell(new TransferMessage.About(id, "Layer already exists"));
                return Optional.of(known.blob());
            }
        }
        int tried = 0;
        for (var known : layer.known()) {
            for (String from : known.repositories()) {
                String prefix = name.domain() + "/";
                boolean same = from.startsWith(prefix) && !from.equals(repository.name());
                if (same && tried++ < MOUNTS_TRIED
                        && repository.mount(known.blob().digest(), from.substring(prefix.length()))) {
                    listener.tell(new TransferMessage.About(id, "Mounted from " + from.substring(prefix.length())));
                    return Optional.of(known.blob());
                }
            }
        }
        return Optional.empty();
    }

    private Descriptor send(OutgoingLayer layer, String id) throws EngineException, InterruptedException {
        long total = layer.tarBytes();
        var telling = new Object() {
            private long toldAt = System.nanoTime() - STEP_NANOS;

            void sent(long bytes) {
                long now = System.nanoTime();
                if (now - toldAt >= STEP_NANOS) {
                    toldAt = now;
                    listener.tell(new TransferMessage.Moving(id, "Pushing", bytes, Math.max(bytes, total)));
                }
            }
        };
        var blob = repository.upload(layer::write, telling::sent);
        listener.tell(new TransferMessage.Moving(id, "Pushing", blob.size(), blob.size()));
        listener.tell(new TransferMessage.About(id, "Pushed"));
        return blob;
    }

    private static Document document(Outgoing outgoing, Map<Digest, Descriptor> blobs) {
        var original = outgoing.image().manifest();
        var diffIds = outgoing.image().config().diffIds();
        boolean same = true;
        var layers = new ArrayList<Descriptor>();
        for (int i = 0; i < diffIds.size(); i++) {
            var blob = Optional.ofNullable(blobs.get(diffIds.get(i))).orElseThrow();
            same &= blob.digest().equals(original.layers().get(i).digest());
            layers.add(blob);
        }
        if (same) {
            return Document.of(original.mediaType(), outgoing.manifest());
        }
        return Document.of(original.mediaType(), rewritten(original, layers).toJson().printBytes());
    }

    /// The manifest over other blobs, in the family of documents it is of.
    private static Manifest rewritten(Manifest original, List<Descriptor> layers) {
        boolean docker = original.mediaType().equals(MediaTypes.DOCKER_MANIFEST);
        var typed = layers.stream()
                .map(layer -> Descriptor.of(type(layer.mediaType(), docker), layer.digest(), layer.size()))
                .toList();
        return new Manifest(original.mediaType(), original.config(), typed, original.annotations(), original.subject(),
                original.artifactType());
    }

    private static String type(String mediaType, boolean docker) {
        return switch (mediaType) {
            case MediaTypes.OCI_LAYER_GZIP, MediaTypes.DOCKER_LAYER_GZIP ->
                docker ? MediaTypes.DOCKER_LAYER_GZIP : MediaTypes.OCI_LAYER_GZIP;
            case MediaTypes.OCI_LAYER, MediaTypes.DOCKER_LAYER -> docker ? MediaTypes.DOCKER_LAYER : MediaTypes.OCI_LAYER;
            case MediaTypes.OCI_LAYER_ZSTD, MediaTypes.DOCKER_LAYER_ZSTD ->
                docker ? MediaTypes.DOCKER_LAYER_ZSTD : MediaTypes.OCI_LAYER_ZSTD;
            default -> mediaType;
        };
    }

    /// The images are known by the digest they have at the registry from now on.
    private void remember(List<Intake.Made> made, Reference byDigest, Optional<byte[]> index) throws EngineException {
        try (var intake = images.intake()) {
            intake.commit(made, List.of(byDigest), index);
        }
    }
}
