package carafe.runtime;

import carafe.kernel.Capabilities;
import carafe.spec.oci.LinuxResources.DeviceRule;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a container has when its user asks for nothing special, as Docker's daemon fills it in. Pure data; the engine
/// builds its [carafe.spec.oci.RuntimeSpec] from it. `/dev/null` and its neighbours, the symbolic links in /dev and
/// `/dev/console` need not be listed: the runtime always makes them.
public final class StandardContainer {

    /// The 14 capabilities that root in a container keeps.
    public static final List<String> CAPABILITIES = List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FSETID",
            "CAP_FOWNER",
            "CAP_MKNOD",
            "CAP_NET_RAW",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETFCAP",
            "CAP_SETPCAP",
            "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT",
            "CAP_KILL",
            "CAP_AUDIT_WRITE");

    /// What is hidden, because it tells about the host or reaches its firmware.
    public static final List<String> MASKED_PATHS = List.of(
            "/proc/acpi",
            "/proc/asound",
            "/proc/interrupts",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/sys/devices/virtual/powercap",
            "/sys/firmware");

    /// What can be read but not written, because it steers the host's kernel.
    public static final List<String> READONLY_PATHS =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    /// The settings of a network namespace of its own: low ports and ping without privileges.
    public static final Map<String, String> NETWORK_SYSCTLS = Map.of(
            "net.ipv4.ip_unprivileged_port_start", "0", "net.ipv4.ping_group_range", "0 2147483647");

    /// Docker's size of /dev/shm.
    public static final long SHM_BYTES = 64 << 20;

    private StandardContainer() {}

    /// The names of all capabilities that this kernel knows, as a privileged container asks for them.
    public static List<String> allCapabilities() {
        return Capabilities.all();
    }

    /// The full name of a capability (`net_admin` is `CAP_NET_ADMIN`); empty if there is none of that name.
    public static Optional<String> capability(String name) {
        return Capabilities.number(name).flatMap(Capabilities::name);
    }

    /// The filesystems every container gets, in the order they are mounted; `/dev/shm` with `shmBytes`.
    /// With a shared or no ipc namespace the caller drops or replaces `/dev/shm` and `/dev/mqueue`.
    public static List<Mount> mounts(long shmBytes) {
        return List.of(
                Mount.of("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev")),
                Mount.of("/dev", "tmpfs", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
                Mount.of("/dev/pts", "devpts", "devpts",
                        List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
                Mount.of("/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", "ro")),
                Mount.of("/sys/fs/cgroup", "cgroup", "cgroup", List.of("ro", "nosuid", "noexec", "nodev")),
                Mount.of("/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev")),
                Mount.of("/dev/shm", "tmpfs", "shm",
                        List.of("nosuid", "noexec", "nodev", "mode=1777", "size=" + shmBytes)));
    }

    /// The device allow-list: nothing but making nodes, the harmless memory devices and terminals.
    public static List<DeviceRule> deviceRules() {
        var rules = new ArrayList<DeviceRule>();
        rules.add(new DeviceRule(false, "a", Optional.empty(), Optional.empty(), "rwm"));
        rules.add(new DeviceRule(true, "c", Optional.empty(), Optional.empty(), "m"));
        rules.add(new DeviceRule(true, "b", Optional.empty(), Optional.empty(), "m"));
        long[][] allowed = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}};
        for (long[] device : allowed) {
            rules.add(new DeviceRule(true, "c", Optional.of(device[0]), Optional.of(device[1]), "rwm"));
        }
        rules.add(new DeviceRule(true, "c", Optional.of(136L), Optional.empty(), "rwm"));
        return List.copyOf(rules);
    }

    /// The single rule of a privileged container: every device.
    public static List<DeviceRule> allDevices() {
        return List.of(new DeviceRule(true, "a", Optional.empty(), Optional.empty(), "rwm"));
    }
}
