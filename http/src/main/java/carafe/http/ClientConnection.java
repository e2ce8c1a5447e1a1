package carafe.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// A client's connection: one request at a time.
final class ClientConnection implements AutoCloseable {

    private static final int STATUS_LINE = 64 << 10;
    private static final int HEADER = 1 << 20;
    private static final int INTERIM_ANSWERS = 16;
    private static final long JUST_USED_NANOS = 5_000_000_000L;

    private final HttpClient client;
    private final Dialler dialler;
    private final Wire wire;
    private final Inbound inbound;
    private boolean answerBegan;
    private @Nullable Upload upload;
    private volatile long usedAt = System.nanoTime();

    /// An answer's status, fields and whether the server keeps the connection.
    private record Received(int status, Headers headers, boolean stays) {}

    /// Owns `wire`.
    ClientConnection(HttpClient client, Dialler dialler, Wire wire) {
        this.client = client;
        this.dialler = dialler;
        this.wire = wire;
        this.inbound = new Inbound(wire);
    }

    /// Sends and reads the answer's head; the answer gives this connection back or closes it.
    ClientResponse send(ClientRequest request) throws IOException {
        write(request, "");
        return answer(request, receive());
    }

    /// Sends and takes the connection over if the server agrees; else the answer has it.
    Upgraded upgrade(ClientRequest request, String protocol, TransferBuffers buffers) throws IOException {
        write(request, "Connection: Upgrade\r\nUpgrade: " + protocol + "\r\n");
        var received = receive();
        Headers fields = received.headers();
        boolean framed = fields.contains("Content-Length") || fields.contains("Transfer-Encoding");
        if (received.status() == 101 || received.status() == 200 && !framed) {
            var stream = new RawStream(inbound, wire, buffers, new Close());
            return new Upgraded.Switched(received.status(), received.headers(), stream);
        }
        return new Upgraded.Refused(answer(request, received));
    }

    private void write(ClientRequest request, String upgrade) throws IOException {
        answerBegan = false;
        upload = null;
        var text = new StringBuilder(256);
        text.append(request.method()).append(' ').append(dialler.targetPrefix()).append(request.target());
        text.append(" HTTP/1.1\r\nHost: ").append(dialler.host()).append("\r\n");
        text.append(dialler.fields()).append(upgrade);
        for (int i = 0; i < request.headers().size(); i++) {
            text.append(request.headers().name(i)).append(": ").append(request.headers().value(i)).append("\r\n");
        }
        byte[] bytes = {};
        if (request.body() instanceof ClientRequest.Body.Bytes given) {
            bytes = given.bytes();
            text.append("Content-Length: ").append(bytes.length).append("\r\n");
        } else if (request.body() instanceof ClientRequest.Body.Streamed
                || request.body() instanceof ClientRequest.Body.Written) {
            text.append("Transfer-Encoding: chunked\r\n");
        } else if (request.body() instanceof ClientRequest.Body.Sized sized) {
            text.append("Content-Length: ").append(sized.length()).append("\r\n");
        } else if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
            text.append("Content-Length: 0\r\n");
        }
        var head = ByteBuffer.wrap(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        try {
            wire.write(head, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            if (bytes.length == 0) {
                throw e;
            }
            return; // the server may have refused the body and said so: read its answer
        }
        upload = Upload.of(request.body(), wire);
        var sending = upload;
        if (sending != null) {
            sending.start();
        }
    }

    private Received receive() throws IOException {
        try {
            for (int i = 0; i < INTERIM_ANSWERS; i++) {
                byte[] bytes = inbound.head(STATUS_LINE, HEADER, new Began());
                if (bytes == null) {
                    throw new IOException("the server closed the connection without an answer");
                }
                var head = Head.parse(bytes);
                int status = status(head.firstLine());
                if (status >= 200 || status == 101) {
                    boolean stays = head.firstLine().startsWith("HTTP/1.1")
                            ? !head.headers().listContains("Connection", "close")
                            : head.headers().listContains("Connection", "keep-alive");
                    return new Received(status, head.headers(), stays);
                }
            }
            throw new IOException("the server sent too many interim answers");
        } catch (HttpException e) {
            throw new IOException("the server's answer is not HTTP: " + e.getMessage(), e);
        } catch (IOException e) {
            throw uploadFailed(e);
        }
    }

    /// A request body that could not be read is the cause of whatever else went wrong.
    private IOException uploadFailed(IOException e) {
        var sending = upload;
        IOException cause = sending == null ? null : sending.unreadable();
        if (cause == null) {
            return e;
        }
        return new IOException("the request's body could not be read: " + cause.getMessage(), cause);
    }

    private static int status(String line) throws HttpException {
        boolean sane = line.length() >= 12
                && (line.startsWith("HTTP/1.1 ") || line.startsWith("HTTP/1.0 "))
                && (line.length() == 12 || line.charAt(12) == ' ');
        int status = 0;
        for (int i = 9; sane && i < 12; i++) {
            int digit = line.charAt(i) - '0';
            sane = digit >= 0 && digit <= 9;
            status = 10 * status + digit;
        }
        if (!sane || status < 100) {
            throw new HttpException(502, "it does not begin with a status line");
        }
        return status;
    }

    private ClientResponse answer(ClientRequest request, Received received) throws IOException {
        int status = received.status();
        boolean bodiless = request.method().equals("HEAD") || status == 204 || status == 304;
        try {
            var body = BodyInput.ofResponse(received.headers(), bodiless, inbound);
            var answer = new ClientAnswer(this, status, received.headers(), body);
            boolean reusable = received.stays() && !body.untilClose();
            body.whenEnded(reusable ? new GiveBack() : new Close());
            return answer;
        } catch (HttpException e) {
            throw new IOException("the server's answer is not HTTP: " + e.getMessage(), e);
        }
    }

    /// Whether the server has begun to answer the request last sent.
    boolean answerBegan() {
        return answerBegan;
    }

    /// Whether the server has left meanwhile.
    boolean stale() {
        return wire.stale();
    }

    /// Whether it served so lately that the server will hardly have given it up; for sockets that cannot tell.
    boolean justUsed() {
        return wire.tellsStale() || System.nanoTime() - usedAt < JUST_USED_NANOS;
    }

    @Override
    public void close() {
        wire.close();
    }

    /// The server has begun to answer.
    private final class Began implements Runnable {
        @Override
        public void run() {
            answerBegan = true;
        }
    }

    /// The answer has been read: the connection may serve again, unless the request is still being sent.
    private final class GiveBack implements Runnable {
        @Override
        public void run() {
            var sending = upload;
            usedAt = System.nanoTime();
            if (sending == null || sending.complete()) {
                client.giveBack(ClientConnection.this);
            } else {
                close();
            }
        }
    }

    /// The connection is of no more use.
    private final class Close implements Runnable {
        @Override
        public void run() {
            close();
        }
    }
}
