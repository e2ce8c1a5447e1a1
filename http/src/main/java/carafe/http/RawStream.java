package carafe.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/// A connection after its HTTP head: what [Inbound] still holds and then the wire itself.
final class RawStream implements DuplexStream {

    private static final Duration LOOK = Duration.ofMillis(500);

    private final Inbound inbound;
    private final Wire wire;
    private final TransferBuffers buffers;
    private final Runnable onClose;
    private final AtomicBoolean outputShut = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final InputStream input = new Input();
    private final OutputStream output = new Output();

    /// `onClose` ends the connection, at once or in a moment; it runs once.
    RawStream(Inbound inbound, Wire wire, TransferBuffers buffers, Runnable onClose) {
        this.inbound = inbound;
        this.wire = wire;
        this.buffers = buffers;
        this.onClose = onClose;
    }

    @Override
    public InputStream input() {
        return input;
    }

    @Override
    public OutputStream output() {
        return output;
    }

    @Override
    public void shutdownOutput() throws IOException {
        if (!closed.get() && outputShut.compareAndSet(false, true)) {
            wire.shutdownOutput();
        }
    }

    @Override
    public boolean awaitHangup() throws InterruptedException {
        while (!closed.get() && wire.canHangUp()) {
            Thread.sleep(LOOK);
            if (!closed.get() && wire.hungUp()) {
                return !closed.get();
            }
        }
        return false;
    }

    @Override
    public long pumpFrom(ReadableByteChannel source) throws IOException {
        ByteBuffer buffer = buffers.take();
        try {
            long bytes = 0;
            while (source.read(buffer) >= 0) {
                buffer.flip();
                bytes += buffer.remaining();
                send(buffer);
                buffer.clear();
            }
            return bytes;
        } finally {
            buffers.giveBack(buffer);
        }
    }

    @Override
    public long pumpTo(WritableByteChannel sink) throws IOException {
        ByteBuffer buffer = buffers.take();
        try {
            long bytes = 0;
            while (receive(buffer) >= 0) {
                buffer.flip();
                bytes += buffer.remaining();
                while (buffer.hasRemaining()) {
                    sink.write(buffer);
                }
                buffer.clear();
            }
            return bytes;
        } finally {
            buffers.giveBack(buffer);
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            onClose.run();
        }
    }

    private int receive(ByteBuffer into) throws IOException {
        requireOpen();
        int read = inbound.read(into);
        requireOpen();
        return read;
    }

    private void send(ByteBuffer from) throws IOException {
        requireOpen();
        if (outputShut.get()) {
            throw new IOException("the stream's output is shut down");
        }
        wire.write(from);
    }

    private void requireOpen() throws IOException {
        if (closed.get()) {
            throw new IOException("the stream is closed");
        }
    }

    /// What the peer sends.
    private final class Input extends InputStream {

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            return length == 0 ? 0 : receive(ByteBuffer.wrap(into, offset, length));
        }
    }

    /// What the peer gets.
    private final class Output extends OutputStream {

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            send(ByteBuffer.wrap(from, offset, length));
        }

        @Override
        public void close() throws IOException {
            shutdownOutput();
        }
    }
}
