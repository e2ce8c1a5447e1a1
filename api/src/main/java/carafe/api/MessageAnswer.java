package carafe.api;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An answer of many JSON messages, which come from any thread. It begins with its first message: an error before that
/// has a status of its own. One thread sends them all: a socket is closed by an interrupt of who writes to it
/// ([java.nio.channels.InterruptibleChannel]), and work that several threads share is interrupted when one of them fails.
///
/// [#send] waits while the client is far behind. Dropped is what a thread says that is interrupted while it waits, and
/// whatever comes when the client went or this was closed. Closing without [#end] leaves the answer unfinished.
final class MessageAnswer implements AutoCloseable {

    private static final int WAITING_BYTES = 1 << 20;

    private final Call call;
    private final String contentType;
    private final String separator;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>(); // guarded by lock, as all below
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long waitingBytes;
    private boolean over;
    private boolean whole;
    private @Nullable IOException failure;
    private @Nullable Thread sender;

    /// Messages end with `separator`.
    MessageAnswer(Call call, String contentType, String separator) {
        this.call = call;
        this.contentType = contentType;
        this.separator = separator;
    }

    void send(Json message) {
        byte[] bytes = (message.print() + separator).getBytes(StandardCharsets.UTF_8);
        lock.lock();
        try {
            if (over) {
                return;
            }
            begin();
            while (waitingBytes > 0 && waitingBytes + bytes.length > WAITING_BYTES && failure == null && !over) {
                changed.await();
            }
            if (failure == null && !over) {
                waiting.add(bytes);
                waitingBytes += bytes.length;
                changed.signalAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /// Says `message` of the failure, or throws that if nothing was said yet.
    void fail(EngineException e, Json message) throws EngineException {
        lock.lock();
        try {
            if (sender == null) {
                throw e;
            }
        } finally {
            lock.unlock();
        }
        send(message);
    }

    /// Finishes the answer, an empty one if nothing was said, and waits until all is sent.
    /// @throws IOException the client went away
    void end() throws IOException {
        lock.lock();
        try {
            begin();
            whole = true;
        } finally {
            lock.unlock();
        }
        close();
        if (failure != null) {
            throw failure;
        }
    }

    /// Lets the sender end; an interrupt does not shorten that.
    @Override
    public void close() {
        Thread last;
        lock.lock();
        try {
            over = true;
            changed.signalAll();
            last = sender;
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (last != null && last.isAlive()) {
            try {
                last.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void begin() {
        if (sender == null) {
            sender = Thread.ofVirtual().name("carafe-answer").start(this::run);
        }
    }

    private void run() {
        try {
            var out = call.answerStreaming(contentType);
            for (var due = next(); !due.isEmpty(); due = next()) {
                for (byte[] message : due) {
                    out.write(message);
                }
                out.flush();
            }
            if (whole) {
                out.close();
            }
        } catch (IOException e) {
            stop(e);
        } catch (RuntimeException | Error e) {
            stop(new IOException("the answer cannot be sent", e));
        }
    }

    /// What waits to be sent, as soon as there is something; nothing at the end.
    private List<byte[]> next() throws IOException {
        lock.lock();
        try {
            while (waiting.isEmpty() && !over) {
                changed.await();
            }
            var due = List.copyOf(waiting);
            waiting.clear();
            waitingBytes = 0;
            changed.signalAll();
            return due;
        } catch (InterruptedException e) {
            throw new IOException("the sender of an answer was interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    private void stop(IOException cause) {
        lock.lock();
        try {
            failure = cause;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
