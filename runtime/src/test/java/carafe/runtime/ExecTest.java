package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.runtime.StartFailure.Kind;
import carafe.spec.oci.ProcessSpec.ConsoleSize;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Further processes in running containers.
class ExecTest extends StageTest {

    private static ExecSpec with(ExecSpec s, String cwd, UserRequest user, boolean terminal, boolean privileged) {
        return new ExecSpec(s.id(), s.runDir(), s.args(), s.env(), cwd, user, terminal,
                terminal ? Optional.of(new ConsoleSize(30, 100)) : Optional.empty(), privileged, s.stdio());
    }

    @Test
    void itRunsInTheNamespacesOfTheContainer() throws Exception {
        var container = stage.sleeping();
        String links = "for n in mnt pid uts ipc net cgroup; do readlink /proc/$1/ns/$n; done";
        var inside = stage.exec(container, stage.execSpec("sh", "-c", links, "sh", "self"));
        var first = stage.exec(container, stage.execSpec("sh", "-c", links, "sh", "1"));
        assertThat(inside.out().lines()).hasSize(6);
        assertThat(inside.out()).isEqualTo(first.out());
        assertThat(stage.exec(container, stage.execSpec("hostname")).out()).isEqualTo(container.id() + "\n");
        assertThat(stage.exec(container, stage.execSpec("sh", "-c", "exit 3")).exit().code()).isEqualTo(3);
    }

    @Test
    void itHasTheContainersLimitsAndPrivileges() throws Exception {
        var container = stage.sleeping();
        var status = stage.exec(container, stage.execSpec("grep", "-e", "Cap", "-e", "Seccomp:", "/proc/self/status"));
        assertThat(status.out().replace("\t", "").lines()).containsExactly(
                "CapInh:0000000000000000", "CapPrm:00000000a80425fb", "CapEff:00000000a80425fb",
                "CapBnd:00000000a80425fb", "CapAmb:0000000000000000", "Seccomp:2");
        var groups = stage.exec(container, stage.execSpec("cat", "/proc/self/cgroup"));
        assertThat(groups.out().lines()).allMatch(line -> line.endsWith(":/"));
    }

    @Test
    void aPrivilegedOneGetsCapabilitiesAndKeepsTheFences() throws Exception {
        var container = stage.start(stage.bundle(
                TestSpecs.withNoNewPrivileges(TestSpecs.standard(stage.id(), "sleep", "1000"))));
        var privileged = with(stage.execSpec("grep", "-e", "Seccomp:", "-e", "CapEff", "-e", "NoNewPrivs",
                "/proc/self/status"), "", UserRequest.NONE, false, true);
        assertThat(stage.exec(container, privileged).out())
                .contains("Seccomp:\t2", "NoNewPrivs:\t1").doesNotContain("a80425fb");
    }

    @Test
    void whatIsLeftOfAnExecIsSweptWithoutTouchingItsContainer() throws Exception {
        var container = stage.sleeping();
        var spec = stage.execSpec("true");
        var process = container.exec(spec, List.of());
        process.awaitExit();
        stage.runtime.discard(spec.runDir(), Optional.empty());
        assertThat(spec.runDir()).doesNotExist();
        assertThat(container.exited()).isEmpty();
        assertThat(stage.exec(container, stage.execSpec("echo", "alive")).out()).isEqualTo("alive\n");
    }

    @Test
    void itsEndIsKnownWhileAnotherProcessOfTheContainerTracesIt() throws Exception {
        Files.copy(RuntimeStage.NATIVE.resolve("probe"), stage.image.resolve("bin/probe"));
        var container = stage.start(stage.bundle(TestSpecs.privileged(stage.id(), "sleep", "1000")));
        var traced = container.exec(stage.execSpec("probe", "hang"), List.of());
        try (var client = stage.runtime.endpoint(Set.of(StdStream.STDOUT))) {
            var tracer = container.exec(
                    stage.execSpec("sh", "-c", "exec probe seize $(pidof probe) then hang"), List.of(client));
            var seized = ByteBuffer.allocate(8 + "seized\n".length()); // a frame's head and its text
            while (seized.hasRemaining() && client.channel().read(seized) >= 0) {
                assertThat(seized.position()).isPositive();
            }
            assertThat(new String(seized.array(), 8, seized.position() - 8, StandardCharsets.UTF_8)).isEqualTo("seized\n");
            traced.signal(9);
            RuntimeStage.await("the end of the exec", () -> traced.exited().isPresent());
            assertThat(traced.awaitExit().code()).isEqualTo(137);
            assertThat(tracer.exited()).isEmpty();
            tracer.signal(9);
            tracer.awaitExit();
            tracer.delete();
        }
        traced.delete();
    }

