package carafe.registry;

import carafe.http.ClientResponse;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/// Sends one blob whose bytes are made while they are sent, so that neither digest nor length need be known before:
/// POST opens a session, PATCH streams, PUT closes it with the digest. After a break the server is asked how far it
/// came, and the rest is sent; a server that refuses large bodies gets pieces.
/// Source: OCI distribution-spec, "Pushing blobs".
final class BlobUpload {

    private static final String BYTES = "application/octet-stream";
    private static final int PIECE = 8 << 20;
    private static final int MOST_PIECE = 64 << 20;

    private final String what;
    private final Conversation conversation;
    private final String repository;
    private final List<String> scopes;
    private final BlobWriter writer;
    private final BlobWriter.Progress progress;
    private final Backoff backoff;
    private String location = "";
    private int piece;

    /// Sends to `repository`, a path at the conversation's endpoint.
    BlobUpload(String what, Conversation conversation, String repository, BlobWriter writer, BlobWriter.Progress progress,
            Waiting waiting) {
        this.what = what;
        this.conversation = conversation;
        this.repository = repository;
        this.scopes = List.of(Ask.scopeOf(repository, "pull,push"));
        this.writer = writer;
        this.progress = progress;
        this.backoff = new Backoff(waiting);
    }

    /// Sends all of it and returns what it turned out to be.
    Descriptor send() throws EngineException, InterruptedException {
        begin();
        long from = 0;
        long furthest = 0;
        while (true) {
            boolean broke = false;
            try {
                var sent = piece == 0 ? stream(from) : pieces(from);
                if (sent.isPresent()) {
                    return finish(sent.get());
                }
            } catch (IOException e) {
                Interruption.check(e);
                BlobWriter.Failed.rethrow(e);
                if (!backoff.again(Busy.asked(e))) {
                    throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
                }
                broke = true;
            }
            long now = arrived();
            if (now > furthest) { // not what comes again after the server forgot it
                furthest = now;
                backoff.progressed();
            } else if (!broke && !backoff.again(Optional.empty())) {
                throw new EngineException.Unavailable(what + ": the registry takes no more than " + now + " bytes");
            }
            from = now;
        }
    }

    private void begin() throws EngineException, InterruptedException {
        var response = conversation.send(what, Ask.of("POST", "/v2/" + repository + "/blobs/uploads/", scopes));
        if (response.status() != 202) {
            throw Refusal.of(what, response);
        }
        long least = number(response.headers().first("OCI-Chunk-Min-Length").orElse(""));
        piece = least == 0 ? 0 : Math.clamp(least, PIECE, MOST_PIECE);
        moved(response);
        Conversation.drain(response);
    }

    private void moved(ClientResponse response) throws EngineException {
        String next = response.headers().first("Location").orElse(location);
        if (next.isEmpty()) {
            throw new EngineException.Unavailable(what + ": the registry does not say where to upload to");
        }
        try { // a path is meant where the last one was, which may be another host than the registry's
            boolean apart = !location.isEmpty() && !location.startsWith("/");
            location = apart ? new URI(location).resolve(new URI(next)).toString() : next;
        } catch (URISyntaxException e) {
            throw new EngineException.Unavailable(what + ": the registry names no usable place to upload to", e);
        }
    }

    /// The rest in one request. Empty when the server wants it otherwise or is busy: then it is asked how far it came.
    private Optional<Descriptor> stream(long from) throws IOException, EngineException, InterruptedException {
        var made = new AtomicReference<Descriptor>();
        var ask = Ask.of("PATCH", location, scopes).with(request -> request.body(BYTES,
                out -> made.set(BlobWriter.Failed.wrap(writer, new From(out, from, progress)))));
        var response = conversation.attempt(ask);
        if (response.status() == 413) {
            Conversation.drain(response);
            piece = PIECE;
            return Optional.empty();
        }
        taken(response);
        return Optional.ofNullable(made.get()); // none: it was answered before all was sent
    }

    private Optional<Descriptor> pieces(long from) throws IOException, EngineException, InterruptedException {
        var pieces = new Pieces(from);
        var made = BlobWriter.Failed.wrap(writer, new From(pieces, from, progress));
        pieces.flushAll();
        return Optional.of(made);
    }

    /// Checks that the server took what was sent.
    /// @throws IOException it is busy: to be tried again
    private void taken(ClientResponse response) throws IOException, EngineException {
        int status = response.status();
        if (status == 202 || status == 201 || status == 204) {
            moved(response);
            Conversation.drain(response);
        } else if (status == 416 || status == 408 || status == 429 || status >= 500) {
            throw new Busy(backoff.asked(response.headers()), Refusal.reason(response));
        } else {
            throw Refusal.of(what, response);
        }
    }

