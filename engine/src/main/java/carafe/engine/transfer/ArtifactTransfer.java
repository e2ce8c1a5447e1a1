package carafe.engine.transfer;

import carafe.image.Artifact;
import carafe.image.ArtifactIntake;
import carafe.image.Artifacts;
import carafe.image.OutgoingArtifact;
import carafe.registry.Document;
import carafe.registry.ReferrerBudget;
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

    /// How much of what refers to an image comes with it: how deep, how many, bytes of their manifests, which are kept in
    /// memory, and bytes of blobs that are not here, of each and of all.
    record Bounds(int deep, int most, long documents, long each, long all) {
        static final Bounds USUAL = new Bounds(4, 1000, 16 << 20, 256 << 20, 1 << 30);
    }

    private final Artifacts artifacts;
    private final Semaphore turns;
    private final Repository repository;
    private final TransferListener listener;
    private final Bounds bounds;
    private final Set<Digest> seen = new HashSet<>();
    private final ReferrerBudget lists = ReferrerBudget.lean();
    private long bytes; // of what referred to something and came
    private long documents; // bytes of manifests that were looked at
    private String left = ""; // which bound ended it, for all that it was about to do
    private boolean deeper; // something refers to what is as deep as we go

    /// `turns` are those of downloads or of uploads.
    ArtifactTransfer(Artifacts artifacts, Semaphore turns, Repository repository, TransferListener listener) {
        this(artifacts, turns, repository, listener, Bounds.USUAL);
    }

    /// The same within other bounds.
    ArtifactTransfer(Artifacts artifacts, Semaphore turns, Repository repository, TransferListener listener, Bounds bounds) {
        this.bounds = bounds;
        this.artifacts = artifacts;
        this.turns = turns;
        this.repository = repository;
        this.listener = listener;
    }

    /// Fetches the artifact of a manifest and gives it these names; its id. Without a name it stays with its subject.
    Digest take(Document document, List<Reference> names) throws EngineException, InterruptedException {
        try (var intake = artifacts.intake(document.bytes())) {
            take(intake, names);
            return intake.id();
        }
    }

    private void take(ArtifactIntake intake, List<Reference> names) throws EngineException, InterruptedException {
        var tasks = new ArrayList<Callable<Boolean>>();
        for (var part : intake.parts()) {
            String id = part.digest().shortHex();
            if (intake.has(part)) {
                listener.tell(new TransferMessage.About(id, "Already exists"));
                continue;
            }
            listener.tell(new TransferMessage.About(id, "Pulling fs layer")); // Docker's word for any blob
            tasks.add(inTurn(id, () -> {
                repository.take(part, source ->
                        intake.blob(part, from -> new ArrivingLayer(source.open(from), part, listener, from)));
                listener.tell(new TransferMessage.About(id, "Pull complete"));
                return true;
            }));
        }
        Parallel.all(tasks);
        intake.commit(names);
    }

    /// Fetches what refers to these manifests at the registry, and what refers to that; tells how many came or were here,
    /// and once if that is not all.
    void takeReferrers(List<Digest> subjects) throws EngineException, InterruptedException {
        int count = 0;
        for (var subject : subjects) {
            count += takeReferrers(subject, 0);
        }
        if (left.isEmpty() && lists.spent()) {
            left = "the registry lists more than " + ReferrerBudget.bounds();
        } else if (left.isEmpty() && deeper) {
            left = "what refers to each other more than " + bounds.deep + " deep stays there";
        }
        if (!left.isEmpty()) {
            listener.tell(new TransferMessage.Line("Not all referrers were taken along: " + left
                    + "; \"carafe image referrers\" lists them, and each can be pulled by its digest"));
        }
        listener.tell(new TransferMessage.Line("Referrers: " + count));
    }

    private int takeReferrers(Digest subject, int depth) throws EngineException, InterruptedException {
        int count = 0;
        for (var entry : left.isEmpty() ? repository.referrers(subject, lists) : List.<Descriptor>of()) {
            if (seen.contains(entry.digest())) {
                continue;
            }
            if (depth == bounds.deep) {
                deeper = true;
                break;
            }
            if (seen.size() == bounds.most) {
                left = "there are more than " + bounds.most;
                break;
            }
            seen.add(entry.digest());
            if (takeReferrer(entry, subject)) {
                count += 1 + takeReferrers(entry.digest(), depth + 1);
            }
            if (!left.isEmpty()) {
                break;
            }
        }
        return count;
    }

    /// Fetches one of them, or says why not.
    private boolean takeReferrer(Descriptor entry, Digest subject) throws EngineException, InterruptedException {
        if (!MediaTypes.isManifest(entry.mediaType())) {
            return skip(entry, "an index");
        }
        if (entry.size() > Manifest.MAX_BYTES) {
            return skip(entry, "its manifest has " + entry.size() + " bytes, and one may have "
                    + (Manifest.MAX_BYTES >> 20) + " MiB");
        }
        Document document;
        try {
            document = repository.fetch(entry.digest().toString());
        } catch (EngineException.Unsupported e) {
            return skip(entry, String.valueOf(e.getMessage()));
        }
        documents += document.bytes().length; // whatever it turns out to be
        if (documents > bounds.documents) {
            left = "their manifests have more than " + (bounds.documents >> 20) + " MiB";
            return false;
        }
        if (document.manifest().artifact().isEmpty()) {
            return skip(entry, "an image");
        }
        if (document.manifest().subject().filter(named -> named.digest().equals(subject)).isEmpty()) {
            return skip(entry, "it refers to something else");
        }
        try (var intake = artifacts.intake(document.bytes())) {
            long size = missing(intake);
            if (size > bounds.each || bytes + size > bounds.all) {
                return skip(entry, size + " bytes, and what refers to an image may have " + (bounds.each >> 20)
                        + " MiB, all together " + (bounds.all >> 20) + " MiB; pull it by its digest to have it");
            }
            bytes += size;
            take(intake, List.of());
        }
        return true;
    }

    private boolean skip(Descriptor entry, String why) {
        listener.tell(new TransferMessage.About(entry.digest().shortHex(), "Skipped, " + why));
        return false;
    }

    /// The bytes of its blobs that are not here, as it says itself; what comes is held to that.
    private static long missing(ArtifactIntake intake) throws EngineException {
        double sum = 0;
        for (var part : intake.parts()) {
            sum += intake.has(part) ? 0 : part.size();
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
