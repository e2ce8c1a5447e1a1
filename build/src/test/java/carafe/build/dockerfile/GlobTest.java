package carafe.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class GlobTest {

    @Test
    void shortestAndLongestAreCut() {
        assertThat(Glob.of("*/", '\\').withoutPrefix("a/b/c", false)).isEqualTo("b/c");
        assertThat(Glob.of("*/", '\\').withoutPrefix("a/b/c", true)).isEqualTo("c");
        assertThat(Glob.of("/*", '\\').withoutSuffix("a/b/c", false)).isEqualTo("a/b");
        assertThat(Glob.of("/*", '\\').withoutSuffix("a/b/c", true)).isEqualTo("a");
    }

    @Test
    void manyStarsTakeNoTime() {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(30), () ->
                assertThat(Glob.of("*a".repeat(200) + "b", '\\').withoutPrefix("a".repeat(20_000), true)).hasSize(20_000));
    }

    @Test
    void aReplacementThatWouldTakeForEverIsRefused() {
        assertThatThrownBy(() -> Glob.of("*a*b", '\\').replaced("a".repeat(100_000), "x", true))
                .isInstanceOf(WordException.class).hasMessageContaining("too long");
    }
}
