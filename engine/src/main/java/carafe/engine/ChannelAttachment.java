package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A client on the socket of a monitor: what the monitor sends goes out as it is, what the client types goes in.
/// The log so far, if it was asked for, goes first.
final class ChannelAttachment implements Attachment {
    private static final int BUFFER = 64 * 1024;

    private final SocketChannel channel;
    private final boolean terminal;
    private final Optional<DetachKeys> keys;
    private final Optional<ByteSource> earlier;
    private final Runnable onClose;
    private final Source source = new Source();
    private volatile boolean closed;

    /// Owns `channel`; `keys` are looked for in the input, if present; `onClose` runs once.
    ChannelAttachment(
            SocketChannel channel,
            boolean terminal,
            Optional<DetachKeys> keys,
            Optional<ByteSource> earlier,
            Runnable onClose) {
        this.channel = channel;
        this.terminal = terminal;
        this.keys = keys;
        this.earlier = earlier;
        this.onClose = onClose;
    }

    @Override
    public boolean terminal() {
        return terminal;
    }

    @Override
    public ByteSource output() {
        return source;
    }

    @Override
    public boolean write(ByteBuffer bytes) {
        var passed = keys.isPresent() ? keys.get().pass(bytes) : bytes;
        try {
            while (passed.hasRemaining()) {
                channel.write(passed);
            }
        } catch (IOException e) {
            return false; // nothing reads any more
        }
        return keys.isEmpty() || !keys.get().detached();
    }

    @Override
    public void closeInput() {
        try {
            if (channel.isOpen()) {
                channel.shutdownOutput();
            }
        } catch (IOException e) {
            return; // the other end has gone already
        }
    }

    @Override
    public void close() {
        synchronized (source) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            earlier.ifPresent(ByteSource::close);
        } finally {
            onClose.run();
            try {
                channel.close();
            } catch (IOException e) {
                throw new AssertionError("closing a socket failed", e);
            }
        }
    }

    private final class Source implements ByteSource {
        private @Nullable ByteBuffer buffer;
        private boolean replayed;

        @Override
        public Optional<ByteBuffer> next() throws EngineException, InterruptedException {
            if (!replayed && earlier.isPresent()) {
                var before = earlier.get().next();
                if (before.isPresent()) {
                    return before;
                }
            }
            replayed = true;
            if (buffer == null) {
                buffer = ByteBuffer.allocateDirect(BUFFER);
            }
            buffer.clear();
            try {
                return channel.read(buffer) > 0 ? Optional.of(buffer.flip()) : Optional.empty();
            } catch (IOException e) {
                return Optional.empty(); // we closed it, or the monitor died: either way there is no more
            }
        }

        @Override
        public void close() {
            ChannelAttachment.this.close();
        }
    }
}
