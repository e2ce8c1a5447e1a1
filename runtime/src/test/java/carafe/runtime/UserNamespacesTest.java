package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.Device;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers with a user namespace of their own.
class UserNamespacesTest extends StageTest {

    private static final IdMaps IDS = IdMaps.range(300_000, 400_000, 65_536);

    HeldNamespaces users;

    @BeforeEach
    void makeUsers() throws Exception {
        users = stage.runtime.users(IDS);
    }

    @AfterEach
    void closeUsers() {
        users.close();
    }

    private RuntimeSpec spec(String... args) {
        return TestSpecs.withUsers(TestSpecs.standard(stage.id(), args), users.users(), IDS);
    }

    private static long owner(Path file) throws Exception {
        return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
    }

    @Test
    void itsRootIsNobodyOnTheHost() throws Exception {
        var container = stage.start(stage.bundle(spec("sleep", "1000")));
        var status = Files.readAllLines(Path.of("/proc/" + container.pid() + "/status"));
        assertThat(status).contains("Uid:\t300000\t300000\t300000\t300000", "Gid:\t400000\t400000\t400000\t400000");
        assertThat(Files.readString(Path.of("/proc/" + container.pid() + "/uid_map")).strip().split(" +"))
                .containsExactly("0", "300000", "65536");
        long monitor = Long.parseLong(status.stream().filter(line -> line.startsWith("PPid:")).findFirst()
                .orElseThrow().substring(5).strip());
        assertThat(Files.readSymbolicLink(Path.of("/proc/" + monitor + "/ns/user")))
                .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")));
        for (String type : List.of("net", "pid", "ipc", "uts", "mnt", "cgroup")) {
            assertThat(Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/ns/" + type)))
                    .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/" + type)));
        }
        RuntimeStage.end(container);
    }

    @Test
    void filesHaveTheContainersOwnersInsideAndOnDisk() throws Exception {
        var bundle = stage.bundle(spec("sh", "-ec", "stat -c '%u:%g' /etc/passwd; touch /made; chown 1000:1001 /made; "
                + "stat -c '%u:%g' /made; chown 7 /etc/group; mkdir /d; stat -c '%u:%g' /d"));
        var output = stage.run(bundle);
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).isEqualTo("0:0\n1000:1001\n0:0\n");
        Path upper = stage.directory.resolve(bundle.id()).resolve("upper");
        assertThat(owner(upper.resolve("made"))).isEqualTo(1000);
        assertThat(owner(upper.resolve("etc/group"))).isEqualTo(7);
        assertThat(owner(upper.resolve("d"))).isZero();
        assertThat(owner(stage.image.resolve("etc/group"))).isZero();
    }

    @Test
    void devicesFilesystemsAndStreamsWork() throws Exception {
        var output = stage.run(stage.bundle(spec("sh", "-ec",
                "echo lost > /dev/null; head -c 3 /dev/zero | wc -c; ls -ld /dev /dev/null /dev/pts /dev/shm /proc /sys "
                        + "| cut -d' ' -f1 | tr '\\n' ' '; stat -c '%u:%g %t:%T' /dev/null /dev/fd; "
                        + "echo again > /dev/stdout; touch /dev/shm/x /dev/y; cat /proc/sys/net/ipv4/ping_group_range; "
                        + "ls /sys/class/net; mknod /dev/z c 1 3 2>/dev/null || echo no-mknod; "
                        + "ls /sys/firmware | wc -l; (echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo no-panic")));
        assertThat(output.err()).isEmpty();
        assertThat(output.out().replaceAll("[ \t]+", " ").lines()).containsExactly("3",
                "drwxr-xr-x crw-rw-rw- drwxr-xr-x drwxrwxrwt dr-xr-xr-x dr-xr-xr-x 0:0 1:3", "0:0 0:0", "again",
                "0 65535", "lo", "no-mknod", "0", "no-panic");
        assertThat(output.exit().code()).isZero();
    }

