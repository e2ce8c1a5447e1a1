package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;

/// A unix or TCP socket in clear. The channel stays in blocking mode; on a virtual thread a blocked call parks it.
final class ChannelWire implements Wire {

    /// The JDK copies heap buffers through a direct buffer of their size, which it then keeps for the carrier thread:
    /// so the pieces are bounded.
    private static final int HEAP_PIECE = 128 << 10;

    private static final int WAITING_PIECE = 16 << 10;

    private final SocketChannel channel;
    private volatile boolean broken;

    ChannelWire(SocketChannel channel) {
        this.channel = channel;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int end = into.limit();
        if (!into.isDirect()) {
            into.limit(Math.min(end, into.position() + HEAP_PIECE));
        }
        try {
            return channel.read(into);
        } catch (IOException e) {
            broken = true;
            throw e;
        } finally {
            into.limit(end);
        }
    }

    @Override
    public void write(ByteBuffer from) throws IOException {
        int end = from.limit();
        try {
            while (from.position() < end) {
                from.limit(from.isDirect() ? end : Math.min(end, from.position() + HEAP_PIECE));
                channel.write(from);
            }
        } catch (IOException e) {
            broken = true;
            throw e;
        } finally {
            from.limit(end);
        }
    }

    @Override
    public void write(ByteBuffer first, ByteBuffer second) throws IOException {
        int end = second.limit();
        try {
            second.limit(Math.min(end, second.position() + HEAP_PIECE));
            var both = new ByteBuffer[] {first, second};
            while (first.hasRemaining()) {
                channel.write(both);
            }
        } catch (IOException e) {
            broken = true;
            throw e;
        } finally {
            second.limit(end);
        }
        write(second);
    }

    /// `transferTo` does not wait for a full socket as `write` does (JDK 25: it answers 0): then one piece is written,
    /// which waits.
    @Override
    public void transfer(FileChannel file, long offset, long length) throws IOException {
        long at = offset;
        long end = offset + length;
        ByteBuffer piece = null;
        try {
            while (at < end) {
                long sent = file.transferTo(at, end - at, channel);
                if (sent <= 0) {
                    if (piece == null) {
                        piece = ByteBuffer.allocate(WAITING_PIECE);
                    }
                    piece.clear().limit((int) Math.min(WAITING_PIECE, end - at));
                    sent = file.read(piece, at);
                    if (sent <= 0) {
                        throw new EOFException("the file ends before the answer does");
                    }
                    write(piece.flip());
                }
                at += sent;
            }
        } catch (IOException e) {
            broken = true;
            throw e;
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    @Override
    public boolean broken() {
        return broken || !channel.isOpen();
    }

    @Override
    public boolean tellsStale() {
        return true;
    }

    @Override
    public boolean stale() {
        try {
            channel.configureBlocking(false);
            int read = channel.read(ByteBuffer.allocate(1));
            channel.configureBlocking(true);
            return read != 0;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            broken = true; // the descriptor is gone either way
        }
    }
}
