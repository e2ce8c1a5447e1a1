package carafe.files;

import carafe.kernel.Linux;
import carafe.spec.EngineException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The options of Docker's `local` driver, checked: a filesystem of `type` on `device` with mount options `o`, mounted
/// while the volume is used; `sizeBytes` limits what it may hold (0: not limited). All empty is a plain directory.
/// Source: dockerd's volume create, "Driver-specific options"; mount(8).
public record DriverOptions(String type, String device, String options, long sizeBytes) {

    /// A plain directory.
    public static final DriverOptions NONE = new DriverOptions("", "", "", 0);

    private static final Set<String> KNOWN = Set.of("type", "device", "o", "size");

    private static final Map<String, Long> SET = Map.ofEntries(
            Map.entry("ro", (long) Linux.MS_RDONLY), Map.entry("nosuid", (long) Linux.MS_NOSUID),
            Map.entry("nodev", (long) Linux.MS_NODEV), Map.entry("noexec", (long) Linux.MS_NOEXEC),
            Map.entry("sync", (long) Linux.MS_SYNCHRONOUS), Map.entry("dirsync", (long) Linux.MS_DIRSYNC),
            Map.entry("noatime", (long) Linux.MS_NOATIME), Map.entry("nodiratime", (long) Linux.MS_NODIRATIME),
            Map.entry("relatime", (long) Linux.MS_RELATIME), Map.entry("strictatime", (long) Linux.MS_STRICTATIME),
            Map.entry("bind", (long) Linux.MS_BIND), Map.entry("rbind", (long) Linux.MS_BIND | Linux.MS_REC),
            Map.entry("mand", (long) Linux.MS_MANDLOCK));

    private static final Map<String, Long> CLEARED = Map.of(
            "rw", (long) Linux.MS_RDONLY, "suid", (long) Linux.MS_NOSUID, "dev", (long) Linux.MS_NODEV,
            "exec", (long) Linux.MS_NOEXEC, "async", (long) Linux.MS_SYNCHRONOUS,
            "atime", (long) Linux.MS_NOATIME, "diratime", (long) Linux.MS_NODIRATIME,
            "norelatime", (long) Linux.MS_RELATIME, "nostrictatime", (long) Linux.MS_STRICTATIME);

    private static final Map<String, Long> PROPAGATION = Map.of(
            "private", (long) Linux.MS_PRIVATE, "rprivate", (long) Linux.MS_PRIVATE | Linux.MS_REC,
            "slave", (long) Linux.MS_SLAVE, "rslave", (long) Linux.MS_SLAVE | Linux.MS_REC,
            "shared", (long) Linux.MS_SHARED, "rshared", (long) Linux.MS_SHARED | Linux.MS_REC);

    /// What mount(2) is given: flags, propagation (0: none asked for) and the filesystem's own data.
    record Call(long flags, long propagation, String data) {}

    /// Reads the options of the volume `name`; an unknown or missing one is refused in Docker's words.
    public static DriverOptions parse(String name, Map<String, String> given) throws EngineException.Invalid {
        String prefix = "create " + name + ": ";
        for (var key : given.keySet()) {
            if (!KNOWN.contains(key)) {
                throw new EngineException.Invalid(prefix + "invalid option: \"" + key + "\"");
            }
        }
        var needs = List.of(List.of("device", "type"), List.of("type", "device"), List.of("o", "device"),
                List.of("o", "type"));
        for (var need : needs) {
            if (given.containsKey(need.getFirst()) && !given.containsKey(need.getLast())) {
                throw new EngineException.Invalid(prefix + "missing required option: \"" + need.getLast() + "\"");
            }
        }
        String size = given.getOrDefault("size", "");
        long bytes = size.isEmpty() ? 0 : Sizes.parse(prefix, size);
        return new DriverOptions(
                given.getOrDefault("type", ""), given.getOrDefault("device", ""), given.getOrDefault("o", ""), bytes);
    }

    /// Whether something is to be mounted while the volume is used.
    public boolean needsMount() {
        return !type.isEmpty() || !device.isEmpty();
    }

    /// The mount options sorted by what they are for; the host in `addr=` is looked up, because the kernel takes only
    /// numbers there.
    Call call() throws UnknownHostException {
        long flags = 0;
        long propagation = 0;
        var data = new ArrayList<String>();
        for (var word : options.split(",")) {
            Long set = SET.get(word);
            Long cleared = CLEARED.get(word);
            Long moved = PROPAGATION.get(word);
            if (set != null) {
                flags |= set;
            } else if (cleared != null) {
                flags &= ~cleared;
            } else if (moved != null) {
                propagation = moved;
            } else if (!word.isEmpty() && !word.equals("defaults")) {
                boolean address = word.startsWith("addr=") && (type.startsWith("nfs") || type.equals("cifs"));
                data.add(address
                        ? "addr=" + InetAddress.getByName(word.substring("addr=".length())).getHostAddress()
                        : word);
            }
        }
        return new Call(flags, propagation, String.join(",", data));
    }
}