    @Test
    void publishedDevicesAreThereWithTheirOwners() throws Exception {
        var spec = spec("sh", "-ec", "stat -c '%F %a %u:%g %t:%T' /dev/bus/mine; head -c 2 /dev/bus/mine | wc -c");
        var l = spec.linux();
        spec = spec.withLinux(new LinuxSpec(l.namespaces(), l.uidMappings(), l.gidMappings(),
                List.of(new Device("c", "/dev/bus/mine", 1, 5, 0640, 0, 44)), l.cgroupsPath(), l.resources(),
                l.seccomp(), l.maskedPaths(), l.readonlyPaths(), l.sysctl(), l.rootfsPropagation(), l.mountLabel()));
        var output = stage.run(stage.bundle(spec));
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).isEqualTo("character special file 640 0:44 1:5\n2\n");
    }

    @Test
    void processesIpcAndMemoryOfAnotherAreShared() throws Exception {
        var owner = stage.start(stage.bundle(spec("sleep", "1000")));
        try (var shared = owner.namespaces(); var memory = owner.sharedMemory();
                var network = stage.runtime.networkOf(shared)) {
            var spec = TestSpecs.withUsers(TestSpecs.standard(stage.id(), "sh", "-ec",
                    "tr '\\0' . < /proc/1/cmdline; echo; ls /sys/class/net; touch /dev/shm/x; stat -c %u /dev/shm/x; "
                            + "readlink /proc/self/ns/user"), shared.users(), IDS);
            spec = TestSpecs.withNamespaces(spec,
                    new Namespace(NamespaceType.NETWORK, network.network()),
                    new Namespace(NamespaceType.PID, shared.processes()), new Namespace(NamespaceType.IPC, shared.ipc()));
            var mounts = new ArrayList<>(spec.mounts());
            mounts.removeIf(mount -> mount.destination().equals("/dev/shm"));
            mounts.add(Mount.of("/dev/shm", "bind", memory.path(),
                    List.of("bind", "rprivate", "nosuid", "noexec", "nodev", HeldMount.OPTION)));
            var output = stage.run(stage.bundle(TestSpecs.withSysctl(spec.withMounts(mounts), Map.of())));
            assertThat(output.err()).isEmpty();
            assertThat(output.out().lines()).containsExactly("sleep.1000.", "lo", "0",
                    Files.readSymbolicLink(Path.of("/proc/" + owner.pid() + "/ns/user")).toString());
            assertThat(stage.exec(owner, stage.execSpec("ls", "/dev/shm")).out()).isEqualTo("x\n");
            assertThat(network).isInstanceOfSatisfying(LinuxNamespaces.class,
                    made -> assertThat(shared.hasUsersOf(made)).isTrue());
        }
        RuntimeStage.end(owner);
    }

    @Test
    void anotherUserIsSwitchedTo() throws Exception {
        var output = stage.run(stage.bundle(spec("sh", "-ec", "id; echo out > /dev/stdout; cd; touch x && stat -c %u x"),
                new UserRequest("app", List.of()), Stdio.CLOSED));
        assertThat(output.out()).startsWith("uid=1000(app) gid=1001(app) groups=29(audio),44(video),1001(app)\nout\n");
    }

    @Test
    void execsJoinItWithTheirOwnStreamsAndTerminals() throws Exception {
        var container = stage.start(stage.bundle(TestSpecs.withTerminal(spec("sleep", "1000"), 24, 80)));
        var output = stage.exec(container, stage.execSpec("sh", "-ec",
                "id -u; cat /proc/self/uid_map; echo again > /dev/stdout; touch /by-exec; stat -c %u /by-exec"));
        assertThat(output.err()).isEmpty();
        assertThat(output.out().replaceAll("[ \t]+", " ")).isEqualTo("0\n 0 300000 65536\nagain\n0\n");
        var plain = stage.execSpec("sh", "-ec", "tty; stat -c '%u:%g' $(tty); echo again > $(tty)");
        var terminal = new ExecSpec(plain.id(), plain.runDir(), plain.args(), plain.env(), plain.cwd(),
                new UserRequest("app", List.of()), true, Optional.empty(), plain.privileged(), plain.stdio());
        var shown = stage.exec(container, terminal);
        assertThat(shown.out()).isEqualTo("/dev/pts/1\r\n1000:5\r\nagain\r\n");
        RuntimeStage.end(container);
    }

    @Test
    void aTerminalBelongsToItsUser() throws Exception {
        var output = stage.run(stage.bundle(TestSpecs.withTerminal(
                spec("sh", "-ec", "stat -c '%u:%g' $(tty); echo again > /dev/tty; echo console > /dev/console"), 24, 80)));
        assertThat(output.out()).isEqualTo("0:5\r\nagain\r\nconsole\r\n");
    }

    @Test
    void ownersOfAVolumeAreMappedThoseOfABindAreNot() throws Exception {
        Path data = Files.createDirectory(stage.directory.resolve("data"));
        Files.createFile(data.resolve("of-root"));
        var output = stage.run(stage.bundle(TestSpecs.withMounts(
                spec("sh", "-ec", "stat -c %u /volume/of-root /bind/of-root; touch /volume/new; stat -c %u /volume/new; "
                        + "touch /bind/new || echo refused"),
                Mount.of("/volume", "bind", data.toString(), List.of("rbind", "rprivate", "idmap")),
                Mount.of("/bind", "bind", data.toString(), List.of("rbind", "rprivate")))));
        assertThat(output.out()).isEqualTo("0\n65534\n0\nrefused\n");
        assertThat(owner(data.resolve("new"))).isZero();
    }

    /// An overlay never can; a tmpfs cannot before Linux 6.3.
    @Test
    void aFileOfTheContainersOwnIsGivenToItWhereOwnersCannotBeMapped() throws Exception {
        Path lower = Files.createDirectory(stage.directory.resolve("lower"));
        Files.writeString(Files.createDirectory(stage.directory.resolve("upper")).resolve("hosts"), "names\n");
        Files.createDirectory(stage.directory.resolve("work"));
        Path merged = Files.createDirectory(stage.directory.resolve("merged"));
        Mounts.mount("overlay", merged, "overlay", 0, "lowerdir=" + lower + ",upperdir=" + stage.directory.resolve("upper")
                + ",workdir=" + stage.directory.resolve("work"));
        try {
            var mount = Mount.of("/etc/hosts", "bind", merged.resolve("hosts").toString(),
                    Stream.concat(Stream.of("rbind", "rprivate"), OwnFile.options(IDS, 0, 44).stream()).toList());
            for (String line : List.of("one", "two")) {
                var output = stage.run(stage.bundle(TestSpecs.withMounts(spec("sh", "-ec",
                        "stat -c %u:%g /etc/hosts; cat /etc/hosts; echo " + line + " > /etc/hosts"), mount)));
                assertThat(output.err()).isEmpty();
                assertThat(output.out()).isEqualTo("0:44\n" + (line.equals("one") ? "names\n" : "one\n"));
            }
            assertThat(merged.resolve("hosts")).hasContent("two\n");
            assertThat(owner(merged.resolve("hosts"))).isEqualTo(300_000);
        } finally {
            Mounts.detach(merged);
        }
    }

    @Test
    void aFilesystemThatCannotMapSaysWhatToDo() throws Exception {
        var bundle = stage.bundle(TestSpecs.withMounts(spec("true"),
                Mount.of("/volume", "bind", "/proc/sys", List.of("rbind", "rprivate", "idmap"))));
        var failure = catchThrowableOfType(StartFailure.class, () -> stage.start(bundle));
        assertThat(failure).hasMessageContaining("the filesystem there, proc, cannot show its files with other owners")
                .hasMessageContaining("--userns=host");
        stage.assertNothingIsLeft();
    }

    @Test
    void itsNetworkBelongsToIt() throws Exception {
        var spec = TestSpecs.withNamespaces(spec("sh", "-ec",
                "ip link set lo up; ip addr add 10.9.9.9/32 dev lo; ip -4 addr show lo | grep -o 10.9.9.9"),
                new Namespace(NamespaceType.NETWORK, users.network()));
        var p = spec.process();
        var names = new ArrayList<>(p.capabilities().bounding());
        names.add("CAP_NET_ADMIN");
        spec = spec.withProcess(new ProcessSpec(p.terminal(), p.consoleSize(), p.user(), p.args(),
                p.env(), p.cwd(), ProcessSpec.Capabilities.same(names), p.rlimits(),
                p.noNewPrivileges(), p.oomScoreAdj(), p.apparmorProfile()));
        var output = stage.run(stage.bundle(spec));
        assertThat(output.err()).isEmpty();
        assertThat(output.out()).isEqualTo("10.9.9.9\n");
    }

    @Test
    void namespacesOfAContainerCanBeHeldWhileItRunsAndNotAfterwards() throws Exception {
        var container = stage.start(stage.bundle(spec("sleep", "1000")));
        try (var held = container.namespaces()) {
            for (String type : List.of("user", "net")) {
                String path = type.equals("user") ? held.users() : held.network();
                assertThat(Files.readSymbolicLink(Path.of(path)))
                        .isEqualTo(Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/ns/" + type)));
            }
            RuntimeStage.end(container);
            assertThat(Files.readSymbolicLink(Path.of(held.users())).toString()).startsWith("user:[");
        }
        assertThat(catchThrowableOfType(EngineException.Conflict.class, container::namespaces))
                .hasMessageContaining("is not running");
    }

    @Test
    void severalRangesMapOneUserToItself() throws Exception {
        var ranges = List.of(new IdMapping(0, 300_000, 1000), new IdMapping(1000, 1000, 1), new IdMapping(1001, 301_000, 9000));
        var kept = new IdMaps(ranges, ranges);
        try (var own = stage.runtime.users(kept)) {
            var spec = TestSpecs.withUsers(TestSpecs.standard(stage.id(), "sh", "-ec",
                    "id -u; touch /data/x; stat -c %u /data/x /data/of-1000"), own.users(), kept);
            spec = TestSpecs.withSysctl(spec, Map.of());
            Path data = Files.createDirectory(stage.directory.resolve("kept"));
            Files.createFile(data.resolve("of-1000"));
            for (Path path : List.of(data, data.resolve("of-1000"))) {
                Files.setAttribute(path, "unix:uid", 1000);
            }
            var output = stage.run(stage.bundle(TestSpecs.withMounts(
                    spec, Mount.of("/data", "bind", data.toString(), List.of("rbind", "rprivate"))),
                    new UserRequest("1000:1000", List.of()), Stdio.CLOSED));
            assertThat(output.out()).isEqualTo("1000\n1000\n1000\n");
            assertThat(owner(data.resolve("x"))).isEqualTo(1000);
        }
    }

    @Test
    void mapsThatTheKernelWouldRefuseAreRefusedInWords() {
        var overlapping = List.of(new IdMapping(0, 1000, 10), new IdMapping(5, 2000, 10));
        assertThat(catchThrowableOfType(EngineException.Invalid.class,
                () -> stage.runtime.users(new IdMaps(overlapping, overlapping))))
                .hasMessage("ranges of user ids overlap: 5:2000:10 and 0:1000:10");
        var rootless = List.of(new IdMapping(1, 1000, 10));
        assertThat(catchThrowableOfType(EngineException.Invalid.class,
                () -> stage.runtime.users(new IdMaps(rootless, rootless))))
                .hasMessageContaining("one of them with the id 0 of the container");
    }

    @Test
    void everyStepThatIsItsOwnMayFail() throws Exception {
        var failpoints = Failpoints.parse("");
        var runtime = stage.open(failpoints);
        RuntimeStage.end(runtime.start(stage.bundle(spec("sleep", "1000")), List.of()));
        runtime.close();
        var points = failpoints.passed();
        assertThat(points).contains("prepare.user-namespace", "tape.become-root");
        for (String point : List.of("prepare.user-namespace", "prepare.root-mount", "prepare.mount-point:/dev",
                "tape.become-root", "tape.mount:/dev", "tape.devices", "tape.procfs", "tape.mount:/sys", "tape.stdio")) {
            var failing = stage.open(Failpoints.parse(point + "=1*EIO"));
            var bundle = stage.bundle(spec("sleep", "1000"));
            var before = RuntimeStage.descriptors();
            assertThat(catchThrowableOfType(StartFailure.class, () -> failing.start(bundle, List.of()))).as(point)
                    .isNotNull();
            RuntimeStage.awaitDescriptors("after " + point, before);
            stage.assertNothingIsLeft();
            RuntimeStage.end(failing.start(bundle, List.of()));
            failing.close();
        }
    }

    @Test
    void aFailedNamespaceLeavesNothing() throws Exception {
        try (var failing = stage.open(Failpoints.parse("users=1*EIO"))) {
            assertThat(catchThrowableOfType(EngineException.Unavailable.class, () -> failing.users(IDS)))
                    .hasMessageContaining("--userns=host");
            failing.users(IDS).close();
        }
        assertThat(Set.copyOf(stage.processesLeft())).isEmpty();
    }
}
