package carafe.bench;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// One keep-alive HTTP/1.1 connection to an engine's unix socket: as thin as can be, so that the engine is measured.
/// Not safe for two threads. Blocks as the socket blocks.
final class Api implements AutoCloseable {

    private final SocketChannel channel;
    private final InputStream in;
    private final OutputStream out;

    Api(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        in = new BufferedInputStream(Channels.newInputStream(channel), 1 << 16);
        out = Channels.newOutputStream(channel);
    }

    /// What came back: the status and the whole body.
    record Answer(int status, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    Answer get(String target) throws IOException {
        return call("GET", target, "");
    }

    Answer post(String target, String json) throws IOException {
        return call("POST", target, json);
    }

    Answer delete(String target) throws IOException {
        return call("DELETE", target, "");
    }

    /// One request and its whole answer; a status of 400 and more is an [IOException] with the engine's words.
    Answer call(String method, String target, String json) throws IOException {
        send(method, target, json, "");
        return receive(method + " " + target, true);
    }

    /// Sends a request and reads only the head of its answer, as `docker run` does with `/wait`.
    void callAndReadHead(String method, String target) throws IOException {
        send(method, target, "", "");
        head(method + " " + target);
    }

    /// Reads the body that belongs to [#callAndReadHead].
    Answer rest() throws IOException {
        return new Answer(200, body());
    }

    /// Posts a file of known length (an image archive) and reads the whole answer.
    Answer postFile(String target, Path file) throws IOException {
        String head = "POST " + target + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-tar\r\n"
                + "Content-Length: " + Files.size(file) + "\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        Files.copy(file, out);
        return receive("POST " + target, true);
    }

    /// Reads and counts a body to its end without keeping it.
    long drain(String target) throws IOException {
        send("GET", target, "", "");
        head(target);
        long total = 0;
        byte[] buffer = new byte[1 << 18];
        if (!chunked) {
            throw new IOException(target + " is not a stream");
        }
        for (long size = chunkSize(); size > 0; size = chunkSize()) {
            for (long left = size; left > 0; ) {
                int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (n < 0) {
                    throw new EOFException(target);
                }
                left -= n;
            }
            total += size;
            line();
        }
        line();
        return total;
    }

    private void send(String method, String target, String json, String extra) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        String head = method + " " + target + " HTTP/1.1\r\nHost: bench\r\n" + extra
                + (body.length > 0 ? "Content-Type: application/json\r\n" : "") + "Content-Length: " + body.length
                + "\r\n\r\n";
        var request = new ByteArrayOutputStream();
        request.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
        request.writeBytes(body);
        out.write(request.toByteArray());
    }

    private Answer receive(String what, boolean strict) throws IOException {
        int status = head(what);
        byte[] body = status == 204 || status == 304 ? new byte[0] : body();
        if (strict && status >= 400) {
            throw new IOException(what + ": " + status + " " + new String(body, StandardCharsets.UTF_8));
        }
        return new Answer(status, body);
    }

    private boolean chunked;
    private long length;

    private int head(String what) throws IOException {
        String status = line();
        if (!status.startsWith("HTTP/1.1 ")) {
            throw new IOException(what + ": no HTTP answer but \"" + status + "\"");
        }
        chunked = false;
        length = 0;
        for (String header = line(); !header.isEmpty(); header = line()) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Long.parseLong(lower.substring(15).strip());
            } else if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
                chunked = true;
            }
        }
        return Integer.parseInt(status.substring(9, 12));
    }

    private byte[] body() throws IOException {
        if (!chunked) {
            return in.readNBytes((int) length);
        }
        var bytes = new ByteArrayOutputStream();
        for (long size = chunkSize(); size > 0; size = chunkSize()) {
            bytes.writeBytes(in.readNBytes((int) size));
            line();
        }
        line();
        return bytes.toByteArray();
    }

    private long chunkSize() throws IOException {
        return Long.parseLong(line().strip(), 16);
    }

    private String line() throws IOException {
        var text = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the engine closed the connection");
            }
            if (c != '\r') {
                text.append((char) c);
            }
        }
        return text.toString();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
