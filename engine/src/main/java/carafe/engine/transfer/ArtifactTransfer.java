package carafe.engine.transfer;

import carafe.image.Artifact;
import carafe.image.Artifacts;
import carafe.image.OutgoingArtifact;
import carafe.registry.Document;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;

/// Artifacts on their way in and out, blobs in parallel and byte for byte, and what refers to an image along with it.
final class ArtifactTransfer {

    private static final int DEEPEST = 4;
    private static final int MOST = 1000;
    private static final long MOST_DOCUMENTS = 16 << 20;
    private static final long MOST_BYTES_EACH = 256 << 20;
    private static final long MOST_BYTES = 1 << 30;

    private final Artifacts artifacts;
    private final Semaphore turns;
    private final Repository repository;
    private final TransferListener listener;
    private final Set<Digest> seen = new HashSet<>();
    private long bytes; // of what referred to something and came
    private long documents; // bytes of manifests of what refers to something, which are kept in memory

    /// `turns` are those of downloads or of uploads.
    ArtifactTransfer(Artifacts artifacts, Semaphore turns, Repository repository, TransferListener listener) {
        this.artifacts = artifacts;
        this.turns = turns;
        this.repository = repository;
        this.listener = listener;
    }

    /// Fetches the artifact of a manifest and gives it these names; its id. Without a name it stays with its subject.
    Digest take(Document document, List<Reference> names) throws EngineException, InterruptedException {
        try (var intake = artifacts.intake(document.bytes())) {
            var tasks = new ArrayList<Callable<Boolean>>();
            for (var part : intake.parts()) {
                String id = part.digest().shortHex();
                if (intake.has(part)) {
                    listener.tell(new TransferMessage.About(id, "Already exists"));
                    continue;
                }
                listener.tell(new TransferMessage.About(id, "Pulling fs layer")); // Docker's word for any blob
                tasks.add(inTurn(id, () -> {
                    intake.blob(part, from -> new ArrivingLayer(repository.open(part, from), part, listener, from));
                    listener.tell(new TransferMessage.About(id, "Pull complete"));
                    return true;
                }));
            }
            Parallel.all(tasks);
            intake.commit(names);
            return intake.id();
        }
    }

    /// Fetches what refers to `subject` at the registry, and what refers to that; how many came or were here.
    int takeReferrers(Digest subject) throws EngineException, InterruptedException {
        return takeReferrers(subject, 0);
    }

    private int takeReferrers(Digest subject, int depth) throws EngineException, InterruptedException {
        int count = 0;
        for (var entry : depth == DEEPEST ? List.<Descriptor>of() : repository.referrers(subject)) {
            String id = entry.digest().shortHex();
            if (!seen.add(entry.digest()) || seen.size() > MOST) {
                continue;
            }
            if (!MediaTypes.isManifest(entry.mediaType())) {
                listener.tell(new TransferMessage.About(id, "Skipped, an index"));
                continue;
            }
            var document = repository.fetch(entry.digest().toString());
            if (document.manifest().artifact().isEmpty()) {
                listener.tell(new TransferMessage.About(id, "Skipped, an image"));
                continue;
            }
            if (document.manifest().subject().filter(named -> named.digest().equals(subject)).isEmpty()) {
                listener.tell(new TransferMessage.About(id, "Skipped, it refers to something else"));
                continue;
            }
            documents += document.bytes().length;
            if (documents > MOST_DOCUMENTS) {
                listener.tell(new TransferMessage.About(id, "Skipped, the registry lists more than "
                        + (MOST_DOCUMENTS >> 20) + " MiB of manifests"));
                return count;
            }
            long size = size(document.manifest());
            if (size > MOST_BYTES_EACH || bytes + size > MOST_BYTES) {
                listener.tell(new TransferMessage.About(id, "Skipped, " + size + " bytes, and what refers to an image may have "
                        + (MOST_BYTES_EACH >> 20) + " MiB, all together " + (MOST_BYTES >> 20)
                        + " MiB; pull it by its digest to have it"));
                continue;
            }
            bytes += size;
            take(document, List.of());
            count += 1 + takeReferrers(entry.digest(), depth + 1);
        }
        return count;
    }

    /// The bytes of its blobs, as it says itself; what comes is held to that.
    private static long size(Manifest manifest) {
        double sum = manifest.config().size();
        for (var layer : manifest.layers()) {
            sum += layer.size();
        }
        return (long) sum; // a double does not wrap, and is exact where it matters
    }

    /// Sends an artifact under a tag, or under its digest alone.
    Document send(OutgoingArtifact outgoing, Optional<String> tag) throws EngineException, InterruptedException {
        var tasks = new ArrayList<Callable<Boolean>>();
        for (var part : outgoing.parts()) {
            String id = part.digest().shortHex();
            listener.tell(new TransferMessage.About(id, "Preparing"));
            tasks.add(inTurn(id, () -> {
                if (repository.has(part.digest())) {
                    listener.tell(new TransferMessage.About(id, "Layer already exists"));
                } else {
                    send(outgoing, part, id);
                }
                return true;
            }));
        }
        Parallel.all(tasks);
        var document = Document.of(outgoing.artifact().manifest().mediaType(), outgoing.manifest());
        repository.put(document, tag);
        return document;
    }

    private void send(OutgoingArtifact outgoing, Descriptor part, String id) throws EngineException, InterruptedException {
        var sent = repository.upload(out -> {
            try (InputStream in = outgoing.open(part.digest())) {
                in.transferTo(out);
            }
            return part;
        }, bytes -> listener.tell(new TransferMessage.Moving(id, "Pushing", bytes, Math.max(bytes, part.size()))));
        if (!sent.digest().equals(part.digest())) {
            throw new EngineException.Internal("blob " + part.digest() + " is damaged here", new IOException());
        }
        listener.tell(new TransferMessage.About(id, "Pushed"));
    }

    /// Sends what refers to the image or artifact `owner`, which lies at the registry as `pushed`, and what refers to
    /// that. What refers to another manifest of the image stays behind, and is told.
    int sendReferrers(Digest owner, Digest pushed) throws EngineException, InterruptedException {
        int count = 0;
        var behind = new ArrayList<Artifact>();
        for (var referrer : artifacts.referrers(owner)) {
            boolean fits = referrer.manifest().subject().map(Descriptor::digest).equals(Optional.of(pushed));
            if (!fits) {
                behind.add(referrer);
            } else if (seen.add(referrer.id())) {
                try (var outgoing = artifacts.outgoing(referrer)) {
                    send(outgoing, Optional.empty());
                }
                count += 1 + sendReferrers(referrer.id(), referrer.id());
            }
        }
        if (!behind.isEmpty()) {
            listener.tell(new TransferMessage.Line(behind.size() + " referrers stay here: they refer to "
                    + behind.getFirst().manifest().subject().map(Descriptor::digest).orElseThrow()
                    + ", and what was pushed is " + pushed + "; \"carafe image copy\" keeps digests as they are"));
        }
        return count;
    }

    private Callable<Boolean> inTurn(String id, Callable<Boolean> task) {
        return () -> {
            if (!turns.tryAcquire()) {
                listener.tell(new TransferMessage.About(id, "Waiting"));
                turns.acquire();
            }
            try {
                return task.call();
            } finally {
                turns.release();
            }
        };
    }
}
