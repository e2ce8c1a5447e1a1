package carafe.image;

import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/// A layer's tar on its way past the reader of its headers: what passes is hashed and written into a file by a thread
/// of its own, so that decompression, hashing and writing go on at once. A tar that fits into one block needs no thread.
///
/// Memory: [#BLOCKS] blocks. For one reading thread; [#finish] or [#close] ends the other one.
final class TarSpool extends InputStream {

    private static final int BLOCK_BYTES = 512 << 10;
    private static final int BLOCKS = 4;
    private static final long WRITING_BYTES = 16 << 20;

    /// Some bytes of the tar; a length of -1 ends it.
    private record Block(byte[] bytes, int length) {}

    private final InputStream tar;
    private final Fd file;
    private final long start;
    private final MessageDigest hash = Digest.Algorithm.SHA256.hasher();
    private final BlockingQueue<Block> full = new ArrayBlockingQueue<>(BLOCKS + 1);
    private final BlockingQueue<byte[]> empty = new ArrayBlockingQueue<>(BLOCKS);
    private @Nullable Thread writer;
    private volatile @Nullable IOException failure;
    private int made;
    private byte[] current = {};
    private int length;
    private int at;
    private boolean ended;
    private long written; // the writer's, as is the next
    private long begun;

    /// Reads `tar` and writes it into `file` from `start` on; both stay the caller's.
    TarSpool(InputStream tar, Fd file, long start) {
        this.tar = tar;
        this.file = file;
        this.start = start;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int wanted) throws IOException {
        if (wanted == 0) {
            return 0;
        }
        if (at == length && !next()) {
            return -1;
        }
        int count = Math.min(wanted, length - at);
        System.arraycopy(current, at, buffer, offset, count);
        at += count;
        return count;
    }

    /// Hands the block that was read to the writer and fills another one; the last one stays, for [#finish].
    private boolean next() throws IOException {
        if (ended) {
            return false;
        }
        if (length > 0) {
            hand(new Block(current, length));
        }
        current = spare();
        length = tar.readNBytes(current, 0, current.length);
        at = 0;
        ended = length < current.length;
        return length > 0;
    }

    private byte[] spare() throws IOException {
        if (made < BLOCKS) {
            made++;
            return new byte[BLOCK_BYTES];
        }
        try {
            return empty.take();
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private void hand(Block block) throws IOException {
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
        if (writer == null) {
            writer = Thread.ofPlatform().name("image-write").daemon().start(this::writeAll);
        }
        try {
            full.put(block);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted");
    }

    private void writeAll() {
        try {
            for (var block = full.take(); block.length >= 0; block = full.take()) {
                if (failure == null) {
                    try {
                        write(block);
                    } catch (IOException e) {
                        failure = e; // goes on taking blocks, so that nobody waits for ever
                    }
                }
                empty.put(block.bytes);
            }
        } catch (InterruptedException e) {
            failure = new InterruptedIOException("interrupted");
        }
    }

    private void write(Block block) throws IOException {
        hash.update(block.bytes, 0, block.length);
        FdStream.writeAt(file, start + written, block.bytes, 0, block.length);
        written += block.length;
        if (written - begun >= WRITING_BYTES) {
            FdStream.startWriting(file, start + begun, written - begun);
            begun = written;
        }
    }

    /// The digest of the tar, which was read to its end, once all of it is written.
    Digest finish() throws IOException {
        if (length > 0) {
            var last = new Block(current, length);
            length = 0;
            at = 0;
            if (writer == null) {
                write(last);
            } else {
                hand(last);
            }
        }
        close();
        var failed = failure;
        if (failed != null) {
            throw failed;
        }
        return Digest.finish(Digest.Algorithm.SHA256, hash.digest());
    }

    /// Ends the writer; what it was handed is written.
    @Override
    public void close() throws IOException {
        var running = writer;
        if (running != null) {
            writer = null;
            try {
                full.put(new Block(current, -1));
                running.join();
            } catch (InterruptedException e) {
                running.interrupt();
                throw interrupted();
            }
        }
    }
}
