package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.Json;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.ProcessSpec.Rlimit;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// RuntimeSpec in, tape text out. `-Dgolden=write` writes the plans anew (and inputs of new cases); review the
/// difference as code.
class LaunchPlanGoldenTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final boolean WRITE = "write".equals(System.getProperty("golden"));

    private static Map<String, GoldenCase> cases() {
        var cases = new LinkedHashMap<String, GoldenCase>();
        var standard = TestSpecs.standard("c0ffee", "sh", "-c", "echo \"hi\"");
        cases.put("default", GoldenCase.of(standard));
        cases.put("default-cgroup-v1", GoldenCase.of(standard).on(GoldenCase.poor()));
        cases.put("terminal", GoldenCase.of(TestSpecs.withTerminal(standard, 24, 80)));
        cases.put("privileged", GoldenCase.of(TestSpecs.privileged("c0ffee", "/bin/sh")));
        cases.put("readonly", GoldenCase.of(TestSpecs.withReadonlyRoot(standard)));
        var hostNamespaces = TestSpecs.withNamespaces(
                standard, new Namespace(NamespaceType.NETWORK, "-"), new Namespace(NamespaceType.PID, "-"),
                new Namespace(NamespaceType.IPC, "-"), new Namespace(NamespaceType.UTS, "-"),
                new Namespace(NamespaceType.CGROUP, "-"));
        cases.put("host-namespaces", GoldenCase.of(TestSpecs.withHostname(hostNamespaces, "")));
        cases.put("joined-namespaces", GoldenCase.of(TestSpecs.withNamespaces(
                standard, new Namespace(NamespaceType.NETWORK, "/proc/42/ns/net"),
                new Namespace(NamespaceType.PID, "/proc/42/ns/pid"),
                new Namespace(NamespaceType.IPC, "/proc/42/ns/ipc"))));
        cases.put("limits", GoldenCase.of(TestSpecs.withLimits(
                        standard, new Rlimit("RLIMIT_NOFILE", 1024, 1048576), new Rlimit("RLIMIT_CORE", 0, -1)))
                .on(GoldenCase.poor()));
        cases.put("user", new GoldenCase(
                withUser(TestSpecs.withNoNewPrivileges(TestSpecs.withDirectory(standard, "/home/app"))),
                new UserRequest("1000:1000", List.of("audio")), true, false, Set.of(), GoldenCase.unified()));
        cases.put("binds", new GoldenCase(
                TestSpecs.withMounts(
                        standard,
                        Mount.of("/etc/hosts", "bind", "/c0ffee/hosts", List.of("rbind", "rprivate")),
                        Mount.of("/data", "bind", "/srv/data", List.of("rbind", "rslave", "ro", "nosuid")),
                        Mount.of("/data/inner", "bind", "/srv/inner", List.of("bind", "rro")),
                        Mount.of("/run", "tmpfs", "tmpfs", List.of("noexec", "size=1m", "mode=1777")),
                        Mount.of("/run/secrets/key", "bind", "/srv/key", List.of("bind", "ro")),
                        Mount.of("/disk", "ext4", "/dev/vdb", List.of("noatime"))),
                UserRequest.NONE, false, false, Set.of("/etc/hosts", "/run/secrets/key"), GoldenCase.unified()));
        var ids = IdMaps.range(100_000, 200_000, 65_536);
        cases.put("users", new GoldenCase(
                TestSpecs.withUsers(TestSpecs.withMounts(
                        standard, Mount.of("/data", "bind", "/volume", List.of("rbind", "rprivate", "idmap"))),
                        "/proc/self/fd/USER", ids),
                UserRequest.NONE, true, false, Set.of(), GoldenCase.unified()));
        cases.put("users-exec", new GoldenCase(
                TestSpecs.withUsers(TestSpecs.withTerminal(standard, 24, 80), "/proc/self/fd/USER", ids),
                UserRequest.NONE, true, true, Set.of(), GoldenCase.poor()));
        cases.put("exec", new GoldenCase(
                TestSpecs.withTerminal(standard, 24, 80), UserRequest.NONE, true, true, Set.of(), GoldenCase.poor()));
        return cases;
    }

    private static RuntimeSpec withUser(RuntimeSpec spec) {
        return spec.withProcess(spec.process().withUser(
                new ProcessSpec.User(1000, 1000, Optional.of(0077), List.of(1000L, 29L))));
    }

    private static List<String> plan(GoldenCase golden) throws Exception {
        var bundle = golden.bundle();
        var image = new ImageFacts(bundle.spec().process().user(), "/root", golden.files(), Map.of(), Map.of());
        var filter = bundle.spec().linux().seccomp().isPresent()
                ? new Filter(new byte[800], 0, Optional.empty())
                : Filter.NONE;
        if (golden.exec()) {
            return planExec(golden, bundle, filter);
        }
        var planned = TapePlanner.plan(bundle, golden.host(), image, filter);
        var preparations = Preparation.list(bundle, golden.host(), bundle.spec().linux().cgroupsPath());
        var plan = Explaining.plan(preparations, planned.tape(), planned.warnings());
        assertThat(plan.explanation().steps()).allSatisfy(step -> assertThat(step.why()).endsWith("."));
        var lines = new ArrayList<>(plan.text());
        planned.warnings().forEach(warning -> lines.add("warning  " + warning));
        return lines;
    }

    private static List<String> planExec(GoldenCase golden, Bundle bundle, Filter filter) throws Exception {
        var process = bundle.spec().process();
        var types = bundle.spec().linux().namespaces().stream().map(Namespace::type).collect(Collectors.toSet());
        var plan = ProcessPlan.of(
                process, golden.host(), new ProcessPlan.Found(process.user(), "/root", filter, golden.stdin()));
        var planned = TapePlanner.planExec(
                "e1", plan, types, bundle.spec().linux().ids(), golden.host());
        var spec = new ExecSpec("e1", bundle.runDir().resolve("e1"), process.args(), process.env(), "",
                golden.user(), process.terminal(), process.consoleSize(), false, bundle.stdio());
        return Explaining.plan(
                Preparation.listExec(spec, 4711, "/carafe/c0ffee"), planned.tape(), planned.warnings()).text();
    }

    @TestFactory
    Stream<DynamicTest> plansAreAsReviewed() throws Exception {
        if (WRITE) {
            for (var entry : cases().entrySet()) {
                Path input = GOLDEN.resolve(entry.getKey()).resolve("input.json");
                Files.createDirectories(input.getParent());
                Files.writeString(input, entry.getValue().toJson().printIndented("  ") + "\n");
            }
        }
        List<Path> directories;
        try (var list = Files.list(GOLDEN)) {
            directories = list.sorted().toList();
        }
        assertThat(directories).hasSameSizeAs(cases().keySet());
        return directories.stream().map(directory -> DynamicTest.dynamicTest(directory.getFileName().toString(), () -> {
            var input = GoldenCase.fromJson(Json.parseObject(Files.readAllBytes(directory.resolve("input.json"))));
            var lines = plan(input);
            Path file = directory.resolve("plan.txt");
            if (WRITE) {
                Files.write(file, lines);
            }
            assertThat(lines).containsExactlyElementsOf(Files.readAllLines(file));
        }));
    }

    @Test
    void inputsAreWhatTheCasesSay() throws Exception {
        for (var entry : cases().entrySet()) {
            var bytes = Files.readAllBytes(GOLDEN.resolve(entry.getKey()).resolve("input.json"));
            assertThat(GoldenCase.fromJson(Json.parseObject(bytes))).isEqualTo(entry.getValue());
        }
    }
}
