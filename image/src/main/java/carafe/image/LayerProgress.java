package carafe.image;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// Tells a [LoadProgress] how far each layer is, one call at a time and not for every few bytes.
final class LayerProgress {

    private static final long STEP_BYTES = 1 << 20;

    private final LoadProgress listener;

    LayerProgress(LoadProgress listener) {
        this.listener = listener;
    }

    /// The layer was here before.
    void known(String name, long totalBytes) {
        tell(name, totalBytes, totalBytes);
    }

    /// `source`, with every megabyte of it told.
    InputStream watch(InputStream source, String name, long totalBytes) {
        return new FilterInputStream(source) {
            private long done;
            private long told = -STEP_BYTES;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int count = in.read(buffer, offset, length);
                done += Math.max(0, count);
                if (done - told >= STEP_BYTES || done == totalBytes && told != done) {
                    told = done;
                    tell(name, done, totalBytes);
                }
                return count;
            }
        };
    }

    private synchronized void tell(String name, long doneBytes, long totalBytes) {
        listener.layer(name, doneBytes, totalBytes);
    }
}