    @Test
    void userAndDirectoryAreItsOwn() throws Exception {
        var container = stage.sleeping();
        var spec = with(stage.execSpec("sh", "-c", "id -u; id -G; pwd; echo $HOME"), "/tmp",
                new UserRequest("app", List.of("video")), false, false);
        assertThat(stage.exec(container, spec).out()).isEqualTo("1000\n1001 29 44\n/tmp\n/home/app\n");
    }

    @Test
    void failuresAreSentences() throws Exception {
        var container = stage.sleeping();
        var missing = catchThrowableOfType(StartFailure.class,
                () -> container.exec(stage.execSpec("no-such-program"), List.of()));
        assertThat(missing.exitCode()).isEqualTo(127);
        assertThat(missing).hasMessageContaining("executable file not found in $PATH");
        var denied = catchThrowableOfType(StartFailure.class,
                () -> container.exec(stage.execSpec("/etc"), List.of()));
        assertThat(denied.exitCode()).isEqualTo(126);
        assertThat(denied).hasMessageContaining("is a directory");
        var nowhere = catchThrowableOfType(StartFailure.class, () -> container.exec(
                with(stage.execSpec("true"), "/no/where", UserRequest.NONE, false, false), List.of()));
        assertThat(nowhere.kind()).isEqualTo(Kind.WORKING_DIRECTORY);
        var nobody = catchThrowableOfType(StartFailure.class, () -> container.exec(
                with(stage.execSpec("true"), "", new UserRequest("nobody-here", List.of()), false, false), List.of()));
        assertThat(nobody.kind()).isEqualTo(Kind.NO_SUCH_USER);
    }

    @Test
    void terminalIsOneOfTheContainers() throws Exception {
        var container = stage.sleeping();
        var spec = with(stage.execSpec("sh", "-c", "tty; stty size; ps -o tty,args | grep -c 136,"), "",
                UserRequest.NONE, true, false);
        var output = stage.exec(container, spec);
        assertThat(output.out()).startsWith("/dev/pts/0\r\n30 100\r\n");
    }

    @Test
    void endedContainerTakesNoExec() throws Exception {
        var container = stage.sleeping();
        container.signal(9);
        container.awaitExit();
        var failure = catchThrowableOfType(StartFailure.class,
                () -> container.exec(stage.execSpec("true"), List.of()));
        assertThat(failure.kind()).isEqualTo(Kind.NOT_RUNNING);
        container.delete();
    }

    @Test
    void execDiesWithTheContainer() throws Exception {
        var container = stage.sleeping();
        var process = container.exec(stage.execSpec("sleep", "1000"), List.of());
        assertThat(container.processes()).contains(container.pid(), process.pid()).hasSize(2);
        container.signal(9);
        assertThat(process.awaitExit().code()).isEqualTo(137);
        process.delete();
    }

    @Test
    void inputAndSignalsReachIt() throws Exception {
        var container = stage.sleeping();
        var plain = stage.execSpec("cat");
        var spec = new ExecSpec(plain.id(), plain.runDir(), plain.args(), plain.env(), "", UserRequest.NONE, false,
                Optional.empty(), false, new Stdio(true, true));
        try (var client = stage.runtime.endpoint(Set.of(StdStream.STDIN, StdStream.STDOUT))) {
            var process = container.exec(spec, List.of(client));
            client.channel().write(ByteBuffer.wrap(new byte[] {'o', 'k', '\n'}));
            client.channel().shutdownOutput();
            assertThat(RuntimeStage.Streams.read(client.channel(), false).out()).isEqualTo("ok\n");
            assertThat(process.awaitExit().code()).isZero();
            process.delete();
        }
        var sleeper = container.exec(stage.execSpec("sleep", "1000"), List.of());
        sleeper.signal(15);
        assertThat(sleeper.awaitExit().code()).isEqualTo(143);
        sleeper.delete();
    }
}
