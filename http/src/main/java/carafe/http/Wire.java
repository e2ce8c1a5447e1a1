package carafe.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/// A connected socket, in clear or with TLS, as both sides use it: one thread reads while another writes, all calls
/// block. Closing it from any thread wakes whoever is blocked, with an IOException.
interface Wire extends AutoCloseable {

    /// Reads at least one byte into the room `into` has, or returns -1 at the peer's end.
    int read(ByteBuffer into) throws IOException;

    /// Writes all of `from`.
    void write(ByteBuffer from) throws IOException;

    /// Writes all of `first`, then all of `second`, in one system call where possible.
    void write(ByteBuffer first, ByteBuffer second) throws IOException;

    /// Writes `length` bytes of `file` from `offset` on, without passing them through the process where possible.
    /// @throws java.io.EOFException the file is shorter
    void transfer(FileChannel file, long offset, long length) throws IOException;

    /// Tells the peer that nothing more comes; reading goes on.
    void shutdownOutput() throws IOException;

    /// Whether reading or writing has failed, so that nobody at the other end gets anything any more.
    boolean broken();

    /// Whether the peer has closed or spoken although nothing was asked; only known of sockets in clear.
    boolean stale();

    /// Whether [#stale] knows.
    boolean tellsStale();

    /// Whether [#hungUp] can ever tell.
    boolean canHangUp();

    /// Whether the peer has closed both ways. Only to be asked after the peer's end was read, by one thread.
    boolean hungUp();

    /// Closes at once; never throws.
    @Override
    void close();
}
