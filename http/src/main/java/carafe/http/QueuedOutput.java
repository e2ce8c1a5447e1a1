package carafe.http;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What any threads have to say on one stream, sent by a thread of its own, piece by piece in the order of coming: a socket
/// is closed by an interrupt of who writes to it ([java.nio.channels.InterruptibleChannel]), and these may be interrupted.
/// Flushed whenever nothing waits.
public final class QueuedOutput implements AutoCloseable {

    /// Opens the stream, on the thread that sends.
    @FunctionalInterface
    public interface Opening {
        OutputStream open() throws IOException;
    }

    private final int mostBytes;
    private final Opening opening;
    private final Thread thread;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>(); // guarded by this, as all below
    private long waitingBytes;
    private boolean over;
    private boolean closing;
    private @Nullable IOException failure;

    /// Begins at once; `name` is the thread's. More than `mostBytes` wait only for [#addInTurn]'s last piece, and for [#add].
    public QueuedOutput(String name, int mostBytes, Opening opening) {
        this.mostBytes = mostBytes;
        this.opening = opening;
        this.thread = Thread.ofVirtual().name(name).start(this::run);
    }

    /// Sends a piece after those before it; does not wait for that.
    /// @throws IOException it has failed, or is over
    public synchronized void add(byte[] piece) throws IOException {
        if (failure != null || over) {
            throw new IOException("nobody takes it any more", failure);
        }
        waiting.add(piece);
        waitingBytes += piece.length;
        notifyAll();
    }

    /// The same, but waits while much is waiting already.
    public synchronized void addInTurn(byte[] piece) throws IOException, InterruptedException {
        while (waitingBytes > 0 && waitingBytes + piece.length > mostBytes && failure == null && !over) {
            wait();
        }
        add(piece);
    }

    /// Waits until all is sent, whatever interrupts; nothing is taken afterwards. The stream stays open.
    public void end() {
        synchronized (this) {
            over = true;
            notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// The same, and closes the stream behind the last piece.
    /// @throws IOException something of it could not be sent
    @Override
    public void close() throws IOException {
        synchronized (this) {
            closing = true;
        }
        end();
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void run() {
        try {
            var out = opening.open();
            for (var due = next(); !due.isEmpty(); due = next()) {
                for (byte[] piece : due) {
                    out.write(piece);
                }
                out.flush();
            }
            if (isClosing()) {
                out.close();
            }
        } catch (IOException e) {
            stop(e);
        } catch (InterruptedException | RuntimeException | Error e) {
            stop(new IOException("it cannot be sent", e));
        }
    }

    /// What waits, as soon as something does; nothing at the end.
    private synchronized List<byte[]> next() throws InterruptedException {
        while (waiting.isEmpty() && !over) {
            wait();
        }
        var due = List.copyOf(waiting);
        waiting.clear();
        waitingBytes = 0;
        notifyAll();
        return due;
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    private synchronized void stop(IOException cause) {
        failure = cause;
        waiting.clear();
        notifyAll();
    }
}
