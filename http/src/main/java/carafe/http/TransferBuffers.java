package carafe.http;

import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;

/// Direct buffers for pumping raw streams. A few are kept, because the JDK frees a dropped one only at a garbage
/// collection and a short attach would otherwise leave one behind each. For any thread.
final class TransferBuffers {

    private static final int BYTES = 64 << 10;

    private final ArrayBlockingQueue<ByteBuffer> free;

    TransferBuffers(int kept) {
        free = new ArrayBlockingQueue<>(kept);
    }

    /// An empty buffer. Give it back.
    ByteBuffer take() {
        ByteBuffer buffer = free.poll();
        return buffer == null ? ByteBuffer.allocateDirect(BYTES) : buffer;
    }

    /// The caller must not touch `buffer` afterwards. When enough are kept the collector gets it.
    void giveBack(ByteBuffer buffer) {
        buffer.clear();
        free.offer(buffer);
    }
}
