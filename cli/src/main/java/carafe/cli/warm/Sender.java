package carafe.cli.warm;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Sends frames on a thread of its own, for a socket is closed by an interrupt of who writes to it, and threads of commands
/// are interrupted.
final class Sender {

    private static final int WAITING_BYTES = 256 << 10;

    private final OutputStream out;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>(); // guarded by this, as all below
    private int waitingBytes;
    private boolean over;
    private @Nullable IOException failure;
    private final Thread thread;

    /// Writes to `out`, which stays the caller's.
    Sender(OutputStream out) {
        this.out = out;
        this.thread = Thread.ofVirtual().name("to the process of a command").start(this::run);
    }

    /// Sends a frame as soon as those before it are sent; does not wait for that.
    /// @throws IOException nobody takes it any more, or this was finished
    synchronized void send(byte[] frame) throws IOException {
        if (failure != null || over) {
            throw new IOException("the process of the command is gone", failure);
        }
        waiting.add(frame);
        waitingBytes += frame.length;
        notifyAll();
    }

    /// The same, but waits while much is waiting already; a thread that is interrupted then says nothing.
    synchronized void sendInTurn(byte[] frame) throws IOException {
        try {
            while (waitingBytes > WAITING_BYTES && failure == null && !over) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the process of the command does not read", e);
        }
        send(frame);
    }

    /// Waits until all is sent; nothing is sent afterwards.
    void finish() {
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

    private void run() {
        try {
            for (var frame = next(); frame != null; frame = next()) {
                out.write(frame);
            }
        } catch (IOException e) {
            stop(e);
        } catch (InterruptedException | RuntimeException | Error e) {
            stop(new IOException("what a command says cannot be sent", e));
        }
    }

    private synchronized void stop(IOException cause) {
        failure = cause;
        waiting.clear();
        notifyAll();
    }

    private synchronized byte @Nullable [] next() throws InterruptedException {
        while (waiting.isEmpty() && !over) {
            wait();
        }
        var frame = waiting.poll();
        waitingBytes -= frame == null ? 0 : frame.length;
        notifyAll();
        return frame;
    }
}
