package carafe.engine.transfer;

import carafe.spec.oci.Descriptor;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// A layer's blob on its way in, or an artifact's: counts, and tells now and then how far it is. Unpacking goes on while it
/// arrives, so "Extracting" is told only when the last byte is here; an artifact's blob is not unpacked.
final class ArrivingLayer extends FilterInputStream {

    private static final long STEP_NANOS = 100_000_000;

    private final String id;
    private final Descriptor blob;
    private final TransferListener listener;
    private final boolean unpacked;
    private long arrived;
    private long toldAt = System.nanoTime() - STEP_NANOS;

    /// Owns `in`.
    ArrivingLayer(InputStream in, String id, Descriptor blob, TransferListener listener) {
        super(in);
        this.id = id;
        this.blob = blob;
        this.listener = listener;
        this.unpacked = true;
    }

    /// An artifact's blob of which `arrived` bytes are here. Owns `in`.
    ArrivingLayer(InputStream in, Descriptor blob, TransferListener listener, long arrived) {
        super(in);
        this.id = blob.digest().shortHex();
        this.blob = blob;
        this.listener = listener;
        this.unpacked = false;
        this.arrived = arrived;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        int read = in.read(into, offset, length);
        if (read > 0) {
            arrived += read;
            tell();
        }
        return read;
    }

    private void tell() {
        boolean whole = arrived == blob.size();
        long now = System.nanoTime();
        if (whole || now - toldAt >= STEP_NANOS) {
            toldAt = now;
            listener.tell(new TransferMessage.Moving(id, "Downloading", arrived, blob.size()));
        }
        if (whole) {
            listener.tell(new TransferMessage.About(id, "Verifying Checksum"));
            listener.tell(new TransferMessage.About(id, "Download complete"));
            if (unpacked) {
                listener.tell(new TransferMessage.Moving(id, "Extracting", blob.size(), blob.size()));
            }
        }
    }
}
