package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a default container is isolated from, observed from inside.
class IsolationTest {

    private RuntimeStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new RuntimeStage();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    @Test
    void programPrintsAndExits() throws Exception {
        var output = stage.run("sh", "-c", "echo out; echo err >&2; exit 7");
        assertThat(output.out()).isEqualTo("out\n");
        assertThat(output.err()).isEqualTo("err\n");
        assertThat(output.exit().code()).isEqualTo(7);
    }
}
