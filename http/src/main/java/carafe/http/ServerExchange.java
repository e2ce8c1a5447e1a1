package carafe.http;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One request on a [Connection] and what has been answered to it.
final class ServerExchange implements Exchange {

    private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] NOTHING = {};

    /// How much of a body that no handler wanted is read to keep the connection.
    static final int SKIPPED_BODY = 256 << 10;

    private enum Stage { UNANSWERED, ANSWERED, STREAMED, UPGRADED }

    private final Connection connection;
    private final RequestLine line;
    private final Headers headers;
    private final BodyInput body;
    private final boolean askedToStay;

    /// Guards the fields below; also held while `100 Continue` is written, so that it cannot follow the answer.
    private final ReentrantLock lock = new ReentrantLock();

    private Stage stage = Stage.UNANSWERED;
    private boolean headGone;
    private boolean owesContinue;
    private boolean over;
    private boolean gone;
    private boolean watched;
    private @Nullable Runnable onGone;
    private @Nullable StreamedAnswer streamed;
    private volatile @Nullable RawStream raw;
    private boolean stays;

    ServerExchange(Connection connection, RequestLine line, Headers headers, BodyInput body) {
        this.connection = connection;
        this.line = line;
        this.headers = headers;
        this.body = body;
        this.owesContinue = line.http11() && headers.listContains("Expect", "100-continue") && !body.ended();
        this.askedToStay = line.http11()
                ? !headers.listContains("Connection", "close")
                : headers.listContains("Connection", "keep-alive");
    }

    @Override
    public String method() {
        return line.method();
    }

    @Override
    public String rawPath() {
        return line.path();
    }

    @Override
    public String rawQuery() {
        return line.query();
    }

    @Override
    public List<String> segments() throws HttpException {
        var segments = new ArrayList<String>();
        for (String segment : line.path().substring(1).split("/", -1)) {
            segments.add(Query.decode(segment, false));
        }
        return segments;
    }

    @Override
    public Query query() throws HttpException {
        return Query.parse(line.query());
    }

    @Override
    public Headers headers() {
        return headers;
    }

    @Override
    public InputStream body() {
        return owesContinue ? new AwaitedBody() : body;
    }

    @Override
    public byte[] readBody(int limitBytes) throws IOException {
        if (body.longerThan(limitBytes)) {
            throw tooLong(limitBytes);
        }
        var bytes = new ByteArrayOutputStream();
        var piece = new byte[8 << 10];
        var from = body();
        for (int read = from.read(piece); read >= 0; read = from.read(piece)) {
            if (bytes.size() + read > limitBytes) {
                throw tooLong(limitBytes);
            }
            bytes.write(piece, 0, read);
        }
        return bytes.toByteArray();
    }

    private static HttpException tooLong(int limitBytes) {
        return new HttpException(413, "the request's body is longer than " + limitBytes + " bytes");
    }

    @Override
    public Optional<String> upgradeProtocol() {
        return headers.listContains("Connection", "upgrade") ? headers.first("Upgrade") : Optional.empty();
    }

    @Override
    public void respond(int status, Headers fields, byte[] bytes) throws IOException {
        claim(Stage.ANSWERED);
        boolean bodiless = bodiless(status);
        boolean head = method().equals("HEAD");
        var framing = new StringBuilder(64);
        if (!bodiless) {
            framing.append("Content-Length: ").append(head ? 0 : bytes.length).append("\r\n");
        }
        stays = staying(fields);
        ByteBuffer first = connection.heads().print(status, fields, framing.append(connectionField()).toString());
        endWatch();
        connection.wire().write(first, ByteBuffer.wrap(bodiless || head ? NOTHING : bytes));
    }

    @Override
    public OutputStream respondStreaming(int status, Headers fields) throws IOException {
        claim(Stage.STREAMED);
        StreamedAnswer.Framing framing = bodiless(status) || method().equals("HEAD")
                ? StreamedAnswer.Framing.NO_BODY
                : line.http11() ? StreamedAnswer.Framing.CHUNKED : StreamedAnswer.Framing.UNTIL_CLOSE;
        stays = staying(fields) && framing != StreamedAnswer.Framing.UNTIL_CLOSE;
        String length = framing == StreamedAnswer.Framing.CHUNKED
                ? "Transfer-Encoding: chunked\r\n"
                : framing == StreamedAnswer.Framing.NO_BODY && !bodiless(status) ? "Content-Length: 0\r\n" : "";
        ByteBuffer first = connection.heads().print(status, fields, length + connectionField());
        var answer = new StreamedAnswer(connection.wire(), framing, first, this::headLeaves, this::endWatch);
        streamed = answer;
        return answer;
    }

    @Override
    public OutputStream respondStreaming(int status, Headers fields, long length) throws IOException {
        claim(Stage.STREAMED);
        var framing = bodiless(status) || method().equals("HEAD")
                ? StreamedAnswer.Framing.NO_BODY
                : StreamedAnswer.Framing.SIZED;
        stays = staying(fields);
        var answer = new StreamedAnswer(
                connection.wire(), framing, sizedHead(status, fields, length), this::headLeaves, this::endWatch);
        streamed = answer;
        return answer.sized(length);
    }

    @Override
    public void respondFile(int status, Headers fields, FileChannel file, long offset, long length)
            throws IOException {
        claim(Stage.ANSWERED);
        stays = staying(fields);
        ByteBuffer first = sizedHead(status, fields, length);
        endWatch();
        if (method().equals("HEAD") || bodiless(status)) {
            connection.wire().write(first);
            return;
        }
        var buffers = connection.buffers();
        var piece = buffers.take();
        try {
            piece.limit((int) Math.min(piece.capacity(), length));
            while (piece.hasRemaining()) {
                if (file.read(piece, offset + piece.position()) <= 0) {
                    throw new EOFException("the file ends before the answer does");
                }
            }
            long sent = piece.flip().remaining();
            connection.wire().write(first, piece); // a small file is one system call; a large one begins so
            connection.wire().transfer(file, offset + sent, length - sent);
        } finally {
            buffers.giveBack(piece);
        }
    }

    private ByteBuffer sizedHead(int status, Headers fields, long length) {
        String framing = bodiless(status) ? "" : "Content-Length: " + length + "\r\n";
        return connection.heads().print(status, fields, framing + connectionField());
    }

    @Override
    public DuplexStream upgrade(Headers fields) throws IOException {
        sendContinue();
        if (!body.skipRest(SKIPPED_BODY)) {
            throw new HttpException(413, "the body of a request to upgrade is too long");
        }
        claim(Stage.UPGRADED);
        connection.inbound().unwatch();
        var protocol = upgradeProtocol();
        ByteBuffer first = protocol.isPresent()
                ? connection.heads().print(101, fields.toBuilder().remove("Upgrade").build(),
                        "Connection: Upgrade\r\nUpgrade: " + protocol.get() + "\r\n")
                : connection.heads().print(200, fields, "");
        connection.wire().write(first);
        var stream = connection.raw();
        raw = stream;
        return stream;
    }

    @Override
    public boolean answered() {
        lock.lock();
        try {
            return headGone;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onClientGone(Runnable action) {
        boolean now;
        lock.lock();
        try {
            now = gone && !over;
            onGone = now || over ? null : action;
        } finally {
            lock.unlock();
        }
        if (now) {
            start(action);
        } else {
            watch();
        }
    }

    @Override
    public boolean clientGone() {
        watch();
        lock.lock();
        try {
            return gone;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<PeerCredentials> peer() throws IOException {
        return connection.peer();
    }

    private void watch() {
        lock.lock();
        try {
            if (watched || over || stage == Stage.UPGRADED) {
                return;
            }
            watched = true;
        } finally {
            lock.unlock();
        }
        body.whenEnded(() -> connection.inbound().watch(this::leave));
    }

    /// Nobody waits for the answer any more: calls what the handler asked to be called. From any thread.
    void leave() {
        Runnable action;
        lock.lock();
        try {
            if (over || gone || stage == Stage.UPGRADED) {
                return;
            }
            gone = true;
            action = onGone;
            onGone = null;
        } finally {
            lock.unlock();
        }
        if (action != null) {
            start(action);
        }
    }

    /// Ends what the handler began, after it returned.
    /// @throws IllegalStateException the handler did not answer
    void finish() throws IOException {
        if (streamed != null) {
            streamed.close();
        } else if (stage == Stage.UNANSWERED) {
            throw new IllegalStateException("the handler of " + method() + " " + rawPath() + " did not answer");
        }
    }

    /// The answer is complete but for its last bytes: whether the client stays is no longer of interest.
    private void endWatch() {
        lock.lock();
        try {
            over = true;
            onGone = null;
        } finally {
            lock.unlock();
        }
        connection.inbound().unwatch();
    }

    /// The handler is done.
    void retire() {
        endWatch();
        var stream = raw;
        if (stream != null) {
            stream.close();
        }
    }

    /// The server is closing: a raw stream ends, else the handler is told that nobody waits.
    void closing() {
        var stream = raw;
        if (stream != null) {
            stream.close();
        } else {
            leave();
        }
    }

    /// Whether another request may follow; reads what is left of the body if it is not much. `shortly` is called before
    /// something is waited for.
    boolean readyForNext(Runnable shortly) throws IOException {
        if (!stays || owesContinue || connection.closing()) {
            return false;
        }
        if (!body.ended()) {
            shortly.run();
            return !body.longerThan(SKIPPED_BODY) && body.skipRest(SKIPPED_BODY);
        }
        return true;
    }

    private void claim(Stage next) {
        lock.lock();
        try {
            if (headGone) {
                throw new IllegalStateException("the request was answered already");
            }
            if (streamed != null) {
                streamed.abandon();
                streamed = null;
            }
            stage = next;
            headGone = next != Stage.STREAMED;
        } finally {
            lock.unlock();
        }
    }

    private void headLeaves() {
        lock.lock();
        try {
            headGone = true;
        } finally {
            lock.unlock();
        }
    }

    private boolean staying(Headers fields) {
        return askedToStay
                && !owesContinue
                && !connection.closing()
                && !body.longerThan(SKIPPED_BODY)
                && !fields.listContains("Connection", "close");
    }

    private String connectionField() {
        if (!stays) {
            return "Connection: close\r\n";
        }
        return line.http11() ? "" : "Connection: keep-alive\r\n";
    }

    private static boolean bodiless(int status) {
        return status < 200 || status == 204 || status == 304;
    }

    private static void start(Runnable action) {
        Thread.ofVirtual().name("carafe-http-gone").start(action);
    }

    private void sendContinue() throws IOException {
        lock.lock();
        try {
            if (owesContinue && !headGone) {
                owesContinue = false;
                connection.wire().write(ByteBuffer.wrap(CONTINUE));
            }
        } finally {
            lock.unlock();
        }
    }

    /// A body whose sender waits for `100 Continue`, sent when somebody starts to read.
    private final class AwaitedBody extends InputStream {

        @Override
        public int read() throws IOException {
            sendContinue();
            return body.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            sendContinue();
            return body.read(into, offset, length);
        }
    }
}
