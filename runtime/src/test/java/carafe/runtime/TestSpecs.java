package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.ProcessSpec.Capabilities;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.Mount;
import carafe.spec.oci.SeccompSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Configurations as the engine writes them, for tests.
final class TestSpecs {

    static final String PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private TestSpecs() {}

    /// A default Docker container without a network, running `args` as root.
    static RuntimeSpec standard(String id, String... args) {
        return with(id, Optional.of(StandardContainer.CAPABILITIES), args);
    }

    /// A container with every capability, no filter, nothing hidden.
    static RuntimeSpec privileged(String id, String... args) {
        var spec = with(id, Optional.empty(), args);
        var mounts = spec.mounts().stream()
                .map(mount -> Mount.of(mount.destination(), mount.type(), mount.source(),
                        mount.options().stream().filter(option -> !option.equals("ro")).toList()))
                .toList();
        return spec.withMounts(mounts);
    }

    private static RuntimeSpec with(String id, Optional<List<String>> capabilities, String... args) {
        boolean privileged = capabilities.isEmpty();
        var names = capabilities.orElse(StandardContainer.allCapabilities());
        var process = new ProcessSpec(
                false, Optional.empty(), ProcessSpec.User.ROOT, List.of(args), List.of(PATH, "HOSTNAME=" + id), "/",
                Capabilities.same(names), List.of(), false, Optional.of(0L), "");
        var namespaces = new ArrayList<Namespace>();
        for (var type : List.of(NamespaceType.MOUNT, NamespaceType.NETWORK, NamespaceType.UTS, NamespaceType.PID,
                NamespaceType.IPC, NamespaceType.CGROUP)) {
            namespaces.add(Namespace.of(type));
        }
        var linux = new LinuxSpec(
                namespaces, List.of(), List.of(), List.of(), "/carafe-test/" + id,
                LinuxResources.NONE.withDevices(
                        privileged ? StandardContainer.allDevices() : StandardContainer.deviceRules()),
                privileged ? Optional.empty() : Optional.of(FILTER),
                privileged ? List.of() : StandardContainer.MASKED_PATHS,
                privileged ? List.of() : StandardContainer.READONLY_PATHS,
                new TreeMap<>(StandardContainer.NETWORK_SYSCTLS), "", "");
        return new RuntimeSpec(
                RuntimeSpec.VERSION, process, new RuntimeSpec.Root("", false), id, "",
                StandardContainer.mounts(StandardContainer.SHM_BYTES), RuntimeSpec.Hooks.NONE, Map.of(), linux);
    }

    private static final SeccompSpec FILTER = filter(StandardContainer.CAPABILITIES);

    private static SeccompSpec filter(List<String> capabilities) {
        try {
            return SeccompProfile.resolve(SeccompProfile.standard(), Set.copyOf(capabilities));
        } catch (EngineException e) {
            throw new AssertionError(e);
        }
    }

    static RuntimeSpec withTerminal(RuntimeSpec spec, int rows, int columns) {
        var p = spec.process();
        return spec.withProcess(new ProcessSpec(
                true, Optional.of(new ProcessSpec.ConsoleSize(rows, columns)), p.user(), p.args(), p.env(), p.cwd(),
                p.capabilities(), p.rlimits(), p.noNewPrivileges(), p.oomScoreAdj(), p.apparmorProfile()));
    }

    static RuntimeSpec withDirectory(RuntimeSpec spec, String cwd) {
        var p = spec.process();
        return spec.withProcess(new ProcessSpec(
                p.terminal(), p.consoleSize(), p.user(), p.args(), p.env(), cwd, p.capabilities(), p.rlimits(),
                p.noNewPrivileges(), p.oomScoreAdj(), p.apparmorProfile()));
    }

    static RuntimeSpec withLimits(RuntimeSpec spec, ProcessSpec.Rlimit... limits) {
        var p = spec.process();
        return spec.withProcess(new ProcessSpec(
                p.terminal(), p.consoleSize(), p.user(), p.args(), p.env(), p.cwd(), p.capabilities(),
                List.of(limits), p.noNewPrivileges(), p.oomScoreAdj(), p.apparmorProfile()));
    }

    static RuntimeSpec withNoNewPrivileges(RuntimeSpec spec) {
        var p = spec.process();
        return spec.withProcess(new ProcessSpec(
                p.terminal(), p.consoleSize(), p.user(), p.args(), p.env(), p.cwd(), p.capabilities(), p.rlimits(),
                true, p.oomScoreAdj(), p.apparmorProfile()));
    }

