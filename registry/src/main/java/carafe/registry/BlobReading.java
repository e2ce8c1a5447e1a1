package carafe.registry;

import carafe.http.ClientResponse;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import java.io.InputStream;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/// One go at a blob: it knows which mirrors the bytes came from, so that those are to blame when the blob turns out to be
/// another one.
final class BlobReading implements Repository.BlobSource, BlobStream.Opener {

    private final String what;
    private final Descriptor blob;
    private final Places places;
    private final Waiting waiting;
    private final BlobRequest request;

    /// Guarded by itself, as is `resumed`.
    private final Set<Conversation> mirrors = new LinkedHashSet<>();

    private boolean resumed;

    /// Asks one place for the blob's bytes from an offset on; the answer has status 200 or 206.
    @FunctionalInterface
    interface BlobRequest {
        ClientResponse send(Conversation place, long offset) throws EngineException, InterruptedException;
    }

    BlobReading(String what, Descriptor blob, Places places, Waiting waiting, BlobRequest request) {
        this.what = what;
        this.blob = blob;
        this.places = places;
        this.waiting = waiting;
        this.request = request;
    }

    @Override
    public InputStream open(long from) {
        synchronized (mirrors) {
            resumed |= from > 0;
        }
        return new BlobStream(what, blob, from, this, waiting);
    }

    @Override
    public InputStream verified() {
        return new BlobStream(what, blob, this, waiting);
    }

    @Override
    public BlobStream.Opened at(long offset) throws EngineException, InterruptedException {
        var read = places.first(place -> request.send(place, offset));
        if (read.place() == places.own()) {
            return new BlobStream.Opened(read.value(), Optional.empty());
        }
        synchronized (mirrors) {
            mirrors.add(read.place());
        }
        return new BlobStream.Opened(read.value(), Optional.of(read.place()));
    }

    @Override
    public void pass(Conversation mirror, String reason) {
        places.pass(mirror, reason);
    }

    /// Passes by the mirrors that sent what led to `failure`; whether there were any.
    boolean blame(EngineException failure) {
        if (!isOfBytes(failure)) {
            return false;
        }
        synchronized (mirrors) {
            mirrors.forEach(mirror -> places.pass(mirror, String.valueOf(failure.getMessage())));
            return !mirrors.isEmpty();
        }
    }

    /// Whether bytes of an earlier day may have led to `failure`.
    boolean resumed(EngineException failure) {
        synchronized (mirrors) {
            return resumed && isOfBytes(failure);
        }
    }

    private static boolean isOfBytes(EngineException failure) {
        return failure instanceof EngineException.Invalid || BlobStream.isWrong(failure);
    }
}
