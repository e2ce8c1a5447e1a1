package carafe.runtime;

import carafe.runtime.HostFacts.CgroupLayout;
import carafe.runtime.HostFacts.Hierarchies;
import carafe.runtime.HostFacts.Limit;
import carafe.runtime.HostFacts.PathKind;
import carafe.runtime.HostFacts.Unified;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.oci.RuntimeSpec;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// One golden input: a configuration, the host it is for, and whose bind sources are files; `exec`: the process is
/// executed in such a container.
record GoldenCase(
        RuntimeSpec spec, UserRequest user, boolean stdin, boolean exec, Set<String> files, HostFacts host) {

    static final Map<String, PathKind> KERNEL_PATHS = new TreeMap<>(Map.ofEntries(
            Map.entry("/proc/acpi", PathKind.DIRECTORY), Map.entry("/proc/interrupts", PathKind.FILE),
            Map.entry("/proc/kcore", PathKind.FILE), Map.entry("/proc/keys", PathKind.FILE),
            Map.entry("/proc/timer_list", PathKind.FILE), Map.entry("/sys/firmware", PathKind.DIRECTORY),
            Map.entry("/proc/bus", PathKind.DIRECTORY), Map.entry("/proc/fs", PathKind.DIRECTORY),
            Map.entry("/proc/irq", PathKind.DIRECTORY), Map.entry("/proc/sys", PathKind.DIRECTORY),
            Map.entry("/proc/sysrq-trigger", PathKind.FILE)));

    /// A host with cgroup v2 that withholds nothing.
    static HostFacts unified() {
        return new HostFacts(new Unified(), KERNEL_PATHS, Map.of(), true, 0, (1L << 41) - 1);
    }

    /// A host with cgroup v1, without CAP_SYS_RESOURCE, with low limits.
    static HostFacts poor() {
        return new HostFacts(
                new Hierarchies(List.of("cpu,cpuacct", "memory", "pids", "systemd")), KERNEL_PATHS,
                Map.of(7, new Limit(1024, 4096)), false, 100, (1L << 41) - 1 & ~(1L << 24));
    }

    GoldenCase on(HostFacts other) {
        return new GoldenCase(spec, user, stdin, exec, files, other);
    }

    static GoldenCase of(RuntimeSpec spec) {
        return new GoldenCase(spec, UserRequest.NONE, false, false, Set.of(), unified());
    }

    Bundle bundle() {
        return new Bundle(
                "c0ffee", spec,
                new RootfsPlan.Overlay(
                        List.of(Path.of("/layers/b/fs"), Path.of("/layers/a/fs")), Path.of("/c0ffee/upper"),
                        Path.of("/c0ffee/work")),
                Path.of("/run/carafe/c0ffee"), Path.of("/var/lib/carafe/containers/c0ffee"), user,
                new Stdio(stdin, false), LogOptions.jsonFile(Path.of("/var/lib/carafe/containers/c0ffee/json.log")));
    }

    Json.Obj toJson() {
        var paths = Json.object();
        host.kernelPaths().entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(path -> paths.put(path.getKey(), path.getValue().name()));
        var limits = Json.object();
        host.limits().forEach((resource, limit) -> limits.put(
                resource.toString(), Json.ofAll(List.of(Json.of(limit.soft()), Json.of(limit.hard())))));
        var facts = Json.object();
        facts.put("cgroups", switch (host.cgroups()) {
            case Unified() -> Json.of("unified");
            case Hierarchies(var names) -> Json.ofTexts(names);
        });
        facts.put("kernelPaths", paths.build());
        facts.put("limits", limits.build());
        facts.put("mayRaise", host.mayRaise());
        facts.put("oomScore", host.oomScore());
        facts.put("capabilities", host.capabilities());
        return Json.object()
                .put("host", facts.build())
                .put("user", user.user())
                .put("groups", Json.ofTexts(user.extraGroups()))
                .put("stdin", stdin)
                .put("exec", exec)
                .put("files", Json.ofTexts(files.stream().sorted().toList()))
                .put("spec", spec.toJson())
                .build();
    }

    static GoldenCase fromJson(Json.Obj json) throws EngineException.Invalid {
        var facts = json.object("host");
        CgroupLayout layout = facts.find("cgroups").orElseThrow() instanceof Json.Str
                ? new Unified()
                : new Hierarchies(facts.texts("cgroups"));
        var paths = new HashMap<String, PathKind>();
        facts.textMap("kernelPaths").forEach((path, kind) -> paths.put(path, PathKind.valueOf(kind)));
        var limits = new HashMap<Integer, Limit>();
        for (var limit : facts.object("limits").fields().entrySet()) {
            if (limit.getValue() instanceof Json.Arr(var pair) && pair.get(0) instanceof Json.Num soft
                    && pair.get(1) instanceof Json.Num hard) {
                limits.put(Integer.valueOf(limit.getKey()),
                        new Limit(soft.number().longValueExact(), hard.number().longValueExact()));
            }
        }
        return new GoldenCase(
                RuntimeSpec.fromJson(json.object("spec")),
                new UserRequest(json.text("user"), json.texts("groups")),
                json.truth("stdin"),
                json.truth("exec"),
                new HashSet<>(json.texts("files")),
                new HostFacts(layout, paths, limits, facts.truth("mayRaise"), (int) facts.number("oomScore", 0),
                        facts.number("capabilities", 0)));
    }
}
