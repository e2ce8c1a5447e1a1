package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.spec.EngineException;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.RuntimeSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Namespaces shared with the host or with another container.
class NamespacesTest extends StageTest {

    private static final String LINKS = "for n in net pid ipc uts cgroup; do readlink /proc/self/ns/$n; done";

    private String host(String kind) throws Exception {
        return Files.readSymbolicLink(Path.of("/proc/self/ns/" + kind)).toString();
    }

    private static Namespace shared(NamespaceType type) {
        return new Namespace(type, "-");
    }

    @Test
    void hostsNamespacesAreSharedOnlyWhenAskedFor() throws Exception {
        var own = stage.run("sh", "-c", LINKS).out();
        assertThat(own).doesNotContain(host("net"), host("pid"), host("ipc"), host("uts"), host("cgroup"));
        var spec = TestSpecs.withNamespaces(
                TestSpecs.standard(stage.id(), "sh", "-c", LINKS), shared(NamespaceType.NETWORK),
                shared(NamespaceType.PID), shared(NamespaceType.IPC), shared(NamespaceType.UTS),
                shared(NamespaceType.CGROUP));
        var output = stage.run(stage.bundle(TestSpecs.withHostname(spec, "")));
        assertThat(output.out()).isEqualTo(String.join("\n", host("net"), host("pid"), host("ipc"), host("uts"),
                host("cgroup")) + "\n");
    }

    @Test
    void networkProcessesAndMemoryOfAnotherContainerAreShared() throws Exception {
        var first = stage.sleeping();
        String ns = "/proc/" + first.pid() + "/ns/";
        var spec = TestSpecs.withNamespaces(
                TestSpecs.standard(stage.id(), "sh", "-c", LINKS + "; cat /proc/1/cmdline"),
                new Namespace(NamespaceType.NETWORK, ns + "net"), new Namespace(NamespaceType.PID, ns + "pid"),
                new Namespace(NamespaceType.IPC, ns + "ipc"));
        var second = stage.run(stage.bundle(TestSpecs.withSysctl(spec, Map.of())));
        var expected = stage.exec(first, stage.execSpec("sh", "-c", LINKS)).out().lines().toList();
        assertThat(second.out().lines().limit(3)).containsExactlyElementsOf(expected.subList(0, 3));
        assertThat(second.out()).contains("sleep\0001000");
        assertThat(first.exited()).isEmpty();
    }

    @Test
    void whoSharesAPidNamespaceMayNotBeLookedAtBeforeItsProgramRuns() throws Exception {
        var first = stage.sleeping();
        var spec = TestSpecs.withNamespaces(TestSpecs.standard(stage.id(), "true"),
                new Namespace(NamespaceType.PID, "/proc/" + first.pid() + "/ns/pid"));
        var tape = stage.runtime.plan(stage.bundle(spec)).explanation().toJson().toString();
        assertThat(tape.indexOf("PR_SET_DUMPABLE")).isPositive().isLessThan(tape.indexOf("clone3"));
    }

    @Test
    void sharedMemoryIsNoLinkAndNoPlainDirectory() throws Exception {
        var moved = stage.start(stage.bundle(TestSpecs.privileged(stage.id(), "sh", "-c",
                "umount /dev/shm; rmdir /dev/shm; ln -s /proc /dev/shm; sleep 1000")));
        RuntimeStage.await("the link is there", () -> Files.isSymbolicLink(Path.of("/proc/" + moved.pid() + "/root/dev/shm")));
        assertThat(catchThrowableOfType(EngineException.Conflict.class, moved::sharedMemory))
                .hasMessageContaining("has nothing mounted at /dev/shm");
        RuntimeStage.end(moved);
    }

    @Test
    void execInAContainerWithTheHostsProcessesWorks() throws Exception {
        var spec = TestSpecs.withNamespaces(
                TestSpecs.standard(stage.id(), "sleep", "1000"), shared(NamespaceType.PID));
        var container = stage.start(stage.bundle(spec));
        assertThat(stage.exec(container, stage.execSpec("readlink", "/proc/self/ns/pid")).out())
                .isEqualTo(host("pid") + "\n");
        RuntimeStage.end(container);
    }

    @Test
    void processesThatOutliveASharedPidNamespaceAreKilledByDelete() throws Exception {
        var spec = TestSpecs.withNamespaces(
                TestSpecs.standard(stage.id(), "sh", "-c", "sleep 1000 & exit 0"), shared(NamespaceType.PID));
        var container = stage.start(stage.bundle(spec));
        container.awaitExit();
        container.delete();
        stage.assertNothingIsLeft();
    }

    @Test
    void settingsOfTheHostCannotBeChanged() throws Exception {
        var standard = TestSpecs.standard(stage.id(), "true");
        refused(TestSpecs.withSysctl(standard, Map.of("kernel.panic", "1")),
                "sysctl \"kernel.panic\" is not in a separate kernel namespace");
        refused(TestSpecs.withSysctl(standard, Map.of("net/../kernel/panic", "1")), "is not a valid name");
        refused(TestSpecs.withSysctl(
                        TestSpecs.withNamespaces(standard, shared(NamespaceType.NETWORK)),
                        Map.of("net.ipv4.ip_forward", "1")),
                "sysctl \"net.ipv4.ip_forward\" is not in a separate kernel namespace");
        refused(TestSpecs.withNamespaces(standard, shared(NamespaceType.UTS)), "host name");
    }

    private void refused(RuntimeSpec spec, String words) throws Exception {
        var bundle = stage.bundle(spec);
        var failure = catchThrowableOfType(StartFailure.class, () -> stage.runtime.start(bundle, List.of()));
        assertThat(failure).hasMessageContaining(words);
        assertThat(failure.kind()).isEqualTo(StartFailure.Kind.INVALID);
    }

    @Test
    void settingsOfItsOwnNamespacesAreWritten() throws Exception {
        var sysctl = new TreeMap<>(Map.of("net.ipv4.ip_forward", "1", "kernel.msgmax", "4096"));
        var output = stage.run(stage.bundle(TestSpecs.withSysctl(
                TestSpecs.standard(stage.id(), "cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/msgmax"),
                sysctl)));
        assertThat(output.out()).isEqualTo("1\n4096\n");
        var bundle = stage.bundle(TestSpecs.withSysctl(
                TestSpecs.standard(stage.id(), "true"), Map.of("net.ipv4.no_such_thing", "1")));
        var failure = catchThrowableOfType(StartFailure.class, () -> stage.runtime.start(bundle, List.of()));
        assertThat(failure).hasMessageContaining("error writing sysctl \"net.ipv4.no_such_thing\"");
    }
}
