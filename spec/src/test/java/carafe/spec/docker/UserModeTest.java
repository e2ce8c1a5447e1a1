package carafe.spec.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserModeTest {

    @Test
    void theWordsOfDockerAndPodmanAreKnown() throws Exception {
        assertThat(UserMode.parse("")).isEqualTo(new UserMode.Usual());
        assertThat(UserMode.parse("host")).isEqualTo(new UserMode.Hosts());
        assertThat(UserMode.parse("auto")).isEqualTo(new UserMode.Auto(65_536));
        assertThat(UserMode.parse("auto:size=7")).isEqualTo(new UserMode.Auto(7));
        assertThat(UserMode.parse("keep-id:uid=5,gid=6,size=100")).isEqualTo(new UserMode.KeepId(5, 6, 100));
        assertThat(UserMode.parse("keep-id:uid=5")).isEqualTo(new UserMode.KeepId(5, 5, 65_536));
    }

    @Test
    void tooFewIdsAreRefusedWithTheFewestThatWillDo() throws Exception {
        assertThat(UserMode.asked("auto:size=6")).isEqualTo(new UserMode.Auto(6));
        for (String text : List.of("auto:size=5", "keep-id:uid=1,size=5")) {
            assertThatThrownBy(() -> UserMode.asked(text)).isInstanceOf(EngineException.Invalid.class)
                    .hasMessageStartingWith("invalid user namespace mode: " + text)
                    .hasMessageContaining("needs 6 ids at least");
        }
    }

    @Test
    void recordsOfOlderVersionsMayHaveAskedForTooFew() throws Exception {
        assertThat(UserMode.parse("auto:size=5")).isEqualTo(new UserMode.Auto(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"private", "host:", "auto:size", "auto:size=0", "auto:size=4294967296", "auto:gid=1",
        "auto:size=1,", "keep-id", "keep-id:gid=1", "keep-id:uid=0", "keep-id:uid=-1", "container:web"})
    void everythingElseIsRefused(String text) {
        assertThatThrownBy(() -> UserMode.parse(text)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("invalid user namespace mode: " + text);
    }
}
