package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class EndKnownAttachmentTest {

    /// An attachment whose output is over.
    private static final Attachment OVER = new Attachment() {
        @Override
        public boolean terminal() {
            return true;
        }

        @Override
        public ByteSource output() {
            return new ByteSource() {
                @Override
                public Optional<ByteBuffer> next() {
                    return Optional.empty();
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public boolean write(ByteBuffer bytes) {
            return true;
        }

        @Override
        public void closeInput() {}

        @Override
        public void close() {}
    };

    @Test
    void whoDetachedDoesNotWaitForAnEndThatDoesNotCome() throws Exception {
        var detached = new EndKnownAttachment(OVER, new CountDownLatch(1), () -> true).output();
        Thread.currentThread().interrupt(); // a wait would throw
        try {
            assertThat(detached.next()).isEmpty();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void whoSeesTheEndOfTheOutputLearnsTheCodeFirst() throws Exception {
        var output = new EndKnownAttachment(OVER, new CountDownLatch(1), () -> false).output();
        Thread.currentThread().interrupt();
        assertThatThrownBy(output::next).isInstanceOf(InterruptedException.class);
        var ended = new EndKnownAttachment(OVER, new CountDownLatch(0), () -> false).output();
        assertThat(ended.next()).isEmpty();
    }
}
