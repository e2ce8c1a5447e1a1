package carafe.kernel;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A running monitor as seen through its socket; the way to a process after the daemon was restarted. Holds no
/// connection: each call makes one. All calls block; a monitor that is gone answers with [java.net.ConnectException],
/// one that does not answer (it was stopped, or its machine swaps) is given up after twenty seconds with ETIMEDOUT.
public final class MonitorLink {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Path socket;
    private final Duration patience;

    private MonitorLink(Path socket, Duration patience) {
        this.socket = socket;
        this.patience = patience;
    }

    /// The monitor that listens at `socket`; nothing is tried yet. The path may be longer than 107 bytes.
    public static MonitorLink at(Path socket) {
        return at(socket, PATIENCE);
    }

    /// One that is given up sooner, for tests.
    static MonitorLink at(Path socket, Duration patience) {
        return new MonitorLink(socket, patience);
    }

    /// What a monitor says of itself and its process. `clients` counts those attached; `lostLines` could not be logged.
    public record State(int monitorPid, int pid, Instant started, int clients, long lostLines) {}

    /// Asks the monitor how it is.
    public State state() throws IOException {
        try (var channel = ask(TapeFormat.STATE, 0, 0, 0)) {
            var state = receive(channel, TapeFormat.STATE_BYTES);
            return new State(
                    state.getInt(TapeFormat.STATE_MONITOR_PID),
                    state.getInt(TapeFormat.STATE_PID),
                    Instant.ofEpochSecond(
                            state.getLong(TapeFormat.STATE_STARTED_SECONDS),
                            state.getInt(TapeFormat.STATE_STARTED_NANOS)),
                    state.getInt(TapeFormat.STATE_CLIENTS),
                    state.getLong(TapeFormat.STATE_LOST_LINES));
        }
    }

    /// Waits for the end of the process, however long that takes.
    /// @throws EOFException the monitor ended without telling: its [ExitRecord] is there, or it was killed
    public ExitRecord watch() throws IOException {
        try (var channel = ask(TapeFormat.WATCH, 0, 0, 0)) {
            return ExitRecord.of(receive(channel, TapeFormat.EXIT_BYTES));
        }
    }

    /// Sets the size of the process's terminal.
    /// @throws KernelException ENOTTY it has none
    public void resize(int rows, int columns) throws IOException {
        ask(TapeFormat.RESIZE, 0, rows, columns).close();
    }

    /// Connects to streams of the process from now on. Output arrives in Docker's frames (8 bytes: 1 stdout or 2
    /// stderr, 0, 0, 0, big-endian length), with a terminal as it is; input is written as it is, shutting it down ends
    /// it. The monitor ends the output when the process has ended and everything was sent. The caller closes the
    /// channel.
    public SocketChannel attach(Set<MonitorStream> streams) throws IOException {
        return ask(TapeFormat.ATTACH, MonitorStream.bits(streams), 0, 0);
    }

    private SocketChannel ask(int kind, int streams, int rows, int columns) throws IOException {
        var channel = UnixListener.connect(socket);
        var answered = new CountDownLatch(1);
        if (kind != TapeFormat.WATCH) { // whose answer is the end of the process
            Thread.ofVirtual().name("deadline of a monitor").start(() -> closeUnless(answered, channel));
        }
        try {
            greet(channel, kind, streams, rows, columns);
            answered.countDown();
            return channel;
        } catch (ClosedChannelException e) {
            throw new KernelException("ask the monitor at", socket, Errno.ETIMEDOUT);
        } catch (IOException e) {
            channel.close();
            throw e;
        } finally {
            answered.countDown();
        }
    }

    private void closeUnless(CountDownLatch answered, SocketChannel channel) {
        try {
            if (!answered.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                channel.close(); // wakes who is blocked in it
            }
        } catch (InterruptedException | IOException e) {
            System.getLogger("carafe.kernel").log(System.Logger.Level.DEBUG, "deadline of " + socket + ": " + e);
        }
    }

    private void greet(SocketChannel channel, int kind, int streams, int rows, int columns) throws IOException {
        var hello = ByteBuffer.allocate(TapeFormat.HELLO_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        hello.putInt(TapeFormat.MAGIC)
                .putShort((short) kind)
                .putShort((short) streams)
                .putShort((short) rows)
                .putShort((short) columns)
                .rewind();
        while (hello.hasRemaining()) {
            channel.write(hello);
        }
        var answer = receive(channel, TapeFormat.ANSWER_BYTES);
        int error = answer.getInt(TapeFormat.ANSWER_ERROR);
        if (answer.getInt(0) != TapeFormat.MAGIC || error != 0) {
            throw new KernelException("ask the monitor at", socket, error == 0 ? Errno.EPROTO : error);
        }
    }

    private ByteBuffer receive(SocketChannel channel, int bytes) throws IOException {
        var buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the monitor at " + socket + " has ended");
            }
        }
        return buffer.rewind();
    }
}
