package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException.NotFound;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoutesTest {

    private final List<String> ran = new ArrayList<>();
    private final Routes routes = new Routes()
            .add("GET /containers/json", _ -> ran.add("list"))
            .add("GET /containers/{id}/json", _ -> ran.add("inspect"))
            .add("GET /images/json", _ -> ran.add("images"))
            .add("GET /images/{name*}/json", _ -> ran.add("image"))
            .add("DELETE /images/{name*}", _ -> ran.add("remove"));

    @Test
    void wordsWinOverNamesThatComeLater() throws Exception {
        assertThat(match("GET", "containers", "json").names()).isEmpty();
        assertThat(match("GET", "containers", "abc", "json").names()).containsEntry("id", "abc");
    }

    @Test
    void imageNamesMayHaveSlashes() throws Exception {
        assertThat(match("GET", "images", "docker.io", "library", "x:1", "json").names())
                .containsEntry("name", "docker.io/library/x:1");
        assertThat(match("DELETE", "images", "a", "b").names()).containsEntry("name", "a/b");
    }

    @Test
    void anUnknownPathAndAnUnknownMethodAreBothNotFound() {
        assertThatThrownBy(() -> match("GET", "nowhere")).isInstanceOf(NotFound.class).hasMessage("page not found");
        assertThatThrownBy(() -> match("PUT", "containers", "json")).hasMessage("page not found");
        assertThatThrownBy(() -> match("GET")).hasMessage("page not found");
        assertThatThrownBy(() -> match("GET", "images", "x")).hasMessage("page not found");
    }

    private Routes.Match match(String method, String... segments) throws NotFound {
        return routes.match(method, List.of(segments));
    }
}
