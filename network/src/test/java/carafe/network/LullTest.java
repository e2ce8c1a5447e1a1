package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Times in nanoseconds of a clock that may begin anywhere: quiet is after 100 without anybody, a rush is over after 1000.
class LullTest {

    private static final int MOST = 128;

    private static Lull at(long start) {
        return new Lull(new Lull.Patience(Duration.ofNanos(100), Duration.ofNanos(1000), MOST), start);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 12345, Long.MAX_VALUE - 300, -5})
    void itIsQuietAWhileAfterTheLastWhoCameOrWent(long start) {
        var lull = at(start);
        assertThat(lull.isQuiet(start)).isTrue();
        assertThat(lull.left(1, start)).isZero();
        lull.move(start);
        assertThat(lull.isQuiet(start + 99)).isFalse();
        assertThat(lull.left(1, start + 60)).isEqualTo(40);
        lull.move(start + 90); // a newcomer
        assertThat(lull.left(1, start + 100)).isEqualTo(90);
        assertThat(lull.isQuiet(start + 189)).isFalse();
        assertThat(lull.isQuiet(start + 190)).isTrue();
        assertThat(lull.left(1, start + 190)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 700, -5000})
    void aRushIsWaitedThroughAndNoLonger(long start) {
        var lull = at(start);
        for (long time = 0; time <= 1500; time += 50) {
            lull.move(start + time);
            assertThat(lull.isQuiet(start + time + 1)).isFalse();
            assertThat(lull.left(1, start + time)).isEqualTo(Math.min(100, 1000 - time));
        }
        lull.removed(start + 1500);
        assertThat(lull.left(1, start + 1540)).as("the next group").isEqualTo(60);
        lull.move(start + 1550);
        assertThat(lull.left(1, start + 1600)).isZero();
        assertThat(lull.isQuiet(start + 1600)).isFalse();
        lull.move(start + 1700); // after a quiet time: a rush of its own
        lull.move(start + 1790);
        assertThat(lull.left(1, start + 1800)).isEqualTo(90);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 700, -5000})
    void neverDoTooManyLie(long start) {
        var lull = at(start);
        lull.move(start);
        assertThat(lull.left(MOST - 1, start)).isEqualTo(100);
        assertThat(lull.left(MOST, start)).isZero();
    }
}
