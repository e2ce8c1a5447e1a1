package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
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
}
