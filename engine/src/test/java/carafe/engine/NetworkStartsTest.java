package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A start makes its network beside the rest of what it needs: whichever of the two fails, nothing stays of the other.
class NetworkStartsTest {

    @TempDir
    Path root;

    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        harness.create("web", "sleep", "9");
    }

    @AfterEach
    void close() {
        harness.close();
    }

    private void startsWithTheFirstAddress() throws Exception {
        harness.containers().start("web");
        var networks = harness.containers().inspect("web", false).networks();
        assertThat(networks.places().getFirst().live().orElseThrow().four()).get().hasToString("172.17.0.2/16");
    }

    @Test
    void aStartThatFailsGivesItsAddressBack() throws Exception {
        harness.reopen(Failpoints.parse("start.run=1*EIO->off"));
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Internal.class);
        assertThat(harness.fabric.open()).isEmpty();
        startsWithTheFirstAddress();
    }

    @Test
    void oneWhoseNetworkCannotBeMadeIsNotBornAndSaysWhy() throws Exception {
        harness.fabric.cut("cannot connect to network bridge: no buffer space");
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("cannot connect to network bridge: no buffer space");
        assertThat(harness.runtime.started()).isEmpty();
        assertThat(harness.runtime.leftBehind()).isEmpty();
        assertThat(harness.state("web")).isInstanceOfSatisfying(State.Created.class,
                created -> assertThat(created.failure().orElseThrow().message()).contains("no buffer space"));
        harness.fabric.cut("");
        startsWithTheFirstAddress();
    }
}
