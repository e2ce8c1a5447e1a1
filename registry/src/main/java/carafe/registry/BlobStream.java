package carafe.registry;

import carafe.http.ClientResponse;
import carafe.http.Stalled;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A blob as it arrives. A connection that breaks or stalls is replaced by another that goes on at the same byte; what
/// has arrived is not fetched again. A mirror that breaks off time and again, stalls or sends something else is left for
/// the next place, at the same byte too. If it verifies, the last bytes are handed out only when all of them have the
/// blob's digest. One reader; interrupting it ends the stream.
final class BlobStream extends InputStream {

    /// Opens the blob at an offset, at a mirror or at the registry.
    interface Opener {
        Opened at(long offset) throws EngineException, InterruptedException;

        /// Asks the mirror no more.
        void pass(Conversation mirror, String reason);
    }

    /// An answer, of status 200 or 206, and the mirror that gave it, unless it was the registry.
    record Opened(ClientResponse response, Optional<Conversation> mirror) {}

    private static final int SKIP_PIECE = 64 << 10;

    private final String what;
    private final Descriptor blob;
    private final Opener opener;
    private final Backoff backoff;
    private final Optional<MessageDigest> hasher;
    private final int mostBreaks;
    private long at;
    private long openedAt;
    private int breaks; // of connections to mirrors
    private Optional<Conversation> mirror = Optional.empty();
    private @Nullable ClientResponse response;
    private @Nullable InputStream body;

    /// From the offset `from` on, not verified.
    BlobStream(String what, Descriptor blob, long from, Opener opener, Waiting waiting) {
        this(what, blob, from, Optional.empty(), opener, waiting);
    }

    /// All of it, verified.
    BlobStream(String what, Descriptor blob, Opener opener, Waiting waiting) {
        this(what, blob, 0, Optional.of(blob.digest().algorithm().hasher()), opener, waiting);
    }

    private BlobStream(String what, Descriptor blob, long from, Optional<MessageDigest> hasher, Opener opener,
            Waiting waiting) {
        this.what = what;
        this.blob = blob;
        this.opener = opener;
        this.backoff = new Backoff(waiting);
        this.at = from;
        this.hasher = hasher;
        this.mostBreaks = waiting.patience().attempts();
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        if (at == blob.size()) {
            return -1;
        }
        while (true) {
            try {
                int wanted = (int) Math.min(length, blob.size() - at);
                int read = opened().read(into, offset, wanted);
                if (read < 0) {
                    throw new EOFException("the connection ended " + (blob.size() - at) + " bytes early");
                }
                if (read > 0) {
                    arrived(into, offset, read);
                    return read;
                }
            } catch (Unverified e) {
                throw e;
            } catch (WrongContent e) {
                if (mirror.isEmpty()) {
                    throw e;
                }
                pass(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                retry(e);
            }
        }
    }

    private void arrived(byte[] bytes, int offset, int count) throws IOException {
        at += count;
        backoff.progressed();
        if (hasher.isPresent()) {
            hasher.get().update(bytes, offset, count);
            if (at == blob.size()) {
                var found = Digest.finish(blob.digest().algorithm(), hasher.get().digest());
                if (!found.equals(blob.digest())) {
                    throw new Unverified(what + ": verification failed for digest " + blob.digest() + ": got " + found);
                }
            }
        }
        if (at == blob.size()) {
            finish();
        }
    }

    /// Lets the connection serve again if nothing but its end is left.
    private void finish() {
        var answer = response;
        response = null;
        body = null;
        if (answer != null) {
            Conversation.drain(answer);
        }
    }

    /// Leaves the mirror that is being read.
    private void pass(String reason) {
        drop();
        opener.pass(mirror.orElseThrow(), reason);
        mirror = Optional.empty();
    }

    private void retry(IOException e) throws IOException {
        drop();
        try {
            Interruption.check(e);
            if (mirror.isPresent() && (e instanceof Stalled || at == openedAt || ++breaks >= mostBreaks)) {
                pass(what + ": " + e.getMessage());
                return;
            }
            if (!backoff.again(Optional.empty())) {
                throw new IOException(what + ": " + e.getMessage(), e);
            }
        } catch (InterruptedException interrupted) {
            throw cancelled(interrupted);
        }
    }

    private IOException cancelled(InterruptedException e) {
        Thread.currentThread().interrupt();
        var told = new InterruptedIOException(what + ": cancelled");
        told.initCause(e);
        return told;
    }

    private InputStream opened() throws IOException {
        var open = body;
        if (open != null) {
            return open;
        }
        try {
            mirror = Optional.empty();
            var opened = opener.at(at);
            var answer = opened.response();
            mirror = opened.mirror();
            openedAt = at;
            response = answer;
            var stream = answer.body();
            checkHead(answer);
            if (answer.status() == 200) {
                skip(stream, at); // the server knows no ranges
            }
            body = stream;
            return stream;
        } catch (EngineException e) {
            throw new WrongContent(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            throw cancelled(e);
        }
    }

    private void checkHead(ClientResponse answer) throws WrongContent {
        String type = Document.bare(answer.headers().first("Content-Type").orElse(""));
        if (type.equals("text/html")) {
            throw new WrongContent(what + ": the server answers with a web page instead of the blob " + blob.digest());
        }
        String length = answer.headers().first("Content-Length").orElse("");
        long expected = answer.status() == 206 ? blob.size() - at : blob.size();
        if (!length.isEmpty() && !length.equals(Long.toString(expected))) {
            throw new WrongContent(what + ": unexpected size of " + blob.digest() + ": expected " + expected
                    + " bytes, the server has " + length);
        }
        String range = answer.headers().first("Content-Range").orElse("");
        if (answer.status() == 206 && !range.startsWith("bytes " + at + "-")) {
            throw new WrongContent(what + ": the server sends another part of " + blob.digest() + " than asked for");
        }
    }

    private static void skip(InputStream stream, long bytes) throws IOException {
        var piece = new byte[SKIP_PIECE];
        for (long left = bytes; left > 0; ) {
            int read = stream.read(piece, 0, (int) Math.min(piece.length, left));
            if (read < 0) {
                throw new EOFException("the connection ended early");
            }
            left -= read;
        }
    }

    private void drop() {
        var answer = response;
        response = null;
        body = null;
        if (answer != null) {
            answer.close();
        }
    }

    @Override
    public void close() {
        drop();
    }

    /// Whether `failure` came of a blob that was another than wanted, which who read it may have put in his own words.
    static boolean isWrong(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof Unverified) {
                return true;
            }
        }
        return false;
    }

    /// Another upload of the same bytes would not help.
    /// @throws EngineException.Unavailable `failure` came of a blob that was another than wanted
    static void rethrow(IOException failure) throws EngineException.Unavailable {
        if (isWrong(failure)) {
            throw new EngineException.Unavailable(String.valueOf(failure.getMessage()), failure);
        }
    }

    /// All of it came, and is not the blob.
    private static final class Unverified extends IOException {
        Unverified(String message) {
            super(message);
        }
    }

    /// What another try at the same place would not change.
    private static final class WrongContent extends IOException {
        WrongContent(String message) {
            super(message);
        }

        WrongContent(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