    /// How many bytes the server has; a session that it forgot is begun anew.
    private long arrived() throws EngineException, InterruptedException {
        var response = conversation.send(what, Ask.of("GET", location, scopes));
        if (response.status() == 404) {
            Conversation.drain(response);
            return anew();
        }
        if (response.status() != 204 && response.status() != 202 && response.status() != 200) {
            throw Refusal.of(what, response);
        }
        moved(response);
        String range = response.headers().first("Range").orElse("0-0").replace("bytes=", "");
        Conversation.drain(response);
        long last = number(range.substring(range.indexOf('-') + 1));
        return last == 0 ? anew() : last + 1; // "0-0" is one byte to some and none to others
    }

    private long anew() throws EngineException, InterruptedException {
        int before = piece;
        location = "";
        begin();
        piece = Math.max(piece, before);
        return 0;
    }

    private static long number(String digits) {
        return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : 0;
    }

    private Descriptor finish(Descriptor blob) throws EngineException, InterruptedException {
        backoff.progressed();
        while (true) {
            try {
                var response = conversation.attempt(Ask.of("PUT", withDigest(location, blob.digest()), scopes));
                if (response.status() == 201 || response.status() == 204) {
                    Conversation.drain(response);
                    return blob;
                }
                if (response.status() != 429 && response.status() < 500) {
                    throw Refusal.of(what, response);
                }
                throw new Busy(backoff.asked(response.headers()), Refusal.reason(response));
            } catch (IOException e) {
                Interruption.check(e);
                boolean again = backoff.again(Busy.asked(e));
                if (isThere(blob.digest())) { // the answer was lost, not the blob
                    return blob;
                }
                if (!again) {
                    throw new EngineException.Unavailable(what + ": " + e.getMessage(), e);
                }
            }
        }
    }

    private boolean isThere(Digest digest) throws EngineException, InterruptedException {
        var response = conversation.send(what, Ask.of("HEAD", "/v2/" + repository + "/blobs/" + digest, scopes));
        Conversation.drain(response);
        return response.status() == 200;
    }

    static String withDigest(String location, Digest digest) {
        return location + (location.indexOf('?') < 0 ? "?" : "&") + "digest=" + digest.toString().replace(":", "%3A");
    }

    /// The server took nothing, and may have said how long to wait.
    private static final class Busy extends IOException {
        private final transient Optional<Duration> pause;

        Busy(Optional<Duration> pause, String reason) {
            super(reason);
            this.pause = pause;
        }

        /// How long to wait after `failure`, on its way through the writer's streams, if the server said.
        static Optional<Duration> asked(Throwable failure) {
            for (var cause = failure; cause != null; cause = cause.getCause()) {
                if (cause instanceof Busy busy) {
                    return busy.pause;
                }
            }
            return Optional.empty();
        }
    }

    /// Passes on what comes from an offset on, and tells how far it is.
    private static final class From extends OutputStream {
        private final OutputStream out;
        private final long from;
        private final BlobWriter.Progress progress;
        private long at;

        From(OutputStream out, long from, BlobWriter.Progress progress) {
            this.out = out;
            this.from = from;
            this.progress = progress;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            int skipped = Math.clamp(from - at, 0, length);
            if (skipped < length) {
                out.write(bytes, offset + skipped, length - skipped);
            }
            at += length;
            progress.sent(at);
        }
    }

    /// Sends pieces, each when it is full, each until it is taken.
    private final class Pieces extends OutputStream {
        private final byte[] bytes = new byte[piece];
        private int filled;
        private long at;

        Pieces(long from) {
            this.at = from;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            int done = 0;
            while (done < length) {
                int taken = Math.min(length - done, bytes.length - filled);
                System.arraycopy(from, offset + done, bytes, filled, taken);
                filled += taken;
                done += taken;
                if (filled == bytes.length) {
                    flushAll();
                }
            }
        }

        void flushAll() throws IOException {
            if (filled == 0) {
                return;
            }
            byte[] now = java.util.Arrays.copyOf(bytes, filled);
            var range = Headers.of("Content-Range", at + "-" + (at + filled - 1));
            try {
                taken(conversation.attempt(new Ask("PATCH", location, range,
                        Optional.of(request -> request.body(BYTES, now)), scopes)));
            } catch (EngineException e) {
                throw new BlobWriter.Failed(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new java.io.InterruptedIOException("cancelled");
            }
            at += filled;
            filled = 0;
        }
    }
}
