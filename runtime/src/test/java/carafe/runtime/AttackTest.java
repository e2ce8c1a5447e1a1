package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Attacks that worked against other engines, tried against this one. The rules are those of SECURITY: R2 build first,
/// R3 procfs, R4 descriptors, R8 least privilege.
class AttackTest extends StageTest {

    @Test
    void workingDirectoryThroughALeakedDescriptorLeadsNowhere() throws Exception { // CVE-2024-21626, R4
        var container = stage.sleeping();
        for (int fd = 3; fd < 64; fd++) {
            String path = "/proc/self/fd/" + fd;
            var plain = TestSpecs.standard(stage.id(), "cat", "../../../../../etc/hostname");
            var spec = TestSpecs.withDirectory(plain, path);
            var exec = stage.execSpec("cat", "../../../../../etc/hostname");
            var inside = new ExecSpec(exec.id(), exec.runDir(), exec.args(), exec.env(), path, exec.user(), false,
                    Optional.empty(), false, exec.stdio());
            assertEscapesNowhere(() -> stage.run(stage.bundle(spec)));
            assertEscapesNowhere(() -> stage.exec(container, inside));
        }
    }

    private interface Attempt {
        RuntimeStage.Output run() throws Exception;
    }

    private static void assertEscapesNowhere(Attempt attempt) throws Exception {
        try {
            assertThat(attempt.run().out()).isEmpty();
        } catch (StartFailure e) {
            assertThat(e.kind()).isIn(StartFailure.Kind.WORKING_DIRECTORY, StartFailure.Kind.OTHER);
        }
    }

    @Test
    void enginesBinaryCannotBeReachedOrRun() throws Exception { // CVE-2019-5736, R4
        byte[] before = Files.readAllBytes(RuntimeStage.NATIVE.resolve("carafe-spawner"));
        try {
            assertThat(stage.run("/proc/self/exe").exit().code()).isNotZero();
        } catch (StartFailure e) {
            assertThat(e.exitCode()).isIn(126, 127);
        }
        var container = stage.start(stage.bundle(TestSpecs.standard(stage.id(), "sh", "-c", """
                while :; do
                  for exe in /proc/[0-9]*/exe; do
                    case $(readlink $exe) in
                      */busybox) ;;
                      ?*) (echo broken > $exe) 2>/dev/null && echo "wrote $exe" >> /tmp/wrote ;;
                    esac
                  done
                done
                """)));
        for (int i = 0; i < 40; i++) {
            var process = container.exec(stage.execSpec("true"), List.of());
            process.awaitExit();
            process.delete();
        }
        assertThat(stage.exec(container, stage.execSpec("ls", "/tmp")).out()).isEmpty();
        RuntimeStage.end(container);
        assertThat(Files.readAllBytes(RuntimeStage.NATIVE.resolve("carafe-spawner"))).isEqualTo(before);
    }

