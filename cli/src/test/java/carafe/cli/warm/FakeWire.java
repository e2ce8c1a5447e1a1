package carafe.cli.warm;

import carafe.http.DuplexStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// A connection in memory: what the process sends is put in, and each frame that it gets is taken out.
final class FakeWire implements DuplexStream {

    private static final int SECONDS = 30;

    private final BlockingQueue<byte[]> frames = new LinkedBlockingQueue<>();
    private final PipedOutputStream sent = new PipedOutputStream();
    private final PipedInputStream input;
    private volatile boolean gone;

    FakeWire() throws IOException {
        input = new PipedInputStream(sent, 1 << 20);
    }

    /// The process sends a frame.
    void send(int kind, byte... bytes) throws IOException {
        sendRaw(ByteBuffer.allocate(5 + bytes.length).put((byte) kind).putInt(bytes.length).put(bytes).array());
    }

    /// The process sends these bytes.
    void sendRaw(byte... bytes) throws IOException {
        sent.write(bytes);
        sent.flush();
    }

    /// The process is gone: nothing more comes, nothing more goes.
    void leave() throws IOException {
        gone = true;
        sent.close();
    }

    /// The next frame as its kind and its bytes in hex, as in "4 0000000000000002".
    String next() throws InterruptedException {
        byte[] frame = frames.poll(SECONDS, TimeUnit.SECONDS);
        if (frame == null) {
            throw new AssertionError("no frame came");
        }
        int length = ByteBuffer.wrap(frame).getInt(1);
        if (frame.length != 5 + length) {
            throw new AssertionError("a frame of " + length + " bytes came as " + frame.length);
        }
        return (frame[0] + " " + HexFormat.of().formatHex(Arrays.copyOfRange(frame, 5, frame.length))).strip();
    }

    @Override
    public InputStream input() {
        return input;
    }

    @Override
    public OutputStream output() {
        return new ByteArrayOutputStream() {
            @Override
            public void write(byte[] bytes, int offset, int length) {
                frames.add(Arrays.copyOfRange(bytes, offset, offset + length));
            }

            @Override
            public void write(byte[] bytes) throws IOException {
                if (gone) {
                    throw new IOException("Broken pipe");
                }
                write(bytes, 0, bytes.length);
            }
        };
    }

    @Override
    public void shutdownOutput() {
        throw new AssertionError("nobody ends one way alone");
    }

    @Override
    public boolean awaitHangup() {
        throw new AssertionError("the input's end says it");
    }

    @Override
    public long pumpFrom(ReadableByteChannel source) {
        throw new AssertionError("frames are no raw bytes");
    }

    @Override
    public long pumpTo(WritableByteChannel sink) {
        throw new AssertionError("frames are no raw bytes");
    }

    @Override
    public void close() {
        try {
            leave();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
