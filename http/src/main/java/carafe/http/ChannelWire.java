package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/// A unix or TCP socket in clear. The channel is in blocking mode (on a virtual thread a blocked call parks it) until
/// somebody asks whether the peer hung up: only a selector tells that, and it takes channels that do not block. From
/// then on a writer that finds no room waits at a selector of its own.
final class ChannelWire implements Wire {

    /// The JDK copies heap buffers through a direct buffer of their size, which it then keeps for the carrier thread:
    /// so the pieces are bounded.
    private static final int HEAP_PIECE = 128 << 10;

    private static final int WAITING_PIECE = 16 << 10;

    private final SocketChannel channel;
    private volatile boolean broken;
    private volatile @Nullable Selector hangup;
    private volatile @Nullable Selector room;

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
                if (channel.write(from) == 0) {
                    awaitRoom();
                }
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
                if (channel.write(both) == 0) {
                    awaitRoom();
                }
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

    /// The channel does not block and has no room.
    private void awaitRoom() throws IOException {
        try {
            var selector = room;
            if (selector == null) {
                selector = Selector.open();
                room = selector;
                channel.register(selector, SelectionKey.OP_WRITE);
            }
            selector.select();
            selector.selectedKeys().clear();
        } catch (ClosedSelectorException e) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public boolean canHangUp() {
        return true;
    }

    @Override
    public boolean hungUp() {
        try {
            var selector = hangup;
            if (selector == null) {
                channel.configureBlocking(false);
                selector = Selector.open();
                hangup = selector;
                // Nothing is being connected, so this is ready in one case only: the system reports POLLHUP or POLLERR.
                channel.register(selector, SelectionKey.OP_CONNECT);
            }
            if (!channel.isOpen()) {
                closeSelector(selector); // it was closed by somebody who did not see the selector yet
            }
            return selector.selectNow() > 0;
        } catch (IOException | ClosedSelectorException e) {
            return true; // we closed it
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            closeSelector(hangup); // a channel that a selector knows is not closed before the selector is
            closeSelector(room);
        } catch (IOException e) {
            broken = true; // the descriptor is gone either way
        }
    }

    private static void closeSelector(@Nullable Selector selector) throws IOException {
        if (selector != null) {
            selector.close();
        }
    }
}
