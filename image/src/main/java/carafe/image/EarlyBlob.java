package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One layer's blob that is made before somebody sends it: `HEX.tmp` while it grows, `HEX` when it is whole. Whoever sends
/// it meanwhile reads along. One that nobody has begun yet is left to the sender, who has all processors for it.
/// One thread makes it, any number read it.
final class EarlyBlob {

    private static final System.Logger LOG = System.getLogger("carafe.image");
    private static final int BUFFER_BYTES = 128 << 10;

    private enum State { WAITING, GROWING, WHOLE, GONE }

    private final Digest diffId;
    private final Path directory;
    private final Path growing;
    private final Path whole;
    /// Guarded by `this`, as are those that follow.
    private State state = State.WAITING;
    private long bytes;
    private Optional<Descriptor> made = Optional.empty();

    /// To be made in `directory`.
    EarlyBlob(Digest diffId, Path directory) {
        this.diffId = diffId;
        this.directory = directory;
        this.whole = directory.resolve(diffId.hex());
        this.growing = directory.resolve(diffId.hex() + ".tmp");
    }

    /// Makes it, unless somebody sends it already or nobody wants it; an interrupt ends that. Needs a layer that is here and
    /// twice its room on the disk: steps come first.
    void make(LayerStore layers, LayerCollector collector) {
        boolean done = false;
        try (var lease = collector.lease()) {
            if (lease.holdIfHere(diffId) && hasRoom(layers.sizes(diffId).tarBytes())) {
                done = make(layers);
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "layer " + diffId + " is compressed when it is sent: " + e.getMessage());
        } finally {
            if (!done) {
                drop();
            }
        }
    }

    private boolean hasRoom(long tarBytes) throws IOException {
        return Files.getFileStore(directory).getUsableSpace() > 2 * tarBytes;
    }

    private boolean make(LayerStore layers) throws IOException {
        try (var tar = layers.tar(diffId); var out = begin()) {
            return out != null && become(LayerCompression.gzip(tar, out));
        }
    }

    private synchronized @Nullable OutputStream begin() throws IOException {
        if (state != State.WAITING) {
            return null;
        }
        var out = new Growing(Files.newOutputStream(growing, StandardOpenOption.CREATE_NEW));
        state = State.GROWING;
        return out;
    }

    private synchronized boolean become(Descriptor blob) throws IOException {
        if (state != State.GROWING) {
            return false;
        }
        Files.move(growing, whole, StandardCopyOption.ATOMIC_MOVE);
        made = Optional.of(blob);
        state = State.WHOLE;
        notifyAll();
        return true;
    }

    /// Nobody gets it from now on; who is reading makes the rest himself.
    synchronized void drop() {
        state = State.GONE;
        notifyAll();
        try {
            Files.deleteIfExists(growing);
            Files.deleteIfExists(whole);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot delete " + whole + "; the next start tries again: " + e.getMessage());
        }
    }

    /// Writes it to `out`, as it grows.
    /// @return how many bytes were written: all of [#made]'s if that is there then, else where the sender has to go on
    long writeTo(OutputStream out) throws IOException {
        long written = 0;
        try (var in = open()) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (long there = await(written); there > written; there = await(written)) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, there - written));
                if (count < 0) {
                    break; // it is gone
                }
                out.write(buffer, 0, count);
                written += count;
            }
        }
        return written;
    }

    private synchronized InputStream open() throws IOException {
        if (state == State.WAITING) {
            state = State.GONE; // the caller makes it at once
        }
        return switch (state) {
            case WAITING, GONE -> InputStream.nullInputStream();
            case GROWING -> Files.newInputStream(growing);
            case WHOLE -> Files.newInputStream(whole);
        };
    }

    /// Waits for more than `seen` bytes, or the end.
    /// @return how many there are; 0 when it is gone
    private synchronized long await(long seen) throws InterruptedIOException {
        try {
            while (state == State.GROWING && bytes <= seen) {
                wait();
            }
            return state == State.GONE ? 0 : bytes;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("cancelled");
        }
    }

    /// What it is, once it is whole.
    synchronized Optional<Descriptor> made() {
        return made;
    }

    private synchronized void grew(int length) {
        bytes += length;
        notifyAll();
    }

    private final class Growing extends FilterOutputStream {
        Growing(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            out.write(from, offset, length);
            grew(length);
        }
    }

    /// Writes the layer's blob to `out`: what was made early, and the rest, which always gives the same bytes.
    static Descriptor write(Optional<EarlyBlob> early, OutgoingLayer layer, OutputStream out)
            throws IOException, EngineException {
        long sent = 0;
        if (early.isPresent()) {
            sent = early.get().writeTo(out);
            var made = early.get().made();
            if (made.isPresent() && made.get().size() == sent) {
                out.flush();
                return made.get();
            }
        }
        try (var tar = layer.tar()) {
            return LayerCompression.gzip(tar, sent == 0 ? out : new After(out, sent));
        }
    }

    /// Passes on what comes after so many bytes.
    private static final class After extends FilterOutputStream {
        private long left;

        After(OutputStream out, long bytes) {
            super(out);
            this.left = bytes;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            int skipped = (int) Math.min(left, length);
            left -= skipped;
            out.write(from, offset + skipped, length - skipped);
        }
    }
}
