package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Every step of start, exec and delete is made to fail in turn: nothing is left, and the next attempt works.
class FailureTest extends StageTest {

    private Bundle bundle(boolean terminal) throws Exception {
        var spec = TestSpecs.withMounts(
                TestSpecs.standard(stage.id(), "sleep", "1000"),
                Mount.of("/h", "bind", stage.directory.toString(), List.of("rbind", "ro")),
                Mount.of("/run", "tmpfs", "tmpfs", List.of()));
        spec = TestSpecs.withReadonlyRoot(TestSpecs.withDirectory(spec, "/work"));
        return stage.bundle(
                terminal ? TestSpecs.withTerminal(spec, 24, 80) : spec, new UserRequest("app", List.of()),
                new Stdio(true, false));
    }

    private List<String> pointsPassed(boolean terminal) throws Exception {
        var failpoints = Failpoints.parse("");
        var runtime = stage.open(failpoints);
        var container = runtime.start(bundle(terminal), List.of());
        container.exec(stage.execSpec("true"), List.of()).awaitExit();
        RuntimeStage.end(container);
        runtime.close();
        return failpoints.passed();
    }

    private void failEach(List<String> points, boolean terminal) throws Exception {
        for (String point : points) {
            var runtime = stage.open(Failpoints.parse(point + "=1*EIO"));
            var bundle = bundle(terminal);
            var before = RuntimeStage.descriptors();
            var failure = catchThrowableOfType(StartFailure.class, () -> runtime.start(bundle, List.of()));
            assertThat(failure).as(point).isNotNull();
            assertThat(failure.getMessage()).as(point).startsWith("failed to create task for container: ");
            assertThat(bundle.runDir()).as(point).doesNotExist();
            RuntimeStage.awaitDescriptors("after " + point, before);
            stage.assertNothingIsLeft();

            var container = runtime.start(bundle, List.of());
            RuntimeStage.end(container);
            runtime.close();
        }
    }

    @Test
    void everyStepOfAStartMayFail() throws Exception {
        var points = new ArrayList<>(pointsPassed(false));
        points.removeIf(point -> point.startsWith("exec.") || point.startsWith("delete.")
                || Set.of("prepare.enter-container", "prepare.join-cgroup-files", "tape.join-pid", "tape.join",
                        "tape.undumpable", "tape.open-root").contains(point));
        assertThat(points).hasSizeGreaterThan(50).contains("prepare.root-mount", "tape.pivot", "tape.exec");
        failEach(points, false);
    }

    @Test
    void everyFurtherStepOfAStartWithATerminalMayFail() throws Exception {
        var plain = pointsPassed(false);
        var points = new ArrayList<>(pointsPassed(true));
        points.removeAll(plain);
        assertThat(points).contains("tape.terminal", "tape.console");
        points.add("prepare.streams");
        failEach(points, true);
    }

    @Test
    void everyStepOfAnExecMayFail() throws Exception {
        var failpoints = Failpoints.parse("");
        var runtime = stage.open(failpoints);
        var container = runtime.start(bundle(false), List.of());
        var started = failpoints.passed();
        container.exec(stage.execSpec("true"), List.of()).awaitExit();
        var all = failpoints.passed();
        var points = new ArrayList<>(all.subList(started.size(), all.size()));
        points.addAll(List.of("prepare.run-directory", "prepare.streams", "prepare.monitor-files", "tape.exec"));
        assertThat(points).contains("prepare.enter-container", "tape.join", "exec.record");
        for (String point : points) {
            var other = stage.open(Failpoints.parse(point + "=1*EIO"));
            var adopted = other.adopt(stage.directory.resolve(container.id()).resolve("run")).orElseThrow();
            var spec = stage.execSpec("true");
            var before = RuntimeStage.descriptors();
            var failure = catchThrowableOfType(StartFailure.class, () -> adopted.exec(spec, List.of()));
            assertThat(failure).as(point).isNotNull();
            assertThat(spec.runDir()).as(point).doesNotExist();
            RuntimeStage.awaitDescriptors("after " + point, before);
            assertThat(adopted.processes()).containsExactly(container.pid());
            var process = adopted.exec(spec, List.of());
            assertThat(process.awaitExit().code()).isZero();
            process.delete();
            adopted.release();
            other.close();
        }
        RuntimeStage.end(container);
        runtime.close();
    }

    @Test
    void withoutLibseccompAFilterThatWasAskedForRefusesTheStart() throws Exception {
        try (var runtime = LinuxRuntime.open(
                new LinuxRuntime.Host(stage.spawner, stage.cgroups, Optional.empty()),
                stage.directory.resolve("unfiltered"), Failpoints.none())) {
            var failure = catchThrowableOfType(StartFailure.class, () -> runtime.start(bundle(false), List.of()));
            assertThat(failure).hasMessageContaining("no libseccomp.so.2")
                    .hasMessageContaining("install the package libseccomp2")
                    .hasMessageContaining("--security-opt seccomp=unconfined");
            stage.assertNothingIsLeft();
            var unconfined = runtime.start(
                    stage.bundle(TestSpecs.privileged(stage.id(), "true")), List.of());
            assertThat(unconfined.awaitExit().code()).isZero();
            unconfined.delete();
        }
    }

    @Test
    void everyStepOfADeleteMayFail() throws Exception {
        for (String point : List.of("delete.cgroup", "delete.run-directory")) {
            var runtime = stage.open(Failpoints.parse(point + "=1*EIO"));
            var bundle = bundle(false);
            var container = runtime.start(bundle, List.of());
            container.signal(9);
            container.awaitExit();
            assertThat(catchThrowableOfType(EngineException.Internal.class, container::delete)).as(point).isNotNull();
            container.delete();
            assertThat(bundle.runDir()).doesNotExist();
            stage.assertNothingIsLeft();
            runtime.close();
        }
    }
}
