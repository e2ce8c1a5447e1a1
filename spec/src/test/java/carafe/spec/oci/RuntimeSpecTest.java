package carafe.spec.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RuntimeSpecTest {

    private static final String FULL = """
            {"ociVersion":"1.2.1","process":{"terminal":true,"consoleSize":{"height":25,"width":80},
            "user":{"uid":1,"gid":2,"umask":63,"additionalGids":[5,6]},"args":["sh"],"env":["A=b"],"cwd":"/root",
            "capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]},
            "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}],
            "noNewPrivileges":true,"oomScoreAdj":100,"apparmorProfile":"acme"},
            "root":{"path":"rootfs","readonly":true},"hostname":"slartibartfast","domainname":"foobarbaz.test",
            "mounts":[{"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","size=65536k"]},
            {"destination":"/data","type":"none","source":"/volumes/testing","options":["rbind","idmap"],
            "uidMappings":[{"containerID":0,"hostID":1000,"size":32000}]}],
            "hooks":{"poststop":[{"path":"/usr/sbin/cleanup","args":["cleanup","-f"],"timeout":5}]},
            "annotations":{"com.example.key1":"value1"},
            "linux":{"sysctl":{"net.ipv4.ip_forward":"1"},"resources":{"devices":[{"allow":false,"type":"a",
            "access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],
            "memory":{"limit":536870912,"swap":-1,"disableOOMKiller":true},"cpu":{"shares":1024,"quota":1000000,
            "period":500000,"cpus":"2-3"},"pids":{"limit":0},"blockIO":{"weight":10,"throttleReadBpsDevice":
            [{"major":8,"minor":0,"rate":600}]},"hugepageLimits":[{"pageSize":"2MB","limit":9223372036854772000}],
            "unified":{"io.max":"8:0 rbps=1"}},"cgroupsPath":"/myRuntime/myContainer",
            "namespaces":[{"type":"pid"},{"type":"network","path":"/proc/7/ns/net"}],
            "devices":[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":438,"uid":0,"gid":0}],
            "seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":
            ["getcwd"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[{"index":0,"value":1,"valueTwo":2,
            "op":"SCMP_CMP_EQ"}]}]},"rootfsPropagation":"slave","maskedPaths":["/proc/kcore"],
            "readonlyPaths":["/proc/sys"],"mountLabel":"label"}}
            """;

    @Test
    void documentSurvivesReadingAndWriting() throws Exception {
        var spec = RuntimeSpec.fromJson(Json.parseObject(FULL.getBytes(StandardCharsets.UTF_8)));
        assertThat(RuntimeSpec.fromJson(Json.parseObject(spec.toJson().printBytes()))).isEqualTo(spec);
        assertThat(spec.process().rlimits().getFirst().hard()).isEqualTo(-1);
        assertThat(spec.toJson().print()).contains("\"hard\":18446744073709551615");
        assertThat(spec.linux().resources().pidsLimit()).contains(0L);
        assertThat(spec.linux().resources().memory().reservation()).isEmpty();
        assertThat(spec.linux().namespace(NamespaceType.NETWORK).orElseThrow().path()).isEqualTo("/proc/7/ns/net");
        assertThat(spec.linux().namespace(NamespaceType.USER)).isEmpty();
        assertThat(spec.mounts().get(1).isBind()).isTrue();
    }

    @Test
    void emptyDocumentIsAllDefaults() throws Exception {
        var spec = RuntimeSpec.fromJson(Json.parseObject("{}".getBytes(StandardCharsets.UTF_8)));
        assertThat(spec.process().cwd()).isEqualTo("/");
        assertThat(spec.process().user()).isEqualTo(ProcessSpec.User.ROOT);
        assertThat(spec.linux().resources()).isEqualTo(LinuxResources.NONE);
        assertThat(spec.hooks().isEmpty()).isTrue();
        assertThat(spec.withMounts(List.of(Mount.of("/x", "tmpfs", "", List.of()))).mounts()).hasSize(1);
    }

    @Test
    void idsThatOverflowAreRefused() { // CVE-2024-40635
        for (String id : List.of("-1", "4294967295", "4294967296", "18446744073709551616", "1.5", "\"0\"")) {
            String text = "{\"process\":{\"user\":{\"uid\":" + id + "}}}";
            assertThatThrownBy(() -> RuntimeSpec.fromJson(Json.parseObject(text.getBytes(StandardCharsets.UTF_8))))
                    .as(id).isInstanceOf(EngineException.Invalid.class);
        }
    }

    @Test
    void namespacesMustBeKnownAndOnce() {
        for (String list : List.of("[{\"type\":\"pid\"},{\"type\":\"pid\"}]", "[{\"type\":\"magic\"}]")) {
            String text = "{\"linux\":{\"namespaces\":" + list + "}}";
            assertThatThrownBy(() -> RuntimeSpec.fromJson(Json.parseObject(text.getBytes(StandardCharsets.UTF_8))))
                    .isInstanceOf(EngineException.Invalid.class);
        }
    }

    @Test
    void damagedDocumentsAreReadOrRefusedButNeverWorse() throws Exception {
        long seed = Long.getLong("seed", 7);
        var random = new Random(seed);
        byte[] original = FULL.getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 4000; round++) {
            byte[] damaged = original.clone();
            for (int i = random.nextInt(6); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) "{}[]\",:0-9anull\n".charAt(random.nextInt(16));
            }
            try {
                var spec = RuntimeSpec.fromJson(Json.parseObject(damaged));
                assertThat(RuntimeSpec.fromJson(spec.toJson())).as("seed " + seed).isEqualTo(spec);
            } catch (EngineException.Invalid e) {
                assertThat(e).hasMessageMatching("(?s).+");
            }
        }
    }

    @Test
    void rootsSurviveReadingAndWriting() throws Exception {
        RootfsPlan overlay = new RootfsPlan.Overlay(List.of(Path.of("/b"), Path.of("/a")), Path.of("/u"), Path.of("/w"));
        assertThat(RootfsPlan.fromJson(overlay.toJson())).isEqualTo(overlay);
        RootfsPlan directory = new RootfsPlan.Directory(Path.of("/r"));
        assertThat(RootfsPlan.fromJson(directory.toJson())).isEqualTo(directory);
        assertThatThrownBy(() -> RootfsPlan.fromJson(Json.object().build())).isInstanceOf(EngineException.class);
    }
}
