package carafe.spec.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.api.Test;

class IgnorePatternsTest {

    @ParameterizedTest
    @CsvSource(delimiter = ' ', value = {
        "a a true", "a b false", "a a/b true", "a/b a/b/c true", "a/b a false", "*.md x.md true", "*.md d/x.md false",
        "**/*.md d/e/x.md true", "**/*.md x.md true", "d/** d/x/y true", "d/** d false", "d/* d/x true", "*/x a/x true",
        "*/x a/b/x false", "?.c a.c true", "?.c ab.c false", "[a-c].c b.c true", "[^a-c].c b.c false", "/a a true",
        "a/ a true", "./a a true", "** anything/at/all true", "a**b a/x/b true", "a**b ab true", "\\*.md *.md true",
        "\\*.md x.md false", "a/../b b true", "**/node_modules x/node_modules/y true"})
    void aPatternMatchesAsDockerSays(String pattern, String path, boolean matches) throws Exception {
        assertThat(IgnorePatterns.of(List.of(pattern)).matches(path)).isEqualTo(matches);
    }

    @Test
    void theLastMatchDecides() throws Exception {
        var patterns = IgnorePatterns.read("""
                # a comment
                *.md
                !README*.md
                README-secret.md
                """.getBytes(StandardCharsets.UTF_8));
        assertThat(patterns.matches("x.md")).isTrue();
        assertThat(patterns.matches("README.md")).isFalse();
        assertThat(patterns.matches("README-secret.md")).isTrue();
    }

    @Test
    void anExceptionBelowAnExcludedDirectoryCounts() throws Exception {
        var patterns = IgnorePatterns.of(List.of("d", "!d/keep"));
        assertThat(patterns.matches("d/x")).isTrue();
        assertThat(patterns.matches("d/keep")).isFalse();
        assertThat(patterns.matches("d/keep/y")).isFalse();
    }

    @Test
    void whatIsNoPatternIsRefused() {
        assertThatThrownBy(() -> PathPattern.parse("[a")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("syntax error in pattern: [a");
        assertThatThrownBy(() -> PathPattern.parse("a\\")).isInstanceOf(EngineException.Invalid.class);
        assertThatThrownBy(() -> IgnorePatterns.of(List.of("!"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("illegal exclusion pattern");
    }

    @Test
    void aHostilePatternTakesNoTime() throws Exception {
        var pattern = PathPattern.parse("**/".repeat(300) + "*a".repeat(300) + "b");
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(30),
                () -> assertThat(pattern.matches("a/".repeat(2000) + "c")).isFalse());
    }
}
