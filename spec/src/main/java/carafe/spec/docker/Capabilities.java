package carafe.spec.docker;

import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The names of Linux capabilities, in the kernel's order of bits, and Docker's default set. Source: capabilities(7).
public final class Capabilities {
    /// All of them; the index is the kernel's bit.
    public static final List<String> ALL = List.of(
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
            "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
            "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE",
            "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
            "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
            "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
            "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
            "CAP_CHECKPOINT_RESTORE");

    /// What a container gets when nobody says otherwise.
    public static final List<String> DEFAULT = List.of(
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
            "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
            "CAP_AUDIT_WRITE");

    private Capabilities() {}

    /// The default set with `add` and `drop` applied as Docker does: `ALL` in either list stands for every one, and
    /// what is named wins over what `ALL` covers. Both lists as [#normalize] made them.
    public static List<String> effective(List<String> add, List<String> drop) {
        var result = new ArrayList<String>();
        if (add.contains("ALL")) {
            for (var each : ALL) {
                if (!drop.contains(each)) {
                    result.add(each);
                }
            }
        } else {
            if (!drop.contains("ALL")) {
                for (var each : DEFAULT) {
                    if (!drop.contains(each)) {
                        result.add(each);
                    }
                }
            }
            for (var each : add) {
                if (!result.contains(each)) {
                    result.add(each);
                }
            }
        }
        return List.copyOf(result);
    }

    static List<String> normalize(String field, List<String> names) throws EngineException.Invalid {
        var normal = new ArrayList<String>();
        for (var name : names) {
            String upper = name.toUpperCase(Locale.ROOT);
            if (!upper.equals("ALL")) {
                upper = upper.startsWith("CAP_") ? upper : "CAP_" + upper;
                if (!ALL.contains(upper)) {
                    throw new EngineException.Invalid("invalid " + field + ": unknown capability: \"" + upper + "\"");
                }
            }
            normal.add(upper);
        }
        return List.copyOf(normal);
    }
}
