package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.RunConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigChangesTest {

    private static RunConfig apply(String... changes) throws EngineException.Invalid {
        return ConfigChanges.apply(RunConfig.EMPTY, List.of(changes));
    }

    @Test
    void commandsHaveTwoForms() throws Exception {
        assertThat(apply("CMD [\"a b\", \"c\"]").cmd()).containsExactly("a b", "c");
        assertThat(apply("cmd echo  $X").cmd()).containsExactly("/bin/sh", "-c", "echo  $X");
        assertThat(apply("ENTRYPOINT [not json").entrypoint()).containsExactly("/bin/sh", "-c", "[not json");
    }

    @Test
    void variablesReplaceThoseOfTheSameName() throws Exception {
        assertThat(apply("ENV A=1 B=\"two words\" C=x\\ y", "ENV A=3", "ENV OLD the old form").env())
                .containsExactly("A=3", "B=two words", "C=x y", "OLD=the old form");
        assertThat(apply("LABEL a.b='c d' e=").labels()).containsEntry("a.b", "c d").containsEntry("e", "");
    }

    @Test
    void setsGrow() throws Exception {
        var config = apply("EXPOSE 80 53/udp", "EXPOSE 8000-8010/tcp", "VOLUME [\"/a b\"]", "VOLUME /c /d");
        assertThat(config.exposedPorts()).containsExactly("53/udp", "80/tcp", "8000-8010/tcp");
        assertThat(config.volumes()).containsExactly("/a b", "/c", "/d");
    }

    @Test
    void theRestIsTakenAsItIs() throws Exception {
        var config = apply("USER me:us\nWORKDIR /a", "WORKDIR b/../c", "STOPSIGNAL SIGINT", "ONBUILD RUN x");
        assertThat(config.user()).isEqualTo("me:us");
        assertThat(config.workingDir()).isEqualTo("/a/c");
        assertThat(config.stopSignal()).isEqualTo("SIGINT");
        assertThat(config.onBuild()).containsExactly("RUN x");
    }

    @Test
    void othersAreRefused() {
        assertThatThrownBy(() -> apply("RUN rm -rf /")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("run is not a valid change command");
        assertThatThrownBy(() -> apply("ENV A")).hasMessage("ENV must have two arguments");
        assertThatThrownBy(() -> apply("LABEL a=b c")).hasMessageContaining("can't find =");
        assertThatThrownBy(() -> apply("USER")).hasMessageContaining("requires at least one argument");
        assertThatThrownBy(() -> apply("EXPOSE http")).hasMessage("invalid containerPort: http");
    }
}
