package carafe.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class JsonTest {

    @Test
    void printsWhatItReadInTheSameOrder() throws Exception {
        String text = "{\"b\":[1,2.5,-3,true,false,null,\"é<>&\\n\"],\"a\":{}}";
        assertThat(Json.parse(text).print()).isEqualTo(text);
    }

    @Test
    void keysMatchInAnyCaseButTheExactOneWins() throws Exception {
        var object = Json.parseObject("{\"IMAGE\":\"x\",\"image\":\"y\"}".getBytes(StandardCharsets.UTF_8));
        assertThat(object.text("image")).isEqualTo("y");
        assertThat(object.text("IMAGE")).isEqualTo("x");
        assertThat(object.text("ImagE")).isEqualTo("y"); // the last one, as in Go
    }

    @Test
    void contentBehindTheValueIsRefused() {
        assertThatThrownBy(() -> Json.parse("{} {}"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("unexpected content after JSON");
    }

    @Test
    void depthIsBounded() {
        assertThatThrownBy(() -> Json.parse("[".repeat(1000) + "]".repeat(1000)))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("100");
    }

    @Test
    void largeNumbersStayExact() throws Exception {
        var object = Json.parseObject("{\"n\":9223372036854775807,\"big\":9223372036854775808}"
                .getBytes(StandardCharsets.UTF_8));
        assertThat(object.number("n")).contains(Long.MAX_VALUE);
        assertThatThrownBy(() -> object.number("big")).hasMessageContaining("64 bits");
        assertThat(object.print()).contains("9223372036854775808");
    }

    @Test
    void wrongTypesNameTheKey() throws Exception {
        var object = Json.parseObject("{\"Tty\":\"yes\"}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> object.truth("Tty")).hasMessage("\"Tty\" must be true or false, not \"yes\"");
    }

    @Test
    void streamsYieldValueAfterValue() throws Exception {
        var bytes = "{\"a\":1}\r\n{\"a\":2}\n".getBytes(StandardCharsets.UTF_8);
        try (var stream = Json.stream(new ByteArrayInputStream(bytes))) {
            assertThat(stream.next().orElseThrow().print()).isEqualTo("{\"a\":1}");
            assertThat(stream.next().orElseThrow().print()).isEqualTo("{\"a\":2}");
            assertThat(stream.next()).isEmpty();
        }
    }

    @Test
    void indentsAsGoDoes() throws Exception {
        assertThat(Json.parse("[{\"a\":1,\"b\":[]}]").printIndented("    "))
                .isEqualTo("[\n    {\n        \"a\": 1,\n        \"b\": []\n    }\n]");
    }
}
