package carafe.cli.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContainerRowTest {

    private static final String CONTAINER = """
            {"Id":"8b256ca81761f8234da57999d4473a7d44c803b54dd19fd2de262eec0443e197","Names":["/t1","/other/alias"],
             "Image":"busybox:1@sha256:aa","ImageID":"sha256:884f1845361e0000","Command":"sh -c 'sleep 1000000000'",
             "Created":1764936000,"State":"running","Status":"Up 11 minutes","Labels":{"a":"b","com.x-y":"z"},
             "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"}],
             "Mounts":[{"Type":"volume","Name":"a-very-long-volume-name","Driver":"local"},{"Type":"bind","Source":"/a"}],
             "NetworkSettings":{"Networks":{"bridge":{},"net2":{}}},"SizeRw":1,"SizeRootFs":1982410}
            """;

    private static ContainerRow row(boolean full) throws Exception {
        return new ContainerRow(Json.parseObject(CONTAINER.getBytes(StandardCharsets.UTF_8)), full,
                Instant.ofEpochSecond(1_764_936_000 + 700));
    }

    private static String shown(String format) throws Exception {
        return new Listing(ContainerRow.HEADERS, ContainerRow.COLUMNS).show(format, List.of(row(false)));
    }

    @Test
    void theDefaultTableIsDockers() throws Exception {
        String line = "8b256ca81761   busybox:1   \"sh -c 'sleep 100000…\"   11 minutes ago   Up 11 minutes"
                + "   53/udp, 0.0.0.0:8080->80/tcp   t1\n";
        assertThat(shown("")).endsWith(line)
                .startsWith("CONTAINER ID   IMAGE       COMMAND                  CREATED          STATUS          PORTS  ");
    }

    @Test
    void everyFieldCanBeChosen() throws Exception {
        assertThat(shown("{{.ID}}|{{.Names}}|{{.Labels}}|{{.Label \"a\"}}|{{.Mounts}}|{{.LocalVolumes}}|{{.Networks}}|{{.Size}}"))
                .isEqualTo("8b256ca81761|t1|a=b,com.x-y=z|b|a-very-long-vo…,/a|1|bridge,net2|1B (virtual 1.98MB)\n");
    }

    @Test
    void nothingIsCutWhenNotWanted() throws Exception {
        var row = row(true);
        assertThat(row.field("ID", List.of())).asString().hasSize(64);
        assertThat(row.field("Names", List.of())).isEqualTo("t1,other/alias");
        assertThat(row.field("Image", List.of())).isEqualTo("busybox:1@sha256:aa");
        assertThat(row.field("Command", List.of())).isEqualTo("\"sh -c 'sleep 1000000000'\"");
    }

    @Test
    void tablesHeadTheirColumns() throws Exception {
        assertThat(shown("table {{.Names}}\\t{{.Label \"com.x-y\"}}\\t{{upper .State}}"))
                .isEqualTo("NAMES     x y       STATE\nt1        z         RUNNING\n");
    }

    @Test
    void jsonIsOneDocumentALine() throws Exception {
        assertThat(shown("json")).startsWith("{\"Command\":\"\\\"sh -c 'sleep 100000…\\\"\",\"CreatedAt\":")
                .contains("\"ID\":\"8b256ca81761\"").contains("->".replace(">", "\\u003e")).endsWith("\"Up 11 minutes\"}\n");
    }

    @Test
    void anUnknownFieldIsNamed() {
        assertThatThrownBy(() -> shown("{{.Foo}}")).hasMessage("failed to execute template: template: :1:2: executing \"\" at"
                + " <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext");
        assertThatThrownBy(() -> shown("{{")).hasMessage("failed to parse template: template: :1: unclosed action");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            [] | ''
            [{"PrivatePort":80,"Type":"tcp"},{"PrivatePort":81,"Type":"tcp"},{"PrivatePort":90,"Type":"tcp"}] | 80-81/tcp, 90/tcp
            [{"IP":"::","PrivatePort":80,"PublicPort":80,"Type":"tcp"}] | [::]:80->80/tcp
            [{"IP":"0.0.0.0","PrivatePort":81,"PublicPort":81,"Type":"tcp"},\
            {"IP":"0.0.0.0","PrivatePort":80,"PublicPort":80,"Type":"tcp"}] | 0.0.0.0:80-81->80-81/tcp
            """)
    void portsAreDrawnTogether(String ports, String shown) throws Exception {
        var listed = Json.parseObject(("{\"Ports\":" + ports + "}").getBytes(StandardCharsets.UTF_8)).objects("Ports");
        assertThat(Ports.displayed(listed)).isEqualTo(shown);
    }
}
