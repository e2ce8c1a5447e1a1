package carafe.engine;

import carafe.runtime.SeccompProfile;
import carafe.runtime.StandardContainer;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Capabilities;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.MountRequest;
import carafe.spec.docker.SecurityOptions;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.SeccompSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Turns what Docker's words say about a container into the OCI configuration that the runtime starts: namespaces,
/// rights, limits, mounts, environment. Pure but for the device nodes, which are handed in.
final class SpecComposer {
    private static final String PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// Where Docker's init is seen in a container.
    private static final String INIT = "/sbin/docker-init";

    private final boolean appArmor;
    private final Path init;
    private final MountPlan mounts;
    private final Map<List<String>, SeccompSpec> standardFilters = new ConcurrentHashMap<>();
    private final Json.Obj standardProfile = SeccompProfile.standard();

    /// `appArmor`: whether the host confines processes by AppArmor profiles; `init`: the host's file of the program that
    /// `--init` makes the first of a container; `mounts` knows where volumes lie.
    SpecComposer(boolean appArmor, Path init, MountPlan mounts) {
        this.appArmor = appArmor;
        this.init = init;
        this.mounts = mounts;
    }

    /// The configuration of `container`, whose own files are `files`; `devices` are the host's nodes it asked for.
    RuntimeSpec compose(ContainerSnapshot container, Places places, HostDevices.Granted devices)
            throws EngineException {
        var host = container.host();
        var names = container.config().names();
        boolean ownNames = !host.namespaces().uts().equals("host");
        return new RuntimeSpec(
                RuntimeSpec.VERSION,
                process(container, places.linked),
                new RuntimeSpec.Root("", host.files().readonlyRoot()),
                ownNames ? names.host() : "",
                ownNames ? names.domain() : "",
                mounts(container, places),
                RuntimeSpec.Hooks.NONE,
                host.annotations(),
                linux(container, devices, places));
    }

    /// Whether an init is put before the program; where the host's processes are seen, the host has one.
    private static boolean wantsInit(HostConfig host) {
        String pid = host.namespaces().pid();
        return host.init().orElse(false) && !pid.equals("host") && !pid.startsWith("container:");
    }

    private List<RuntimeSpec.Mount> mounts(ContainerSnapshot container, Places places) throws EngineException {
        var planned = mounts.mounts(container, places.files, places.joined.memory());
        if (!wantsInit(container.host())) {
            return planned;
        }
        var more = new ArrayList<>(planned);
        more.add(RuntimeSpec.Mount.of(INIT, "bind", init.toString(), List.of("bind", "ro", "nosuid", "nodev")));
        return more;
    }

    private static List<String> arguments(ContainerSnapshot container) {
        if (!wantsInit(container.host())) {
            return container.command();
        }
        var words = new ArrayList<>(List.of(INIT, "--"));
        words.addAll(container.command());
        return words;
    }

    /// Where the container's own files are, the network namespace it joins (empty: a new one), the user namespace
    /// that was made for it (empty: it has the host's), what else it shares of others, and the variables of its
    /// environment that tell of those it is linked to.
    record Places(ContainerDetails.Files files, String network, String users, Sharings.Joined joined,
            List<String> linked) {

        /// With the host's users, sharing nothing.
        Places(ContainerDetails.Files files, String network) {
            this(files, network, "", Sharings.Joined.NONE, List.of());
        }
    }

    /// The capabilities of a container with these rights.
    static List<String> capabilities(HostConfig.Rights rights) {
        return rights.privileged() ? Capabilities.ALL : Capabilities.effective(rights.capAdd(), rights.capDrop());
    }

    /// The environment of a process of `container`: what every process has, then what was configured.
    /// `linked` tells of those it is linked to.
    static List<String> environment(ContainerSnapshot container, boolean terminal, List<String> linked) {
        var environment = new LinkedHashMap<String, String>();
        put(environment, PATH);
        put(environment, "HOSTNAME=" + container.config().names().host());
        if (terminal) {
            put(environment, "TERM=xterm");
        }
        linked.forEach(entry -> put(environment, entry));
        container.config().command().environment().forEach(entry -> put(environment, entry));
        return List.copyOf(environment.values());
    }

