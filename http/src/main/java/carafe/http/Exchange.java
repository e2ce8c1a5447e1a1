package carafe.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.Optional;

/// One request and the way to answer it. Belongs to its handler's thread; only [#clientGone] may be asked elsewhere,
/// and body, response and stream may be used by two threads at once (one reads, one writes).
public interface Exchange {

    /// The method, in capitals as sent.
    String method();

    /// The path as sent, escapes kept, without the query; absolute-form targets are cut to their path.
    String rawPath();

    /// What stands behind the `?`, as sent; empty without one.
    String rawQuery();

    /// The path split at `/` first and decoded then, so an escaped slash stays inside its segment.
    /// @throws HttpException 400 on a broken escape
    List<String> segments() throws HttpException;

    /// The decoded query.
    /// @throws HttpException 400 on a broken escape
    Query query() throws HttpException;

    /// The request's header fields.
    Headers headers();

    /// The body as it arrives; empty when the request has none. Reading is what makes the client send more, and the
    /// first read answers `Expect: 100-continue`. Throws IOException when the client leaves before its end.
    InputStream body();

    /// The whole body.
    /// @throws HttpException 413 when it is longer than `limitBytes`
    byte[] readBody(int limitBytes) throws IOException;

    /// The protocol the client wants to switch to (`tcp`, `h2c`, ...), when it sent `Connection: Upgrade`.
    Optional<String> upgradeProtocol();

    /// Answers completely. To HEAD the body is not sent and Content-Length is 0, as Docker's daemon does.
    /// Does not wait until the client has read it.
    void respond(int status, Headers headers, byte[] body) throws IOException;

    /// Starts an answer of unknown length: chunked for HTTP/1.1, until close for HTTP/1.0. The header goes out with the
    /// first flush, so `flush()` right away sends it at once; each flush reaches the wire. A write blocks while the
    /// client reads too slowly and throws IOException once it is gone. Close ends the answer. Until the head has gone
    /// out, another answer may still be given instead.
    OutputStream respondStreaming(int status, Headers headers) throws IOException;

    /// Starts an answer of exactly `length` bytes; otherwise as [#respondStreaming(int,Headers)]. To HEAD the length is
    /// told and what is written is dropped. Closing before all is written cuts the connection.
    OutputStream respondStreaming(int status, Headers headers, long length) throws IOException;

    /// Answers completely with `length` bytes of `file` from `offset` on, which go from disk to socket without passing
    /// through the process where the socket is in clear. To HEAD only the length is told. The file stays the caller's.
    void respondFile(int status, Headers headers, FileChannel file, long offset, long length) throws IOException;

    /// Takes the connection over. Answers `101 UPGRADED` with the Connection and Upgrade fields when the client asked
    /// for an upgrade, else `200 OK` without a length, and then both directions are raw. What the handler has not read
    /// of the body is skipped; bytes behind it are the stream's first. The handler closes the stream.
    DuplexStream upgrade(Headers headers) throws IOException;

    /// Whether an answer has gone out, so that an error can no longer change the status.
    boolean answered();

    /// Runs `action` once when nobody waits for the answer any more: the client closed or half-closed its connection
    /// before the answer was complete, or the server is closing. At once if that was before. It runs on a virtual
    /// thread of its own and may block. Not called for a stream after [#upgrade], whose input and output tell.
    void onClientGone(Runnable action);

    /// Whether [#onClientGone] is due.
    boolean clientGone();

    /// Who is at the other end of a unix socket; empty for TCP.
    Optional<PeerCredentials> peer() throws IOException;
}
