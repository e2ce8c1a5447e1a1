package carafe.runtime;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/// The capabilities by name; a constant's ordinal is its number in the kernel. Source: linux/capability.h.
public enum CapabilityName {
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_KILL,
    CAP_SETGID,
    CAP_SETUID,
    CAP_SETPCAP,
    CAP_LINUX_IMMUTABLE,
    CAP_NET_BIND_SERVICE,
    CAP_NET_BROADCAST,
    CAP_NET_ADMIN,
    CAP_NET_RAW,
    CAP_IPC_LOCK,
    CAP_IPC_OWNER,
    CAP_SYS_MODULE,
    CAP_SYS_RAWIO,
    CAP_SYS_CHROOT,
    CAP_SYS_PTRACE,
    CAP_SYS_PACCT,
    CAP_SYS_ADMIN,
    CAP_SYS_BOOT,
    CAP_SYS_NICE,
    CAP_SYS_RESOURCE,
    CAP_SYS_TIME,
    CAP_SYS_TTY_CONFIG,
    CAP_MKNOD,
    CAP_LEASE,
    CAP_AUDIT_WRITE,
    CAP_AUDIT_CONTROL,
    CAP_SETFCAP,
    CAP_MAC_OVERRIDE,
    CAP_MAC_ADMIN,
    CAP_SYSLOG,
    CAP_WAKE_ALARM,
    CAP_BLOCK_SUSPEND,
    CAP_AUDIT_READ,
    CAP_PERFMON,
    CAP_BPF,
    CAP_CHECKPOINT_RESTORE;

    /// All names, as a privileged container asks for them.
    public static List<String> all() {
        var names = new ArrayList<String>();
        for (var capability : values()) {
            names.add(capability.name());
        }
        return List.copyOf(names);
    }

    /// The number of `name`, which may lack the prefix and be in any case; empty if there is no such capability.
    public static OptionalInt number(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        String full = upper.startsWith("CAP_") ? upper : "CAP_" + upper;
        for (var capability : values()) {
            if (capability.name().equals(full)) {
                return OptionalInt.of(capability.ordinal());
            }
        }
        return OptionalInt.empty();
    }

    /// The bits of `names`; unknown ones are left out.
    static long mask(Collection<String> names) {
        long mask = 0;
        for (String name : names) {
            var number = number(name);
            if (number.isPresent()) {
                mask |= 1L << number.getAsInt();
            }
        }
        return mask;
    }

    /// The names of `mask` without prefix, for people.
    static String words(long mask) {
        if (mask == 0) {
            return "none";
        }
        var words = new ArrayList<String>();
        for (var capability : values()) {
            if ((mask & 1L << capability.ordinal()) != 0) {
                words.add(capability.name().substring(4).toLowerCase(Locale.ROOT));
            }
        }
        return String.join(",", words);
    }
}
