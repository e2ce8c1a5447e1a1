package carafe.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/// A connection taken over from HTTP: raw bytes both ways, each way ending on its own. Reading and writing may happen
/// on two threads, each way on one at a time. Whoever got it closes it.
public interface DuplexStream extends AutoCloseable {

    /// What the peer sends; ends when the peer shuts down its output, while our output goes on.
    InputStream input();

    /// What the peer gets. Not buffered: every write is on its way when it returns, and blocks while the peer is slow.
    /// Closing it is [#shutdownOutput].
    OutputStream output();

    /// Tells the peer that nothing more comes; input goes on. Harmless when repeated.
    void shutdownOutput() throws IOException;

    /// Blocks until the peer has hung up altogether, or this stream is closed. To be called after the input ended, which
    /// alone does not say whether the peer still reads: who has nothing to send would learn it only at the next byte.
    /// Looks every half second. A peer that ended a connection over TCP or TLS is only known by its reset: the wait may
    /// then end at once, without an answer.
    /// @return whether the peer has hung up
    boolean awaitHangup() throws InterruptedException;

    /// Sends what `source` yields until its end, in large pieces without a copy through the heap, and returns the
    /// number of bytes. `source` must block. Does not shut the output down.
    long pumpFrom(ReadableByteChannel source) throws IOException;

    /// Writes what the peer sends to `sink` until the peer's end, likewise, and returns the number of bytes.
    /// `sink` must block. Does not close it.
    long pumpTo(WritableByteChannel sink) throws IOException;

    /// Ends both ways at once. Bytes already written are still delivered. Never blocks for long; may be called from any
    /// thread, and whoever is blocked in this stream then gets an IOException.
    @Override
    void close();
}
