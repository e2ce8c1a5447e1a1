package carafe.cli.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// Splits what a container writes into its two streams.
///
/// Without a terminal each piece has a header of eight bytes: the stream (0 or 1 output, 2 error, 3 the engine's own
/// complaint), three zeros, the length in big-endian. Source: Docker Engine API, "Stream format".
public final class Frames {

    private static final int BUFFER = 64 * 1024;

    private Frames() {}

    /// Copies everything as it is, until the end.
    public static void copyRaw(InputStream in, OutputStream out) throws IOException {
        var buffer = new byte[BUFFER];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            out.write(buffer, 0, n);
        }
    }

    /// Copies framed pieces to where they belong, until the end.
    public static void copyFramed(InputStream in, OutputStream out, OutputStream err) throws IOException {
        var buffer = new byte[BUFFER];
        int filled = 0;
        OutputStream to = out;
        boolean complaint = false;
        var complaints = new StringBuilder();
        long left = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer, filled, buffer.length - filled)) {
            int end = filled + n;
            int at = 0;
            while (at < end) {
                if (left > 0) {
                    int piece = (int) Math.min(left, end - at);
                    if (complaint) {
                        complaints.append(new String(buffer, at, piece, StandardCharsets.UTF_8));
                    } else {
                        to.write(buffer, at, piece);
                    }
                    at += piece;
                    left -= piece;
                    continue;
                }
                if (end - at < 8) {
                    break;
                }
                complaint = buffer[at] == 3;
                to = buffer[at] == 2 ? err : out;
                if (buffer[at] < 0 || buffer[at] > 3) {
                    throw new IOException("Unrecognized input header: " + buffer[at]);
                }
                left = (buffer[at + 4] & 0xffL) << 24 | (buffer[at + 5] & 0xff) << 16 | (buffer[at + 6] & 0xff) << 8
                        | buffer[at + 7] & 0xff;
                at += 8;
            }
            System.arraycopy(buffer, at, buffer, 0, end - at);
            filled = end - at;
        }
        if (!complaints.isEmpty()) {
            throw new IOException("error from daemon in stream: " + complaints);
        }
        if (left > 0 || filled > 0) {
            throw new IOException("unexpected EOF");
        }
    }
}
