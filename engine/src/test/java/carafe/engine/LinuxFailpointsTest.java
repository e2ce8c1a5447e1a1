package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Failures and crashes with real containers: what is left on the kernel's side is looked at.
final class LinuxFailpointsTest {
    private LinuxStage stage;
    private final List<String> ids = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
    }

    @AfterEach
    void close() throws Exception {
        var left = stage.leftAfterRemoval();
        left.addAll(stage.left(ids));
        stage.close();
        assertThat(left).isEmpty();
    }

    private void live() throws Exception {
        var containers = stage.containers();
        String id = containers.create(request("web", "{}", "sh", "-c", "exit 5")).id();
        ids.add(id);
        var wait = containers.await(id, WaitCondition.NEXT_EXIT);
        containers.start(id);
        assertThat(wait.await().exitCode()).isEqualTo(5);
        containers.remove(id, new RemoveRequest(true, true));
    }

    private void liveAsFarAsItGoes() throws Exception {
        try {
            live();
        } catch (EngineException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    static Stream<String> points() {
        return Stream.of("create.durable", "start.run", "start.row", "exit.row", "exit.process", "remove.row",
                "remove.directory");
    }

    @ParameterizedTest
    @MethodSource("points")
    void aCrashAtAnyPointLeaksNothingAndTheNextLifeWorks(String point) throws Exception {
        stage.reopen(Failpoints.parse(point + "=EIO"));
        liveAsFarAsItGoes();
        stage.crash();
        stage.leftAfterRemoval();
        live();
    }

    @Test
    void everyStepOfTheRuntimesStartMayFail() throws Exception {
        var recording = Failpoints.parse("none=off");
        stage.reopen(recording);
        live();
        var steps = recording.passed().stream()
                .filter(point -> point.startsWith("tape.") || point.startsWith("prepare."))
                .toList();
        assertThat(steps).hasSizeGreaterThan(10);
        for (var step : steps) {
            stage.reopen(Failpoints.parse(step + "=1*EIO"));
            liveAsFarAsItGoes();
            assertThat(stage.leftAfterRemoval()).as(step).isEmpty();
            live();
        }
    }

    /// The start is about to hand the client's end of a socket to the monitor.
    @Test
    void aClientThatLeavesInTheMiddleOfAStartDoesNotFailIt() throws Exception {
        var recording = Failpoints.parse("none=off");
        stage.reopen(recording);
        live();
        String step = recording.passed().stream().filter(point -> point.startsWith("prepare.")).findFirst().orElseThrow();
        var slow = Failpoints.parse(step + "=1*sleep(1000)");
        stage.reopen(slow);
        var containers = stage.containers();
        String id = containers.create(request("web", "{}", "true")).id();
        ids.add(id);
        var client = containers.attach(id, new AttachRequest(true, true, true, false, true, ""));
        var wait = containers.await(id, WaitCondition.NEXT_EXIT);
        var leaving = Thread.ofVirtual().start(() -> {
            while (!slow.passed().contains(step)) {
                Thread.onSpinWait();
            }
            client.close();
        });
        containers.start(id);
        leaving.join();
        assertThat(wait.await().exitCode()).isZero();
        containers.remove(id, new RemoveRequest(true, true));
    }

    @Test
    void theDaemonsDeathBetweenTheControlGroupAndItsRecordLeavesNoGroup() throws Exception {
        String id = stage.containers().create(request("web", "{}", "true")).id();
        String other = stage.containers().create(
                request("elsewhere", "{\"CgroupParent\":\"/carafe-test\"}", "true")).id();
        ids.addAll(List.of(id, other));
        stage.engine.abandon();
        stage.begin(id, "/carafe/" + id);
        stage.begin(other, "/carafe-test/" + other);
        stage.reopenAfterAbandon();
        assertThat(LinuxStage.groups(id)).isEmpty();
        assertThat(LinuxStage.groups(other)).isEmpty();
        assertThat(stage.state("web")).isInstanceOf(State.Created.class);
    }

    @Test
    void theDaemonsDeathBetweenTheStartAndItsRowLosesNoContainer() throws Exception {
        stage.reopen(Failpoints.parse("start.row=EIO"));
        var containers = stage.containers();
        ids.add(containers.create(request("web", "{}", "sleep", "1000")).id());
        containers.start("web");
        stage.crash();
        assertThat(stage.state("web")).isInstanceOf(State.Running.class);
    }
}