    /// Sets `entry` (`key=value`); a key without `=` removes it, as Docker does.
    static void put(Map<String, String> environment, String entry) {
        int equals = entry.indexOf('=');
        if (equals < 0) {
            environment.remove(entry);
        } else {
            environment.put(entry.substring(0, equals), entry);
        }
    }

    private ProcessSpec process(ContainerSnapshot container, List<String> linked) throws EngineException.Invalid {
        var config = container.config();
        var host = container.host();
        boolean terminal = config.streams().terminal();
        var rlimits = new ArrayList<ProcessSpec.Rlimit>();
        for (var limit : host.resources().ulimits()) {
            rlimits.add(new ProcessSpec.Rlimit(
                    "RLIMIT_" + limit.name().toUpperCase(Locale.ROOT), limit.soft(), limit.hard()));
        }
        String workingDirectory = config.command().workingDirectory();
        return new ProcessSpec(
                terminal,
                terminal ? consoleSize(host) : Optional.empty(),
                ProcessSpec.User.ROOT,
                arguments(container),
                environment(container, terminal, linked),
                workingDirectory.isEmpty() ? "/" : workingDirectory,
                ProcessSpec.Capabilities.same(capabilities(host.rights())),
                rlimits,
                host.rights().security().noNewPrivileges(),
                Optional.of((long) host.rights().oomScoreAdjust().orElse(0)),
                appArmorProfile(host.rights()));
    }

    private static Optional<ProcessSpec.ConsoleSize> consoleSize(HostConfig host) throws EngineException.Invalid {
        var size = host.document().list("ConsoleSize");
        if (size.size() == 2
                && size.get(0) instanceof Json.Num rows
                && size.get(1) instanceof Json.Num columns
                && rows.number().signum() > 0
                && columns.number().signum() > 0) {
            return Optional.of(new ProcessSpec.ConsoleSize(
                    Math.min(rows.number().intValue(), 65535), Math.min(columns.number().intValue(), 65535)));
        }
        return Optional.empty();
    }

    private String appArmorProfile(HostConfig.Rights rights) {
        String wanted = rights.security().appArmor().orElse("");
        return !appArmor || wanted.equals("unconfined") ? "" : wanted;
    }

    private LinuxSpec linux(ContainerSnapshot container, HostDevices.Granted devices, Places places)
            throws EngineException {
        var host = container.host();
        var rights = host.rights();
        var ids = host.namespaces().ids();
        boolean hidden = !rights.privileged() && !rights.security().unmaskedPaths();
        var sysctls = new LinkedHashMap<String, String>();
        if (!host.namespaces().network().equals("host") && !host.namespaces().network().startsWith("container:")) {
            sysctls.putAll(StandardContainer.NETWORK_SYSCTLS);
            if (!ids.none()) { // groups that the container does not have can have no range
                sysctls.put("net.ipv4.ping_group_range", "0 " + lastGroup(ids));
            }
        }
        sysctls.putAll(host.sysctls());
        return new LinuxSpec(
                namespaces(host.namespaces(), places),
                ids.uids(),
                ids.gids(),
                devices.nodes(),
                cgroup(container),
                resources(host, devices),
                seccomp(rights),
                hidden ? rights.maskedPaths() : List.of(),
                hidden ? rights.readonlyPaths() : List.of(),
                sysctls,
                propagation(host),
                "");
    }

    /// A bind mount that shares with its source needs a root that receives; of several the strongest decides.
    private static String propagation(HostConfig host) {
        String root = "";
        for (var mount : host.files().mounts()) {
            if (mount instanceof MountRequest.Bind bind) {
                if (bind.propagation().endsWith("shared")) {
                    return "shared";
                }
                if (bind.propagation().endsWith("slave")) {
                    root = "rslave";
                }
            }
        }
        return root;
    }

    /// Below the runtime's own home, unless the user names a parent.
    /// Where its control group is wanted: an absolute path, or one below the runtime's own.
    static String cgroup(ContainerSnapshot container) {
        String parent = container.host().resources().cgroupParent();
        if (parent.isEmpty()) {
            return container.id();
        }
        return (parent.startsWith("/") ? parent : "/" + parent) + "/" + container.id();
    }

