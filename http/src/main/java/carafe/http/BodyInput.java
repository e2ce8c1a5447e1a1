package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A message's body, cut out of a connection by its framing. One reader at a time. A connection that ends before the
/// body does is an IOException, never an end. Source: RFC 9112 §6 and §7.
final class BodyInput extends InputStream {

    private static final int MAX_CHUNK_LINE = 4 << 10;
    private static final int MAX_TRAILERS = 64 << 10;

    private enum Framing { LENGTH, CHUNKED, UNTIL_CLOSE }

    private final Inbound inbound;
    private final Framing framing;
    private long remaining; // of the body or, when chunked, of the chunk
    private boolean firstChunk = true;
    private volatile boolean ended;
    private @Nullable Runnable atEnd;

    private BodyInput(Inbound inbound, Framing framing, long remaining) {
        this.inbound = inbound;
        this.framing = framing;
        this.remaining = remaining;
        this.ended = framing == Framing.LENGTH && remaining == 0;
    }

    /// The body of a request with these fields.
    /// @throws HttpException 400 or 501 when its framing is ambiguous or unknown
    static BodyInput ofRequest(Headers headers, boolean http11, Inbound inbound) throws HttpException {
        if (headers.contains("Transfer-Encoding")) {
            if (!http11 || headers.contains("Content-Length")) {
                throw new HttpException(400, "Transfer-Encoding does not go with Content-Length or HTTP/1.0");
            }
            requireChunked(headers);
            return new BodyInput(inbound, Framing.CHUNKED, 0);
        }
        return new BodyInput(inbound, Framing.LENGTH, Math.max(0, length(headers)));
    }

    /// The body of a response with these fields; `bodiless` for HEAD, 1xx, 204 and 304.
    static BodyInput ofResponse(Headers headers, boolean bodiless, Inbound inbound) throws HttpException {
        if (bodiless) {
            return new BodyInput(inbound, Framing.LENGTH, 0);
        }
        if (headers.contains("Transfer-Encoding")) {
            requireChunked(headers);
            return new BodyInput(inbound, Framing.CHUNKED, 0);
        }
        long length = length(headers);
        return new BodyInput(inbound, length < 0 ? Framing.UNTIL_CLOSE : Framing.LENGTH, length);
    }

    private static void requireChunked(Headers headers) throws HttpException {
        var codings = headers.all("Transfer-Encoding");
        if (codings.size() != 1 || !codings.get(0).equalsIgnoreCase("chunked")) {
            throw new HttpException(501, "the only transfer encoding understood is chunked");
        }
    }

    private static long length(Headers headers) throws HttpException {
        var lengths = headers.all("Content-Length");
        if (lengths.isEmpty()) {
            return -1;
        }
        String digits = lengths.get(0);
        boolean number = lengths.size() == 1 && !digits.isEmpty() && digits.length() <= 18;
        for (int i = 0; number && i < digits.length(); i++) {
            number = digits.charAt(i) >= '0' && digits.charAt(i) <= '9';
        }
        if (!number) {
            throw new HttpException(400, "Content-Length is not one number");
        }
        return Long.parseLong(digits);
    }

    /// Whether all of it has been read.
    boolean ended() {
        return ended;
    }

    /// Whether the end of the body is the end of the connection.
    boolean untilClose() {
        return framing == Framing.UNTIL_CLOSE;
    }

    /// Whether more than `bytes` are known to be missing.
    boolean longerThan(long bytes) {
        return framing == Framing.LENGTH && remaining > bytes;
    }

    /// Runs `action` once the body has been read to its end; at once when it has. To be set before reading.
    void whenEnded(Runnable action) {
        if (ended) {
            action.run();
        } else {
            atEnd = action;
        }
    }

    /// Reads and drops up to `limitBytes`; whether the end was reached.
    boolean skipRest(long limitBytes) throws IOException {
        var scratch = new byte[8 << 10];
        long left = limitBytes;
        while (!ended && left > 0) {
            left -= Math.max(0, read(scratch));
        }
        return ended;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        if (!ended && framing == Framing.CHUNKED && remaining == 0) {
            nextChunk();
        }
        if (ended) {
            return -1;
        }
        int wanted = framing == Framing.UNTIL_CLOSE ? length : (int) Math.min(length, remaining);
        int read = inbound.read(ByteBuffer.wrap(into, offset, wanted));
        if (read < 0) {
            if (framing == Framing.UNTIL_CLOSE) {
                end();
                return -1;
            }
            throw new EOFException("the connection ended inside the body");
        }
        if (framing != Framing.UNTIL_CLOSE) {
            remaining -= read;
        }
        if (framing == Framing.LENGTH && remaining == 0) {
            end();
        }
        return read;
    }

    private void nextChunk() throws IOException {
        if (!firstChunk && !inbound.line(2).isEmpty()) {
            throw new HttpException(400, "a chunk does not end where it should");
        }
        firstChunk = false;
        String line = inbound.line(MAX_CHUNK_LINE);
        int digits = 0;
        while (digits < line.length() && Character.digit(line.charAt(digits), 16) >= 0 && line.charAt(digits) < 0x80) {
            digits++;
        }
        boolean sane = digits > 0 && digits <= 15;
        for (int i = digits; sane && i < line.length(); i++) {
            char c = line.charAt(i);
            sane = (i > digits || c == ';' || c == ' ' || c == '\t') && (c >= ' ' && c != 0x7f || c == '\t');
        }
        if (!sane) {
            throw new HttpException(400, "a chunk does not begin with its size");
        }
        remaining = Long.parseLong(line, 0, digits, 16);
        if (remaining == 0) {
            skipTrailers();
            end();
        }
    }

    private void skipTrailers() throws IOException {
        int left = MAX_TRAILERS;
        for (String line = inbound.line(left); !line.isEmpty(); line = inbound.line(left)) {
            left -= line.length() + 2;
            if (left < 2) {
                throw new HttpException(400, "the trailers are longer than " + MAX_TRAILERS + " bytes");
            }
        }
    }

    private void end() {
        ended = true;
        var action = atEnd;
        atEnd = null;
        if (action != null) {
            action.run();
        }
    }
}
