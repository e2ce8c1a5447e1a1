package carafe.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// A socket with hand-written bytes.
final class RawPeer implements AutoCloseable {

    final SocketChannel channel;
    private final ByteBuffer arrived = ByteBuffer.allocate(1 << 20).limit(0);

    RawPeer(SocketChannel channel) {
        this.channel = channel;
    }

    static RawPeer connect(Path socket) throws IOException {
        return new RawPeer(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    }

    static RawPeer connect(int port) throws IOException {
        return new RawPeer(SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
    }

    RawPeer send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawPeer send(byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        return this;
    }

    /// Everything up to and with the empty line.
    String head() throws IOException {
        return until("\r\n\r\n");
    }

    /// Everything up to and with `mark`.
    String until(String mark) throws IOException {
        var text = new StringBuilder();
        while (text.indexOf(mark) < 0) {
            text.append((char) (one() & 0xff));
        }
        return text.toString();
    }

    /// Exactly that many bytes.
    String take(int count) throws IOException {
        var text = new StringBuilder();
        while (text.length() < count) {
            text.append((char) (one() & 0xff));
        }
        return text.toString();
    }

    /// All that comes until the other side ends.
    byte[] rest() throws IOException {
        var bytes = new ByteArrayOutputStream();
        do {
            while (arrived.hasRemaining()) {
                bytes.write(arrived.get());
            }
        } while (fill());
        return bytes.toByteArray();
    }

    String restText() throws IOException {
        return new String(rest(), StandardCharsets.ISO_8859_1);
    }

    void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    private byte one() throws IOException {
        if (!arrived.hasRemaining() && !fill()) {
            throw new EOFException("the other side ended");
        }
        return arrived.get();
    }

    private boolean fill() throws IOException {
        arrived.clear();
        int read = channel.read(arrived);
        arrived.flip();
        return read >= 0;
    }

    /// Closes in the middle of things.
    void leave() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
