package carafe.api;

import carafe.engine.Attachment;
import carafe.engine.ByteSource;
import carafe.engine.TerminalSize;
import carafe.http.DuplexStream;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.EngineException.Invalid;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/// Bytes between clients and processes: taken-over connections, and streamed answers.
final class Streams {

    private static final String RAW = "application/vnd.docker.raw-stream";
    private static final String MULTIPLEXED = "application/vnd.docker.multiplexed-stream";
    private static final int INPUT_BYTES = 64 << 10;
    private static final int FRAME_HEADER = 8;

    private Streams() {}

    /// The content type of a stream: which form it has is said only to clients that know both (API 1.42).
    static String contentType(Call call, boolean terminal) {
        return terminal || call.version().before(42) ? RAW : MULTIPLEXED;
    }

    /// The fields of the answer that takes a connection over.
    static Headers headers(Call call, boolean terminal) {
        boolean upgraded = call.exchange().upgradeProtocol().isPresent();
        return call.with("Content-Type", upgraded ? contentType(call, terminal) : RAW);
    }

    /// One of Docker's frames: stream number and length before the bytes.
    static byte[] frame(int stream, byte[] text) {
        return ByteBuffer.allocate(FRAME_HEADER + text.length)
                .put((byte) stream)
                .put(new byte[3])
                .putInt(text.length)
                .put(text)
                .array();
    }

    /// Takes the connection over and joins it to `attachment` until the processes end, the client detaches or it goes
    /// away. The client's end of sending is the end of the processes' stdin; output goes on. Closes the attachment.
    static void serve(Call call, Attachment attachment) throws Exception {
        Optional<Thread> input = Optional.empty();
        try (attachment;
                DuplexStream stream = call.exchange().upgrade(headers(call, attachment.terminal()))) {
            input = Optional.of(Thread.ofVirtual().start(() -> feed(stream, attachment)));
            copy(attachment.output(), stream.output(), false);
            stream.shutdownOutput();
        } catch (IOException e) {
            // The client went away, and closing what is open is all there is to do.
        }
        if (input.isPresent()) {
            input.get().interrupt(); // both ends are closed: it can only be waiting for the client to hang up
            input.get().join();
        }
    }

    private static void feed(DuplexStream stream, Attachment attachment) {
        try {
            var in = stream.input();
            byte[] buffer = new byte[INPUT_BYTES];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (!attachment.write(ByteBuffer.wrap(buffer, 0, n))) {
                    attachment.close();
                    return;
                }
            }
            attachment.closeInput();
            if (stream.awaitHangup()) {
                attachment.close(); // else a silent process would keep what belongs to a client that is gone
            }
        } catch (IOException | EngineException e) {
            attachment.close(); // the connection was reset, or is over already
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the output side has ended
        }
    }

    /// Sends what `source` yields until its end; with `flush` each piece reaches the client before the next is awaited.
    static void copy(ByteSource source, OutputStream out, boolean flush)
            throws EngineException, IOException, InterruptedException {
        byte[] heap = new byte[0];
        for (Optional<ByteBuffer> next = source.next(); next.isPresent(); next = source.next()) {
            ByteBuffer bytes = next.get();
            int length = bytes.remaining();
            if (bytes.hasArray()) {
                out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), length);
            } else {
                heap = heap.length < length ? new byte[length] : heap;
                bytes.get(heap, 0, length);
                out.write(heap, 0, length);
            }
            if (flush) {
                out.flush();
            }
        }
    }

    /// Rows and columns in a resize request.
    static TerminalSize terminalSize(Call call) throws Invalid {
        long rows = call.number("h").orElse(0L);
        long columns = call.number("w").orElse(0L);
        if (rows < 0 || columns < 0 || rows > 0xffff || columns > 0xffff) {
            throw new Invalid("invalid terminal size: " + rows + " rows, " + columns + " columns");
        }
        return new TerminalSize((int) rows, (int) columns);
    }
}
