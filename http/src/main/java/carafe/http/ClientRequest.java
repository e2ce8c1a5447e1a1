package carafe.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// What a client asks. `target` is the path with its query, escaped already; Host, Content-Length and
/// Transfer-Encoding are the client's business and must not be among `headers`.
public record ClientRequest(String method, String target, Headers headers, Body body) {

    /// Checks method and target, which go to the wire as they are.
    public ClientRequest {
        for (int i = 0; i < method.length(); i++) {
            if (method.charAt(i) < 'A' || method.charAt(i) > 'Z') {
                throw new IllegalArgumentException("not a method: " + method);
            }
        }
        for (int i = 0; i < target.length(); i++) {
            if (target.charAt(i) <= ' ' || target.charAt(i) >= 0x7f) {
                throw new IllegalArgumentException("target is not escaped: " + target);
            }
        }
        if (method.isEmpty() || !target.startsWith("/")) {
            throw new IllegalArgumentException("not a request: " + method + " " + target);
        }
    }

    /// What is sent behind the header.
    public sealed interface Body {

        /// No body.
        record None() implements Body {}

        /// These bytes, with their length.
        record Bytes(byte[] bytes) implements Body {}

        /// What the stream yields, chunked, sent on a thread of its own while the answer is read. The client closes it.
        record Streamed(InputStream stream) implements Body {}

        /// The first `length` bytes of the stream, with their length, sent as [Streamed] is. The client closes it.
        record Sized(InputStream stream, long length) implements Body {}

        /// What the writer writes, chunked, on a thread of its own while the answer is read.
        record Written(Writer writer) implements Body {}
    }

    /// Writes a body. `out` buffers nothing; a failure of the connection is thrown by `out` and to be passed on.
    @FunctionalInterface
    public interface Writer {
        /// Writes all of it and leaves `out` open.
        void writeTo(OutputStream out) throws IOException;
    }

    /// GET without a body.
    public static ClientRequest get(String target) {
        return of("GET", target);
    }

    /// Any method without a body.
    public static ClientRequest of(String method, String target) {
        return new ClientRequest(method, target, Headers.NONE, new Body.None());
    }

    /// With a body of that Content-Type.
    public ClientRequest body(String contentType, byte[] bytes) {
        var typed = headers.toBuilder().set("Content-Type", contentType).build();
        return new ClientRequest(method, target, typed, new Body.Bytes(bytes));
    }

    /// With a chunked body of that Content-Type.
    public ClientRequest body(String contentType, InputStream stream) {
        var typed = headers.toBuilder().set("Content-Type", contentType).build();
        return new ClientRequest(method, target, typed, new Body.Streamed(stream));
    }

    /// With a body of that Content-Type and length.
    public ClientRequest body(String contentType, InputStream stream, long length) {
        var typed = headers.toBuilder().set("Content-Type", contentType).build();
        return new ClientRequest(method, target, typed, new Body.Sized(stream, length));
    }

    /// With a chunked body of that Content-Type.
    public ClientRequest body(String contentType, Writer writer) {
        var typed = headers.toBuilder().set("Content-Type", contentType).build();
        return new ClientRequest(method, target, typed, new Body.Written(writer));
    }

    /// With one more header field.
    public ClientRequest header(String name, String value) {
        return new ClientRequest(method, target, headers.toBuilder().add(name, value).build(), body);
    }
}
