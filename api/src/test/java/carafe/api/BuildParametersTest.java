package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.build.BuildContexts;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;

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
