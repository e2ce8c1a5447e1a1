package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class QueuedOutputTest {

    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void whatIsAddedGoesOutInOrderWhoeverIsInterrupted() throws Exception {
        var out = new QueuedOutput("test", 100, () -> sent);
        out.add(bytes("one "));
        Thread.currentThread().interrupt();
        out.add(bytes("two "));
        out.addInTurn(bytes("three"));
        out.close();
        assertThat(Thread.interrupted()).as("is still interrupted").isTrue();
        assertThat(sent).hasToString("one two three");
        assertThatThrownBy(() -> out.add(bytes("four"))).isInstanceOf(IOException.class);
        out.end();
        out.close();
    }

    @Test
    void whoAddsInTurnWaitsWhileMuchWaits() throws Exception {
        var open = new CountDownLatch(1);
        var out = new QueuedOutput("test", 10, () -> {
            try {
                open.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return sent;
        });
        out.addInTurn(bytes("larger than ten bytes"));
        var second = Thread.ofVirtual().start(() -> {
            try {
                out.addInTurn(bytes("!"));
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        while (second.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        open.countDown();
        second.join();
        out.close();
        assertThat(sent).hasToString("larger than ten bytes!");
    }

    @Test
    void aFailureIsToldToWhoAddsAndToWhoCloses() throws Exception {
        var out = new QueuedOutput("test", 100, () -> new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("gone");
            }
        });
        out.add(bytes("x"));
        assertThatThrownBy(out::close).isInstanceOf(IOException.class).hasMessage("gone");
        assertThatThrownBy(() -> out.addInTurn(bytes("y"))).hasMessage("nobody takes it any more").hasRootCauseMessage("gone");
        out.end();
    }

    @Test
    void aStreamThatCannotBeOpenedIsAFailure() {
        var out = new QueuedOutput("test", 100, () -> {
            throw new IllegalStateException("answered already");
        });
        assertThatThrownBy(out::close).isInstanceOf(IOException.class).hasMessage("it cannot be sent");
    }
}
