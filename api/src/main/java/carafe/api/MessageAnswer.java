package carafe.api;

import carafe.http.QueuedOutput;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// An answer of many JSON messages, which come from any thread, even one that is interrupted: work that several threads
/// share is, when one of them fails. It begins with its first message: an error before that has a status of its own.
///
/// [#send] waits while the client is far behind. Dropped is what a thread says that is interrupted while it waits, and
/// whatever comes when the client went or this was closed. Closing without [#end] leaves the answer unfinished.
final class MessageAnswer implements AutoCloseable {

    private static final int WAITING_BYTES = 1 << 20;

    private final Call call;
    private final String contentType;
    private final String separator;
    private @Nullable QueuedOutput begun; // guarded by this, as is the next
    private boolean closed;

    /// Messages end with `separator`.
    MessageAnswer(Call call, String contentType, String separator) {
        this.call = call;
        this.contentType = contentType;
        this.separator = separator;
    }

    void send(Json message) {
        byte[] bytes = (message.print() + separator).getBytes(StandardCharsets.UTF_8);
        try {
            begin().addInTurn(bytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            return; // the client went; its exchange ends what it asked for
        }
    }

    /// Says `message` of the failure, or throws that if nothing was said yet.
    void fail(EngineException e, Json message) throws EngineException {
        synchronized (this) {
            if (begun == null) {
                throw e;
            }
        }
        send(message);
    }

    /// Finishes the answer, an empty one if nothing was said, and waits until all is sent.
    /// @throws IOException the client went away
    void end() throws IOException {
        begin().close();
    }

    /// Waits until what was said is sent.
    @Override
    public void close() {
        QueuedOutput out;
        synchronized (this) {
            closed = true;
            out = begun;
        }
        if (out != null) {
            out.end();
        }
    }

    private synchronized QueuedOutput begin() throws IOException {
        if (begun == null) {
            if (closed) {
                throw new IOException("the answer is over");
            }
            begun = new QueuedOutput("carafe-answer", WAITING_BYTES, () -> call.answerStreaming(contentType));
        }
        return begun;
    }
}
