package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Capabilities by name, number and bit. The kernel may know more than this table; those have no name here and are
/// dropped with the rest. Source: capabilities(7), linux/capability.h.
public final class Capabilities {

    /// In the order of their numbers.
    private static final List<String> NAMES = Arrays.asList("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
            "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST",
            "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE",
            "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
            "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
            "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE");

    /// The same with their prefix.
    private static final List<String> FULL = NAMES.stream().map("CAP_"::concat).toList();

    /// As nearly everybody writes them, who asks a hundred times for every container.
    private static final Map<String, Integer> NUMBERS = numbers();

    private Capabilities() {}

    private static Map<String, Integer> numbers() {
        var numbers = new HashMap<String, Integer>();
        for (int number = 0; number < FULL.size(); number++) {
            numbers.put(FULL.get(number), number);
        }
        return numbers;
    }

    /// The number of `name`, which may be `CAP_NET_ADMIN`, `net_admin` or between; empty when there is none such.
    public static Optional<Integer> number(String name) {
        var known = NUMBERS.get(name);
        if (known == null) {
            String upper = name.toUpperCase(Locale.ROOT);
            known = NUMBERS.get(upper.startsWith("CAP_") ? upper : "CAP_" + upper);
        }
        return Optional.ofNullable(known);
    }

    /// The name of `number`, `CAP_NET_ADMIN`; empty when this table has none.
    public static Optional<String> name(int number) {
        return number < 0 || number >= FULL.size() ? Optional.empty() : Optional.of(FULL.get(number));
    }

    /// Every name known here that the running kernel knows too, by number.
    public static List<String> all() {
        return names(bits(lastNumber()));
    }

    /// The highest number that the running kernel knows.
    public static int lastNumber() {
        return Last.NUMBER;
    }

    private static long bits(int last) {
        return last >= 63 ? -1L : (1L << last + 1) - 1;
    }

    /// One bit for each of `names`, bit 0 being CAP_CHOWN.
    /// @throws IllegalArgumentException a name that is none
    public static long mask(Collection<String> names) {
        long mask = 0;
        for (String name : names) {
            mask |= 1L << number(name).orElseThrow(() -> new IllegalArgumentException("no such capability: " + name));
        }
        return mask;
    }

    /// The names of the bits in `mask`, by number.
    public static List<String> names(long mask) {
        var names = new ArrayList<String>();
        for (int bit = 0; bit < FULL.size(); bit++) {
            if ((mask & 1L << bit) != 0) {
                names.add(FULL.get(bit));
            }
        }
        return List.copyOf(names);
    }

    /// What a process started by us can have at most: our bounding set and our permitted set together. What is asked
    /// for beyond it is to be left out with a warning.
    public static long available() throws KernelException {
        long bounding = 0;
        long permitted = 0;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("CapBnd:")) {
                    bounding = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                } else if (line.startsWith("CapPrm:")) {
                    permitted = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                }
            }
        } catch (IOException e) {
            throw new KernelException("read", "/proc/self/status", Errno.EIO, String.valueOf(e.getMessage()));
        }
        return bounding & permitted;
    }

    /// Those of `names` that we cannot give.
    public static Set<String> lacking(Collection<String> names) throws KernelException {
        return new TreeSet<>(names(mask(names) & ~available()));
    }

    private static final class Last {
        static final int NUMBER = find();

        private static int find() {
            try {
                // not by java.nio.file.Files: it reads files without a size byte by byte, a sysctl gives one digit then
                return Integer.parseInt(Host.sysctl("kernel.cap_last_cap").orElse(""));
            } catch (NumberFormatException e) {
                return NAMES.size() - 1;
            }
        }
    }
}
