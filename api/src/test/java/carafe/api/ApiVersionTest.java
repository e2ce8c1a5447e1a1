package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException.Invalid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApiVersionTest {

    @ParameterizedTest
    @ValueSource(strings = {"1.12", "1.24", "1.41", "1.51", "1.56"})
    void everyVersionClientsSpeakIsUnderstood(String text) throws Exception {
        assertThat(ApiVersion.parse(text)).hasToString(text);
    }

    @Test
    void otherVersionsAreRefusedInDockersWords() {
        assertThatThrownBy(() -> ApiVersion.parse("1.11"))
                .isInstanceOf(Invalid.class)
                .hasMessage("client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade your"
                        + " client to a newer version");
        assertThatThrownBy(() -> ApiVersion.parse("1.99"))
                .hasMessage("client version 1.99 is too new. Maximum supported API version is 1.56");
        assertThatThrownBy(() -> ApiVersion.parse("2.0")).hasMessageContaining("too new");
        assertThatThrownBy(() -> ApiVersion.parse("1.x")).hasMessage("invalid API version: 1.x");
    }

    @Test
    void gatesCompareTheMinorNumber() throws Exception {
        assertThat(ApiVersion.parse("1.41").before(42)).isTrue();
        assertThat(ApiVersion.parse("1.42").before(42)).isFalse();
    }
}