    /// The last of the groups that lie beside each other on the host.
    private static long lastGroup(IdMaps ids) {
        return ids.gids().stream().filter(range -> range.containerId() == 0).mapToLong(range -> range.size() - 1).findFirst()
                .orElse(0);
    }

    private static List<Namespace> namespaces(HostConfig.Namespaces modes, Places places) {
        var namespaces = new ArrayList<Namespace>();
        namespaces.add(Namespace.of(NamespaceType.MOUNT));
        if (!modes.ids().none()) {
            namespaces.add(new Namespace(NamespaceType.USER, places.users));
        }
        add(namespaces, NamespaceType.PID, modes.pid(), places.joined.processes());
        add(namespaces, NamespaceType.IPC, modes.ipc(), places.joined.ipc());
        add(namespaces, NamespaceType.UTS, modes.uts(), "");
        add(namespaces, NamespaceType.NETWORK, modes.network(), places.network);
        add(namespaces, NamespaceType.CGROUP, modes.cgroup(), "");
        return namespaces;
    }

    /// The one at `path`, else one of the container's own unless it has the host's.
    private static void add(List<Namespace> namespaces, NamespaceType type, String mode, String path) {
        if (!path.isEmpty()) {
            namespaces.add(new Namespace(type, path));
        } else if (Sharings.other(mode).isPresent()) {
            throw new AssertionError("what is shared (" + mode + ") is found before the container is composed");
        } else if (!mode.equals("host")) {
            namespaces.add(Namespace.of(type));
        }
    }

    private Optional<SeccompSpec> seccomp(HostConfig.Rights rights) throws EngineException.Invalid {
        var capabilities = capabilities(rights);
        if (rights.security().seccomp().isEmpty()) {
            if (rights.privileged()) {
                return Optional.empty();
            }
            var known = standardFilters.get(capabilities);
            if (known == null) {
                known = SeccompProfile.resolve(standardProfile, capabilities);
                if (standardFilters.size() < 64) {
                    standardFilters.put(capabilities, known);
                }
            }
            return Optional.of(known);
        }
        return switch (rights.security().seccomp().get()) {
            case SecurityOptions.Seccomp.Unconfined() -> Optional.empty();
            case SecurityOptions.Seccomp.Profile(var profile) ->
                Optional.of(SeccompProfile.resolve(profile, capabilities));
        };
    }

    /// The limits of `host` in OCI's words.
    static LinuxResources resources(HostConfig host, HostDevices.Granted devices) {
        var asked = host.resources();
        var memory = asked.memory();
        Optional<Long> swap = memory.swapBytes() != 0
                ? Optional.of(memory.swapBytes())
                : memory.limitBytes() > 0 ? Optional.of(2 * memory.limitBytes()) : Optional.empty();
        var cpu = asked.cpu();
        var io = asked.blockIo();
        var rules = new ArrayList<LinuxResources.DeviceRule>();
        if (host.rights().privileged()) {
            rules.addAll(StandardContainer.allDevices());
        } else {
            rules.addAll(StandardContainer.deviceRules());
            rules.addAll(devices.rules());
        }
        return new LinuxResources(
                rules,
                new LinuxResources.Memory(
                        positive(memory.limitBytes()),
                        positive(memory.reservationBytes()),
                        swap,
                        memory.swappiness(),
                        memory.disableOomKiller()),
                new LinuxResources.Cpu(
                        positive(cpu.shares()),
                        cpu.quotaMicros() == 0 ? Optional.empty() : Optional.of(cpu.quotaMicros()),
                        positive(cpu.periodMicros()),
                        Optional.empty(),
                        Optional.empty(),
                        cpu.cpus(),
                        cpu.memoryNodes()),
                asked.pids(),
                new LinuxResources.BlockIo(
                        positive(io.weight()),
                        List.of(),
                        devices.rates(io.readBytes()),
                        devices.rates(io.writeBytes()),
                        devices.rates(io.readOps()),
                        devices.rates(io.writeOps())),
                List.of(),
                Map.of());
    }

    private static Optional<Long> positive(long value) {
        return value > 0 ? Optional.of(value) : Optional.empty();
    }
}
