package carafe.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Queries as clients write them.
class QueryTest {

    @Test
    void parametersAreDecodedRepeatedAndInOrder() throws HttpException {
        var query = Query.parse("t=a%3Ab&t=c+d&empty=&bare&&filters=%7B%22label%22%3A%5B%22x%3Dy%22%5D%7D");
        assertThat(query.all("t")).containsExactly("a:b", "c d");
        assertThat(query.first("t")).contains("a:b");
        assertThat(query.first("empty")).contains("");
        assertThat(query.contains("bare")).isTrue();
        assertThat(query.first("filters")).contains("{\"label\":[\"x=y\"]}");
        assertThat(query.first("T")).isEmpty();
        assertThat(query.names()).containsExactly("t", "empty", "bare", "filters");
        assertThat(Query.parse("").names()).isEmpty();
    }

    @Test
    void textBeyondAsciiIsUtf8EscapedOrNot() throws HttpException {
        String raw = new String("n=\u00e9\u4e2d".getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1);
        assertThat(Query.parse(raw).first("n")).contains("\u00e9\u4e2d");
        assertThat(Query.parse("n=%C3%A9%E4%B8%AD").first("n")).contains("\u00e9\u4e2d");
    }

    @ParameterizedTest
    @CsvSource({"a=1,true", "a=true,true", "a=yes,true", "a=,false", "a=0,false", "a=False,false", "a=no,false",
        "a=none,false", "a,false", "b=1,false"})
    void flagsAreReadAsDockerReadsThem(String raw, boolean flag) throws HttpException {
        assertThat(Query.parse(raw).flag("a")).isEqualTo(flag);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a=%", "a=%4", "a=%zz", "%=1"})
    void brokenEscapesAre400(String raw) {
        assertThatThrownBy(() -> Query.parse(raw))
                .isInstanceOfSatisfying(HttpException.class, e -> assertThat(e.status()).isEqualTo(400))
                .hasMessageStartingWith("invalid URL escape in ");
    }

    @Test
    void fieldsCompareWithoutCaseAndRepeat() {
        var headers = Headers.of("Accept", "a", "X-Meta", "1", "accept", "b, C");
        assertThat(headers.all("ACCEPT")).containsExactly("a", "b, C");
        assertThat(headers.listContains("Accept", "c")).isTrue();
        assertThat(headers.toBuilder().set("accept", "z").build()).hasToString("X-Meta: 1\naccept: z\n");
    }
}
