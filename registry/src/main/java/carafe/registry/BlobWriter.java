package carafe.registry;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import java.io.IOException;
import java.io.OutputStream;

/// Makes the bytes of a blob, the same each time: after a broken connection it is asked again.
@FunctionalInterface
public interface BlobWriter {

    /// Writes all of the blob and says what it was. A failure of `out` is to be passed on.
    Descriptor writeTo(OutputStream out) throws IOException, EngineException;

    /// Hears how many bytes are on their way; after a break the number may fall.
    @FunctionalInterface
    interface Progress {
        /// So many bytes so far.
        void sent(long bytes);
    }

    /// The writer's own failure on its way through the streams: no broken connection.
    final class Failed extends IOException {
        private final EngineException reason;

        Failed(EngineException reason) {
            super(reason.getMessage(), reason);
            this.reason = reason;
        }

        static Descriptor wrap(BlobWriter writer, OutputStream out) throws IOException {
            try {
                return writer.writeTo(out);
            } catch (EngineException e) {
                throw new Failed(e);
            }
        }

        /// @throws EngineException the reason, if `e` comes from a writer
        static void rethrow(Throwable e) throws EngineException {
            for (var cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof Failed failed) {
                    throw failed.reason;
                }
            }
        }
    }
}