    static RuntimeSpec withMounts(RuntimeSpec spec, Mount... more) {
        var mounts = new ArrayList<>(spec.mounts());
        mounts.addAll(List.of(more));
        return spec.withMounts(mounts);
    }

    static RuntimeSpec withReadonlyRoot(RuntimeSpec s) {
        return new RuntimeSpec(s.ociVersion(), s.process(), new RuntimeSpec.Root("", true), s.hostname(),
                s.domainname(), s.mounts(), s.hooks(), s.annotations(), s.linux());
    }

    static RuntimeSpec withHostname(RuntimeSpec s, String hostname) {
        return new RuntimeSpec(s.ociVersion(), s.process(), s.root(), hostname, s.domainname(), s.mounts(), s.hooks(),
                s.annotations(), s.linux());
    }

    /// Replaces the namespaces of the types given; one whose path is `-` is left out, so the host's is used.
    static RuntimeSpec withNamespaces(RuntimeSpec spec, Namespace... changed) {
        var l = spec.linux();
        var namespaces = new ArrayList<Namespace>();
        for (var namespace : l.namespaces()) {
            var change = List.of(changed).stream().filter(c -> c.type() == namespace.type()).findFirst();
            if (change.isEmpty()) {
                namespaces.add(namespace);
            } else if (!change.get().path().equals("-")) {
                namespaces.add(change.get());
            }
        }
        boolean network = namespaces.stream().anyMatch(n -> n.type() == NamespaceType.NETWORK);
        return spec.withLinux(new LinuxSpec(
                namespaces, l.uidMappings(), l.gidMappings(), l.devices(), l.cgroupsPath(), l.resources(),
                l.seccomp(), l.maskedPaths(), l.readonlyPaths(), network ? l.sysctl() : Map.of(),
                l.rootfsPropagation(), l.mountLabel()));
    }

    /// With a user namespace of its own that is at `path` and has these ids.
    static RuntimeSpec withUsers(RuntimeSpec spec, String path, IdMaps ids) {
        var l = spec.linux();
        var namespaces = new ArrayList<>(l.namespaces());
        namespaces.add(1, new Namespace(NamespaceType.USER, path));
        var sysctl = new TreeMap<>(l.sysctl());
        sysctl.put("net.ipv4.ping_group_range", "0 65535");
        return spec.withLinux(new LinuxSpec(
                namespaces, ids.uids(), ids.gids(), l.devices(), l.cgroupsPath(), l.resources(), l.seccomp(),
                l.maskedPaths(), l.readonlyPaths(), sysctl, l.rootfsPropagation(), l.mountLabel()));
    }

    static RuntimeSpec withSysctl(RuntimeSpec spec, Map<String, String> sysctl) {
        var l = spec.linux();
        return spec.withLinux(new LinuxSpec(
                l.namespaces(), l.uidMappings(), l.gidMappings(), l.devices(), l.cgroupsPath(), l.resources(),
                l.seccomp(), l.maskedPaths(), l.readonlyPaths(), sysctl, l.rootfsPropagation(), l.mountLabel()));
    }

    static RuntimeSpec withResources(RuntimeSpec spec, LinuxResources resources) {
        return spec.withLinux(spec.linux().withResources(resources.withDevices(spec.linux().resources().devices())));
    }

    static LinuxResources memory(long bytes) {
        return new LinuxResources(
                List.of(),
                new LinuxResources.Memory(Optional.of(bytes), Optional.empty(), Optional.of(bytes), Optional.empty(),
                        false),
                LinuxResources.Cpu.NONE, Optional.empty(), LinuxResources.BlockIo.NONE, List.of(), Map.of());
    }

    static LinuxResources pids(long limit) {
        return new LinuxResources(List.of(), LinuxResources.Memory.NONE, LinuxResources.Cpu.NONE, Optional.of(limit),
                LinuxResources.BlockIo.NONE, List.of(), Map.of());
    }

    static LinuxResources cpu(long quotaMicros, long periodMicros) {
        return new LinuxResources(List.of(), LinuxResources.Memory.NONE,
                new LinuxResources.Cpu(Optional.empty(), Optional.of(quotaMicros), Optional.of(periodMicros),
                        Optional.empty(), Optional.empty(), "", ""),
                Optional.empty(), LinuxResources.BlockIo.NONE, List.of(), Map.of());
    }
}
