package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
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

    /// What the network makes ahead would take the processor from it.
    @Test
    void othersAreServedOnceAStartIsUnderwayOrHasFailed() throws Exception {
        String web = harness.containers().inspect("web", false).container().id();
        harness.reopen(Failpoints.parse("start.run=1*EIO->off"));
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Internal.class);
        assertThat(harness.fabric.settled()).containsExactly(web);

        String other = harness.create("other", "sleep", "9");
        var birth = harness.runtime.hold();
        var start = new FutureTask<>(() -> {
            harness.containers().start("other");
            return true;
        });
        Thread.ofVirtual().start(start);
        EngineHarness.eventually(() -> harness.fabric.settled().contains(other));
        birth.countDown();
        assertThat(start.get()).isTrue();
    }

    /// The namespace is gone then, and that it cannot be opened any more would say nothing.
    @Test
    void whereTheNetworkAndTheRestFailItIsTheNetworkThatIsTold() throws Exception {
        harness.reopen(Failpoints.parse("start.run=1*EIO->off"));
        harness.fabric.cut("cannot connect to network bridge: no buffer space");
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("cannot connect to network bridge: no buffer space");
        harness.fabric.cut("");
        startsWithTheFirstAddress();
    }

    /// They may ask for it as soon as it runs.
    @Test
    void thoseThatAreLinkedToOneLearnItsAddressBeforeItIsBorn() throws Exception {
        var containers = harness.containers();
        containers.start("web");
        String parent = containers.create(EngineHarness.request("parent", "{\"Links\":[\"web\"]}", "sleep")).id();
        containers.start("parent");
        containers.stop("web", StopRequest.DEFAULT);
        harness.create("other", "sleep");
        containers.start("other"); // has the address now
        var hosts = containers.inspect(parent, false).files().hosts();
        var birth = harness.runtime.hold();
        var start = new FutureTask<>(() -> {
            containers.start("web");
            return true;
        });
        Thread.ofVirtual().start(start);
        EngineHarness.eventually(() -> Files.readString(hosts).contains("172.17.0.4\tweb"));
        assertThat(harness.runtime.started()).hasSize(3);
        birth.countDown();
        assertThat(start.get()).isTrue();
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
