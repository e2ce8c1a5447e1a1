package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Query;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildContexts;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuildParametersTest {

    private static Json.Obj document(String first, String second) throws EngineException.Invalid {
        String context = "{\"name\":\"%s\",\"kind\":\"directory\",\"place\":\"\"}";
        return Json.parseObject(("{\"contexts\":[" + context.formatted(first) + "," + context.formatted(second) + "]}")
                .getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aContextsNameIsGivenOnce() throws Exception {
        assertThat(BuildParameters.read(document("a", "b")).contexts().sent()).containsExactly("a", "b");
        assertThatThrownBy(() -> BuildParameters.read(document("a", "A"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("the context a is given twice");
    }

    @Test
    void dockersDoorBuildsForOnePlatformAndOursForSeveral() throws Exception {
        assertThat(BuildParameters.onePlatform("")).isEmpty();
        assertThat(BuildParameters.onePlatform("linux/arm64")).containsExactly("linux/arm64");
        assertThatThrownBy(() -> BuildParameters.onePlatform("linux/amd64,linux/arm64"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("carafe build --platform linux/amd64,linux/arm64");
        var ours = Json.parseObject("{\"platforms\":[\"linux/amd64\",\"linux/arm64\"]}".getBytes(StandardCharsets.UTF_8));
        assertThat(BuildParameters.read(ours).platforms()).containsExactly("linux/amd64", "linux/arm64");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            squash=1 | squash=1 cannot be done
            securityopt=%5B%22seccomp%3Dunconfined%22%5D | securityopt cannot be done
            securityopt=&securityopt=label%3Ddisable | securityopt cannot be done
            isolation=hyperv | isolation=hyperv cannot be done
            outputs=%5B%7B%22Type%22%3A%22local%22%7D%5D | outputs cannot be done
            shmsize=-1 | invalid value "-1" for parameter shmsize
            """)
    void whatDockersDoorCannotDoIsRefusedByName(String query, String sentence) {
        assertThatThrownBy(() -> BuildParameters.refuse(Query.parse(query))).isInstanceOf(EngineException.class)
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "squash=0&securityopt=&isolation=&outputs=&shmsize=0", "squash=false&isolation=default",
        "securityopt=null&outputs=null&shmsize=", "securityopt=%5B%5D&outputs=%5B%5D&shmsize=67108864"})
    void whatClientsSendForNothingPasses(String query) {
        assertThatCode(() -> BuildParameters.refuse(Query.parse(query))).doesNotThrowAnyException();
    }

    @Test
    void aListingHasADirectorysName() throws Exception {
        assertThat(BuildParameters.read(document("a", "b")).contexts().listing()).isEmpty();
        assertThat(listing("{\"directory\":\"/d 1:2\",\"alone\":true}")).contains(new BuildContexts.Listing("/d 1:2", true));
        assertThat(listing("{\"directory\":\"/d 1:2\"}")).contains(new BuildContexts.Listing("/d 1:2", false));
        assertThat(listing("{\"alone\":true}")).isEmpty();
    }

    private static Optional<BuildContexts.Listing> listing(String json) throws EngineException.Invalid {
        return BuildParameters.read(Json.parseObject(("{\"listing\":" + json + "}").getBytes(StandardCharsets.UTF_8)))
                .contexts().listing();
    }
}