    @Test
    void imagesProcIsNeverWrittenTo() throws Exception { // CVE-2019-16884, CVE-2025-52881, R3
        Files.delete(stage.image.resolve("proc"));
        Path fake = stage.image.resolve("fake/sys/net/ipv4");
        Files.createDirectories(fake);
        Files.writeString(fake.resolve("ip_unprivileged_port_start"), "untouched\n");
        Files.createSymbolicLink(stage.image.resolve("proc"), Path.of("fake"));
        var bundle = stage.bundle(TestSpecs.standard(
                stage.id(), "sh", "-c", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /proc/keys"));
        assertThat(stage.run(bundle).out()).isEqualTo("0\n");
        assertThat(bundle.containerDir().resolve("upper/fake/sys")).doesNotExist();
        assertThat(fake.resolve("ip_unprivileged_port_start")).hasContent("untouched");
    }

    @Test
    void masksAreTheRealNullDeviceWhateverTheImageSays() throws Exception { // CVE-2025-31133, R3
        Files.createSymbolicLink(stage.image.resolve("dev/null"), Path.of("/proc/sysrq-trigger"));
        var output = stage.run("sh", "-c", "stat -c '%t:%T' /proc/keys /dev/null; cat /proc/keys");
        assertThat(output.out()).isEqualTo("1:3\n1:3\n");
    }

    @Test
    void consoleIsTheContainersTerminalWhateverTheImageSays() throws Exception { // CVE-2025-52565, R3
        Files.createSymbolicLink(stage.image.resolve("dev/console"), Path.of("/proc/sysrq-trigger"));
        Files.createSymbolicLink(stage.image.resolve("dev/pts"), Path.of("/proc"));
        var spec = TestSpecs.withTerminal(
                TestSpecs.standard(stage.id(), "stat", "-c", "%t:%T", "/dev/console", "/dev/pts/0"), 24, 80);
        assertThat(stage.run(stage.bundle(spec)).out()).isEqualTo("88:0\r\n88:0\r\n");
    }

    @Test
    void execsTerminalIsNotTakenFromWhereTheContainerPoints() throws Exception { // CVE-2025-52565, R3
        var container = stage.start(stage.bundle(TestSpecs.privileged(stage.id(), "sleep", "1000")));
        stage.exec(container, stage.execSpec("sh", "-c",
                "mkdir /tmp/trap && touch /tmp/trap/ptmx && mount --bind /tmp/trap /dev/pts"));
        var plain = stage.execSpec("true");
        var spec = new ExecSpec(plain.id(), plain.runDir(), plain.args(), plain.env(), "", plain.user(), true,
                Optional.empty(), false, plain.stdio());
        try {
            stage.exec(container, spec);
            throw new AssertionError("a terminal out of a trap");
        } catch (StartFailure e) {
            assertThat(e).hasMessageContaining("not a devpts");
        }
        RuntimeStage.end(container);
    }

    @Test
    void linksInAVolumeCannotMoveAMountOut() throws Exception { // CVE-2021-30465, R2
        Path volume = Files.createDirectories(stage.directory.resolve("volume"));
        Files.createSymbolicLink(volume.resolve("inner"), Path.of("../../../../../../../../tmp"));
        var output = stage.run(stage.bundle(TestSpecs.withMounts(
                TestSpecs.standard(stage.id(), "sh", "-c", "grep -c ' tmpfs hit' /proc/self/mountinfo"),
                Mount.of("/v", "bind", volume.toString(), List.of("rbind")),
                Mount.of("/v/inner", "tmpfs", "hit", List.of()))));
        assertThat(output.out()).isEqualTo("1\n");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain("tmpfs hit");
    }

    @Test
    void mountPointsAreNotMadeThroughALinkOfAVolume() throws Exception { // CVE-2024-45310, R1
        Path volume = Files.createDirectories(stage.directory.resolve("hostile-volume"));
        Path outside = Files.createDirectories(stage.directory.resolve("outside"));
        Path file = Files.writeString(stage.directory.resolve("given"), "given");
        Files.createSymbolicLink(volume.resolve("absolute"), outside);
        Files.createSymbolicLink(volume.resolve("climbing"), Path.of("../outside"));
        for (String link : List.of("absolute", "climbing")) {
            var mounts = List.of(
                    Mount.of("/v", "bind", volume.toString(), List.of("rbind")),
                    Mount.of("/v/" + link + "/directory", "tmpfs", "hit", List.of()),
                    Mount.of("/v/" + link + "/file", "bind", file.toString(), List.of("bind")));
            try {
                stage.run(stage.bundle(TestSpecs.withMounts(
                        TestSpecs.standard(stage.id(), "true"), mounts.toArray(Mount[]::new))));
            } catch (StartFailure e) {
                assertThat(e.kind()).isEqualTo(StartFailure.Kind.MOUNT);
            }
            assertThat(outside).isEmptyDirectory();
        }
    }

    @Test
    void aSettingsValueIsWrittenToItsOwnFileOnly() throws Exception { // CVE-2022-0811, R7
        String pattern = Files.readString(Path.of("/proc/sys/kernel/core_pattern"));
        for (var entry : List.of(
                Map.entry("net.ipv4.ip_unprivileged_port_start", "1+kernel.core_pattern=|/evil"),
                Map.entry("net.ipv4.ip_unprivileged_port_start", "1\nkernel.core_pattern=|/evil"),
                Map.entry("net/../kernel/core_pattern", "|/evil"),
                Map.entry("net.ipv4.../.../kernel.core_pattern", "|/evil"))) {
            var spec = TestSpecs.withSysctl(
                    TestSpecs.standard(stage.id(), "true"), Map.of(entry.getKey(), entry.getValue()));
            var failure = catchThrowableOfType(StartFailure.class, () -> stage.run(stage.bundle(spec)));
            assertThat(failure).as(entry.toString()).isNotNull();
            assertThat(failure.kind()).isEqualTo(StartFailure.Kind.INVALID);
        }
        assertThat(Files.readString(Path.of("/proc/sys/kernel/core_pattern"))).isEqualTo(pattern);
    }

    @Test
    void nothingListensInTheAbstractNamespace() throws Exception { // CVE-2020-15257, R8
        var container = stage.sleeping();
        var process = container.exec(stage.execSpec("sleep", "1000"), List.of());
        var inodes = new HashSet<String>();
        for (int pid : List.of(parent(container.pid()), parent(process.pid()), stage.spawner.pid().orElseThrow())) {
            try (var descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
                for (Path descriptor : descriptors.toList()) {
                    String target = Files.readSymbolicLink(descriptor).toString();
                    if (target.startsWith("socket:[")) {
                        inodes.add(target.substring(8, target.length() - 1));
                    }
                }
            }
        }
        assertThat(inodes).hasSizeGreaterThanOrEqualTo(4);
        var sockets = Files.readAllLines(Path.of("/proc/net/unix")).stream()
                .map(line -> line.split(" +"))
                .filter(words -> inodes.contains(words[6]))
                .toList();
        assertThat(sockets).anyMatch(words -> words.length > 7).noneMatch(
                words -> words.length > 7 && words[7].startsWith("@"));
        process.signal(9);
        process.awaitExit();
        process.delete();
        RuntimeStage.end(container);
    }

    private static int parent(int pid) throws Exception {
        return Integer.parseInt(Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .filter(line -> line.startsWith("PPid:")).findFirst().orElseThrow().substring(5).strip());
    }

    @Test
    void inheritableCapabilitiesAreEmptyInExecsToo() throws Exception { // CVE-2022-24769, R8
        var container = stage.sleeping();
        var output = stage.exec(container, stage.execSpec("grep", "-e", "CapInh", "-e", "CapAmb", "/proc/self/status"));
        assertThat(output.out()).isEqualTo("CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n");
        RuntimeStage.end(container);
    }

    @Test
    void primaryGroupCannotBeShedToPassAFileThatDeniesIt() throws Exception { // CVE-2022-36109, R8
        var spec = TestSpecs.standard(stage.id(), "grep", "Groups", "/proc/self/status");
        var output = stage.run(stage.bundle(spec, new UserRequest("4711:4712", List.of()), Stdio.CLOSED));
        assertThat(output.out().strip()).isEqualTo("Groups:\t4712");
    }

    @Test
    void keysOfTheHostAreInAnotherKeyring() throws Exception {
        var spec = TestSpecs.privileged(stage.id(), "sh", "-c", "grep -o '_ses[^:]*' /proc/keys");
        assertThat(stage.run(stage.bundle(spec)).out()).contains("_ses." + stage.name);
    }

    @Test
    void stateDirectoriesAreForRootOnly() throws Exception { // CVE-2021-41091, R8
        var container = stage.sleeping();
        Path run = stage.directory.resolve(container.id()).resolve("run");
        assertThat(Files.getAttribute(run, "unix:mode")).isEqualTo(040700);
        assertThat(Files.getAttribute(run.resolve("monitor.sock"), "unix:mode")).isEqualTo(0140600);
        RuntimeStage.end(container);
    }
}
