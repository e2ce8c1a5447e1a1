package carafe.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What the machine is and can, read once from /proc, /sys and /etc.
final class HostFacts {
    private final Path root;
    private final Host.Machine machine;
    private final List<String> warnings;

    private HostFacts(Path root, boolean remapped) {
        this.root = root;
        var abilities = abilities();
        this.machine = new Host.Machine(
                text("proc/sys/kernel/hostname", "localhost"),
                text("proc/sys/kernel/osrelease", System.getProperty("os.version", "")),
                architecture(),
                release("PRETTY_NAME", "Linux"),
                release("VERSION_ID", ""),
                Runtime.getRuntime().availableProcessors(),
                memoryBytes(),
                unified() ? "2" : "1",
                abilities,
                securityOptions(remapped));
        this.warnings = warnings(abilities);
    }

    /// Reads the facts of the machine whose root directory is `root`.
    static HostFacts read(Path root) {
        return read(root, false);
    }

    /// The same; `remapped`: containers have other ids than the host unless they ask for its.
    static HostFacts read(Path root, boolean remapped) {
        return new HostFacts(root, remapped);
    }

    Host.Machine machine() {
        return machine;
    }

    List<String> warnings() {
        return warnings;
    }

    /// The kernel's id of this boot; changes with each.
    String bootId() {
        return text("proc/sys/kernel/random/boot_id", "unknown");
    }

    boolean appArmor() {
        return text("sys/module/apparmor/parameters/enabled", "N").equals("Y");
    }

    private boolean unified() {
        return Files.exists(root.resolve("sys/fs/cgroup/cgroup.controllers"));
    }

    private static String architecture() {
        String arch = System.getProperty("os.arch", "");
        return arch.equals("amd64") ? "x86_64" : arch;
    }

    private long memoryBytes() {
        for (var line : text("proc/meminfo", "").split("\n")) {
            if (line.startsWith("MemTotal:")) {
                String digits = line.replaceAll("[^0-9]", "");
                return digits.isEmpty() ? 0 : Long.parseLong(digits) * 1024;
            }
        }
        return 0;
    }

    private String release(String key, String otherwise) {
        for (var line : text("etc/os-release", text("usr/lib/os-release", "")).split("\n")) {
            if (line.startsWith(key + "=")) {
                return line.substring(key.length() + 1).replace("\"", "").strip();
            }
        }
        return otherwise;
    }

    /// The abilities `info` lists, by Docker's field names.
    private Map<String, Boolean> abilities() {
        var found = new HashMap<String, Boolean>();
        boolean unified = unified();
        String controllers = unified
                ? " " + text("sys/fs/cgroup/cgroup.controllers", "") + " "
                : text("proc/cgroups", "").replace('\t', ' ').replace('\n', ' ');
        found.put("MemoryLimit", has(controllers, "memory"));
        found.put("SwapLimit", has(controllers, "memory")
                && (unified || exists("sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")));
        found.put("CpuCfsPeriod", has(controllers, "cpu"));
        found.put("CpuCfsQuota", has(controllers, "cpu")
                && (unified || exists("sys/fs/cgroup/cpu/cpu.cfs_quota_us")));
        found.put("CPUShares", has(controllers, "cpu"));
        found.put("CPUSet", has(controllers, "cpuset"));
        found.put("PidsLimit", has(controllers, "pids"));
        found.put("OomKillDisable", !unified && exists("sys/fs/cgroup/memory/memory.oom_control"));
        found.put("IPv4Forwarding", text("proc/sys/net/ipv4/ip_forward", "0").equals("1"));
        return found;
    }

    private static boolean has(String controllers, String name) {
        return controllers.startsWith(name + " ") || controllers.contains(" " + name + " ");
    }

    private List<String> securityOptions(boolean remapped) {
        var options = new ArrayList<String>();
        if (appArmor()) {
            options.add("name=apparmor");
        }
        if (exists("proc/sys/kernel/seccomp/actions_avail")) {
            options.add("name=seccomp,profile=builtin");
        }
        if (unified()) {
            options.add("name=cgroupns");
        }
        if (remapped) {
            options.add("name=userns");
        }
        return options;
    }

    /// Whether the host's kernel enforces SELinux, or only logs what it would not allow.
    boolean seLinux() {
        return exists("sys/fs/selinux/enforce");
    }

    private static List<String> warnings(Map<String, Boolean> abilities) {
        var names = List.of(
                Map.entry("MemoryLimit", "memory limit"),
                Map.entry("SwapLimit", "swap limit"),
                Map.entry("CpuCfsQuota", "cpu cfs quota"),
                Map.entry("CPUShares", "cpu shares"),
                Map.entry("CPUSet", "cpuset"),
                Map.entry("PidsLimit", "pids limit"));
        var warnings = new ArrayList<String>();
        for (var name : names) {
            if (!abilities.getOrDefault(name.getKey(), false)) {
                warnings.add("WARNING: No " + name.getValue() + " support");
            }
        }
        if (!abilities.getOrDefault("IPv4Forwarding", true)) {
            warnings.add("WARNING: IPv4 forwarding is disabled");
        }
        return List.copyOf(warnings);
    }

    private boolean exists(String path) {
        return Files.exists(root.resolve(path));
    }

    private String text(String path, String otherwise) {
        try (var in = Files.newInputStream(root.resolve(path))) {
            return new String(in.readNBytes(1 << 16), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return otherwise; // a machine without it
        }
    }
}
