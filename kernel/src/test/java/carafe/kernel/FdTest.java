package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NothingLeft.class)
class FdTest {

    @Test
    void closingTwiceClosesOnce() throws Exception {
        var fd = Descriptors.memfd("twice");
        int number = fd.number();
        fd.close();
        try (var other = Descriptors.memfd("other")) {
            assertThat(other.number()).isEqualTo(number); // the kernel gives the lowest free number
            fd.close();
            FdStream.write(other, new byte[] {1});
        }
        assertThatThrownBy(fd::number).isInstanceOf(IllegalStateException.class).hasMessageContaining("twice");
    }

    @Test
    void aReleasedDescriptorStaysOpen() throws Exception {
        var fd = Descriptors.memfd("released");
        int number = fd.release();
        fd.close();
        try (var again = Fd.adopt(number, "again")) {
            assertThat(Files.readSymbolicLink(Path.of(again.path())).toString()).contains("released");
        }
    }

    @Test
    void aDuplicateOutlivesTheFirst() throws Exception {
        var fd = Descriptors.memfd("first");
        try (var copy = fd.duplicate()) {
            fd.close();
            FdStream.write(copy, "x".getBytes(StandardCharsets.US_ASCII));
        }
    }

    @Test
    void aChannelOfTheJdkReadsTheSameInode() throws Exception {
        try (var fd = Descriptors.sealedMemfd("content", "hello".getBytes(StandardCharsets.US_ASCII));
                var channel = fd.channel(StandardOpenOption.READ)) {
            var buffer = ByteBuffer.allocate(10);
            assertThat(channel.read(buffer)).isEqualTo(5);
        }
    }

    @Test
    void aForgottenDescriptorIsClosedAndTheNextOneFailsWithItsBirthplace() throws Exception {
        int number = forget();
        assertThat(Waiting.until(Duration.ofMinutes(2), () -> {
            System.gc();
            return !Fd.leaked().isEmpty();
        })).isTrue();
        assertThat(Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThatThrownBy(() -> Descriptors.memfd("next"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("memfd forgotten was never closed")
                .hasStackTraceContaining("FdTest.forget");
        assertThat(Fd.leaked()).isEmpty();
        Fd.adopt(dangling, "next").close();
    }

    /// The number of the descriptor that the failing adoption above did not take.
    private static int dangling;

    private static int forget() throws KernelException {
        int number = Descriptors.memfd("forgotten").number();
        dangling = number;
        return number;
    }
}
