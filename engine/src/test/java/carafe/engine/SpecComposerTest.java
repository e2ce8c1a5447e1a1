package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.runtime.HeldMount;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.RuntimeSpec;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SpecComposerTest {
    private static final String ID = "0123456789abcdef".repeat(4);
    private static final ContainerDetails.Files FILES = new Layout(Path.of("/d"), Path.of("/r")).files(ID);

    private final SpecComposer composer = new SpecComposer(false, Path.of("/opt/docker-init"), new MountPlan(
            name -> "/volumes/" + name + "/_data", (container, place, image) -> List.of(Path.of("/" + image))));

    private static ContainerSnapshot container(String config, String host) throws EngineException {
        return new ContainerSnapshot(
                ID, "web", Instant.EPOCH, new ContainerSnapshot.Image("app", "sha256:0", "linux"), List.of("sleep", "1"),
                ContainerConfig.parse((Json.Obj) Json.parse(config)), HostConfig.parse((Json.Obj) Json.parse(host)),
                NetworkingConfig.NONE, new State.Created(Optional.empty()), ContainerSnapshot.Restarts.NONE);
    }

    private RuntimeSpec compose(String host) throws EngineException {
        return composer.compose(container("{\"Hostname\":\"h\"}", host), new SpecComposer.Places(FILES, ""), HostDevices.Granted.NONE);
    }

    private static List<String> targets(RuntimeSpec spec) {
        return spec.mounts().stream().map(RuntimeSpec.Mount::destination).toList();
    }

    @Test
    void theDefaultIsDockersIsolation() throws Exception {
        var spec = compose("{}");
        assertThat(spec.linux().namespaces()).extracting(namespace -> namespace.type()).containsExactlyInAnyOrder(
                NamespaceType.MOUNT, NamespaceType.PID, NamespaceType.IPC, NamespaceType.UTS, NamespaceType.NETWORK,
                NamespaceType.CGROUP);
        assertThat(spec.process().capabilities().bounding()).hasSize(14).contains("CAP_NET_RAW");
        assertThat(spec.process().capabilities().ambient()).isEmpty();
        assertThat(spec.linux().seccomp()).isPresent();
        assertThat(spec.linux().maskedPaths()).contains("/proc/kcore", "/sys/firmware");
        assertThat(spec.linux().readonlyPaths()).contains("/proc/sys");
        assertThat(spec.hostname()).isEqualTo("h");
        assertThat(spec.process().cwd()).isEqualTo("/");
        assertThat(spec.process().env()).startsWith(
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=h");
        assertThat(spec.process().oomScoreAdj()).contains(0L);
        assertThat(targets(spec)).containsSubsequence(
                "/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm", "/etc/resolv.conf",
                "/etc/hostname", "/etc/hosts");
        assertThat(spec.linux().resources().devices().getFirst().allow()).isFalse();
        assertThat(spec.linux().cgroupsPath()).isEqualTo(ID);
    }

    @Test
    void aPrivilegedContainerHasAllRights() throws Exception {
        var spec = compose("{\"Privileged\":true}");
        assertThat(spec.process().capabilities().effective()).contains("CAP_SYS_ADMIN", "CAP_BPF");
        assertThat(spec.linux().seccomp()).isEmpty();
        assertThat(spec.linux().maskedPaths()).isEmpty();
        assertThat(spec.linux().readonlyPaths()).isEmpty();
        assertThat(spec.linux().resources().devices()).singleElement()
                .satisfies(rule -> assertThat(rule.allow()).isTrue());
        assertThat(spec.mounts()).filteredOn(mount -> mount.destination().equals("/sys")).singleElement()
                .satisfies(mount -> assertThat(mount.options()).contains("rw").doesNotContain("ro"));
    }

    @Test
    void namespacesOfTheHostAreNotMade() throws Exception {
        var spec = compose("{\"NetworkMode\":\"host\",\"PidMode\":\"host\",\"IpcMode\":\"host\",\"UTSMode\":\"host\","
                + "\"CgroupnsMode\":\"host\"}");
        assertThat(spec.linux().namespaces()).extracting(namespace -> namespace.type())
                .containsExactly(NamespaceType.MOUNT);
        assertThat(spec.hostname()).isEmpty();
        assertThat(spec.linux().sysctl()).isEmpty();
        assertThat(spec.mounts()).filteredOn(mount -> mount.destination().equals("/dev/shm")).singleElement()
                .satisfies(mount -> assertThat(mount.isBind()).isTrue());
        assertThat(targets(compose("{\"IpcMode\":\"none\"}"))).doesNotContain("/dev/shm", "/dev/mqueue");
    }

    @Test
    void whatIsSharedOfAnotherContainerIsJoined() throws Exception {
        var container = container("{\"Hostname\":\"h\"}", "{\"PidMode\":\"container:x\",\"IpcMode\":\"container:x\"}");
        var spec = composer.compose(container, new SpecComposer.Places(FILES, "", "",
                new Sharings.Joined("/fd/1", "/fd/2", "/fd/3"), List.of("DB_PORT=1")), HostDevices.Granted.NONE);
        assertThat(spec.linux().namespace(NamespaceType.PID).orElseThrow().path()).isEqualTo("/fd/1");
        assertThat(spec.linux().namespace(NamespaceType.IPC).orElseThrow().path()).isEqualTo("/fd/2");
        assertThat(spec.mounts()).filteredOn(mount -> mount.destination().equals("/dev/shm")).singleElement()
                .satisfies(mount -> assertThat(mount.source()).isEqualTo("/fd/3"))
                .satisfies(mount -> assertThat(mount.options()).contains("nosuid", "nodev", "noexec", HeldMount.OPTION));
        assertThat(spec.process().env()).contains("DB_PORT=1");
    }

    @Test
    void initIsPutBeforeTheProgramUnlessTheProcessesAreTheHosts() throws Exception {
        var spec = compose("{\"Init\":true}");
        assertThat(spec.process().args()).containsExactly("/sbin/docker-init", "--", "sleep", "1");
        assertThat(spec.mounts().getLast()).isEqualTo(RuntimeSpec.Mount.of(
                "/sbin/docker-init", "bind", "/opt/docker-init", List.of("bind", "ro", "nosuid", "nodev")));
        for (var without : List.of(compose("{\"Init\":false}"), compose("{\"Init\":true,\"PidMode\":\"host\"}"))) {
            assertThat(without.process().args()).containsExactly("sleep", "1");
            assertThat(targets(without)).doesNotContain("/sbin/docker-init");
        }
    }

    @Test
    void limitsReachTheirPlace() throws Exception {
        var resources = compose("{\"Memory\":67108864,\"MemoryReservation\":33554432,\"NanoCpus\":500000000,"
                        + "\"PidsLimit\":7,\"CpusetCpus\":\"0-1\",\"CpuShares\":512,\"BlkioWeight\":300}")
                .linux().resources();
        assertThat(resources.memory().limit()).contains(67108864L);
        assertThat(resources.memory().swap()).contains(2 * 67108864L);
        assertThat(resources.memory().reservation()).contains(33554432L);
        assertThat(resources.cpu()).isEqualTo(new LinuxResources.Cpu(
                Optional.of(512L), Optional.of(50_000L), Optional.of(100_000L), Optional.empty(), Optional.empty(), "0-1",
                ""));
        assertThat(resources.pidsLimit()).contains(7L);
        assertThat(resources.blockIo().weight()).contains(300L);
        assertThat(compose("{\"Memory\":67108864,\"MemorySwap\":-1}").linux().resources().memory().swap()).contains(-1L);
        assertThat(compose("{\"PidsLimit\":-1}").linux().resources().pidsLimit()).isEmpty();
    }

    @Test
    void mountsOfTheUserReplaceStandardOnesAndParentsComeFirst() throws Exception {
        var spec = compose("{\"Binds\":[\"/x:/data/deep/er\",\"/y:/etc/hosts:ro\",\"/z:/data\"],"
                + "\"Tmpfs\":{\"/dev/shm\":\"size=1g,exec\"}}");
        assertThat(targets(spec)).doesNotHaveDuplicates().containsSubsequence("/data", "/data/deep/er");
        assertThat(spec.mounts()).filteredOn(mount -> mount.destination().equals("/etc/hosts")).singleElement()
                .satisfies(mount -> assertThat(mount.options()).containsExactly("rbind", "rro", "rprivate"));
        assertThat(spec.mounts()).filteredOn(mount -> mount.destination().equals("/dev/shm")).singleElement()
                .satisfies(mount -> assertThat(mount.options()).containsExactly("nosuid", "nodev", "size=1g", "exec"));
    }

    @Test
    void theEnginesFilesLieInWhateverIsMountedOnEtc() throws Exception {
        assertThat(targets(compose("{\"Binds\":[\"/x:/etc\",\"/y:/etc/deep/er\"]}"))).doesNotHaveDuplicates()
                .containsSubsequence("/etc", "/etc/deep/er", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts");
        assertThat(targets(compose("{\"Binds\":[\"/x:/etc\",\"/y:/etc/hosts\"]}"))).doesNotHaveDuplicates()
                .containsSubsequence("/etc", "/etc/hosts", "/etc/hostname");
    }

    @Test
    void aReadOnlyBindIsSoWithTheMountsBelowUnlessAskedOtherwise() throws Exception {
        assertThat(bindOptions("")).containsExactly("rbind", "rro", "rprivate");
        assertThat(bindOptions("\"ReadOnlyForceRecursive\":true")).containsExactly("rbind", "rro", "rprivate");
        assertThat(bindOptions("\"ReadOnlyNonRecursive\":true")).containsExactly("rbind", "ro", "rprivate");
        assertThat(bindOptions("\"NonRecursive\":true")).containsExactly("bind", "ro", "rprivate");
        assertThatThrownBy(() -> bindOptions("\"NonRecursive\":true,\"ReadOnlyForceRecursive\":true"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("ReadOnlyForceRecursive contradicts NonRecursive");
        assertThatThrownBy(() -> bindOptions("\"Propagation\":\"rslave\",\"ReadOnlyForceRecursive\":true"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("needs the propagation rprivate");
    }

    private List<String> bindOptions(String options) throws EngineException {
        return compose("{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/x\",\"Target\":\"/bound\",\"ReadOnly\":true,"
                        + "\"BindOptions\":{" + options + "}}]}")
                .mounts().stream().filter(mount -> mount.destination().equals("/bound")).findFirst().orElseThrow()
                .options();
    }

    @Test
    void theStrongestPropagationOfSeveralBindsIsTheRoots() throws Exception {
        assertThat(compose("{\"Binds\":[\"/a:/a:rslave\",\"/b:/b:rshared\",\"/c:/c\"]}").linux().rootfsPropagation())
                .isEqualTo("shared");
        assertThat(compose("{\"Binds\":[\"/a:/a\",\"/b:/b:rslave\"]}").linux().rootfsPropagation()).isEqualTo("rslave");
    }

    @Test
    void securityIsAsAsked() throws Exception {
        var spec = compose("{\"SecurityOpt\":[\"no-new-privileges\",\"seccomp=unconfined\",\"systempaths=unconfined\"],"
                + "\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"CHOWN\"],\"ReadonlyRootfs\":true,\"OomScoreAdj\":-5,"
                + "\"Sysctls\":{\"net.core.somaxconn\":\"9\"},\"CgroupParent\":\"mine\","
                + "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}]}");
        assertThat(spec.process().noNewPrivileges()).isTrue();
        assertThat(spec.linux().seccomp()).isEmpty();
        assertThat(spec.linux().maskedPaths()).isEmpty();
        assertThat(spec.process().capabilities().permitted()).containsExactly("CAP_CHOWN");
        assertThat(spec.root().readonly()).isTrue();
        assertThat(spec.process().oomScoreAdj()).contains(-5L);
        assertThat(spec.linux().sysctl()).containsEntry("net.core.somaxconn", "9");
        assertThat(spec.linux().cgroupsPath()).isEqualTo("/mine/" + ID);
        assertThat(spec.process().rlimits()).singleElement()
                .satisfies(limit -> assertThat(limit.type()).isEqualTo("RLIMIT_NOFILE"));
    }

    @Test
    void theEnvironmentIsCompletedReplacedAndRemovedByKey() throws Exception {
        var container = container("{\"Hostname\":\"h\",\"Env\":[\"PATH=/mine\",\"EMPTY=\",\"HOSTNAME\"]}", "{}");
        assertThat(SpecComposer.environment(container, true, List.of())).containsExactly("PATH=/mine", "TERM=xterm", "EMPTY=");
    }

    @Test
    void aHostDeviceIsFoundWithItsRule() throws Exception {
        var granted = HostDevices.find(HostConfig.parse((Json.Obj) Json.parse(
                "{\"Devices\":[{\"PathOnHost\":\"/dev/full\",\"PathInContainer\":\"/dev/mine\","
                        + "\"CgroupPermissions\":\"r\"}],\"DeviceCgroupRules\":[\"c 13:* rw\"]}")));
        assertThat(granted.nodes()).singleElement().satisfies(node -> {
            assertThat(node.path()).isEqualTo("/dev/mine");
            assertThat(Map.entry(node.major(), node.minor())).isEqualTo(Map.entry(1L, 7L));
        });
        assertThat(granted.rules()).containsExactly(
                new LinuxResources.DeviceRule(true, "c", Optional.of(1L), Optional.of(7L), "r"),
                new LinuxResources.DeviceRule(true, "c", Optional.of(13L), Optional.empty(), "rw"));
        assertThatThrownBy(() -> HostDevices.find(HostConfig.parse((Json.Obj) Json.parse(
                        "{\"Devices\":[{\"PathOnHost\":\"/dev/nosuch\"}]}"))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("/dev/nosuch");
    }
}
