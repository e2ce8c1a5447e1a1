package carafe.engine;

import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// An attachment whose output does not end before the exit code of its process is known: clients ask for the code as
/// soon as the stream ends. A client that detached (`detached`) does not wait; one whose process closed its output and
/// goes on waits in vain, but not longer than [#PATIENCE].
record EndKnownAttachment(Attachment attachment, CountDownLatch ended, BooleanSupplier detached) implements Attachment {

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    @Override
    public boolean terminal() {
        return attachment.terminal();
    }

    @Override
    public ByteSource output() {
        var output = attachment.output();
        return new ByteSource() {
            @Override
            public Optional<ByteBuffer> next() throws EngineException, InterruptedException {
                var bytes = output.next();
                if (bytes.isEmpty() && !detached.getAsBoolean()) {
                    boolean known = ended.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                    assert known || ended.getCount() > 0;
                }
                return bytes;
            }

            @Override
            public void close() {
                output.close();
            }
        };
    }

    @Override
    public boolean write(ByteBuffer bytes) throws EngineException {
        return attachment.write(bytes);
    }

    @Override
    public void closeInput() throws EngineException {
        attachment.closeInput();
    }

    @Override
    public void close() {
        attachment.close();
    }
}
