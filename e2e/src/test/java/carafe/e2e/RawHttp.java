package carafe.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// HTTP as bytes on the wire, for what no client shows: status lines, header fields, empty bodies.
final class RawHttp {

    private RawHttp() {}

    /// The whole answer to a GET: status line, header fields, body.
    static String get(Path socket, String path) throws IOException {
        return request(socket, "GET", path);
    }

    static String request(Path socket, String method, String path) throws IOException {
        return send(socket, method + " " + path + " HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
    }

    /// Sends `bytes` and reads until the other side closes.
    static String send(Path socket, String bytes) throws IOException {
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            var out = ByteBuffer.wrap(bytes.getBytes(StandardCharsets.UTF_8));
            while (out.hasRemaining()) {
                channel.write(out);
            }
            var answer = new ByteArrayOutputStream();
            var buffer = ByteBuffer.allocate(64 * 1024);
            while (channel.read(buffer) >= 0) {
                answer.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
            return answer.toString(StandardCharsets.UTF_8);
        }
    }
}
