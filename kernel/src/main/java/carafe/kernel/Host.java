package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The machine we run on, as files and calls of the kernel describe it. Small reads; nothing is kept.
public final class Host {

    private static final int NAME_BYTES = 65;

    private Host() {}

    /// What uname(2) says: `Linux`, the host's name, `6.1.0-30-amd64`, the build, `x86_64`.
    public record Name(String system, String node, String release, String version, String machine) {}

    /// Memory and swap of the machine, in bytes.
    public record Memory(long totalBytes, long availableBytes, long swapTotalBytes, long swapFreeBytes) {}

    /// What uname(2) says.
    public static Name name() {
        try (var frame = new Frame()) {
            var out = frame.allocate(6L * NAME_BYTES, 8);
            frame.attempt(Syscall.UNAME, out.address());
            return new Name(text(out, 0), text(out, 1), text(out, 2), text(out, 3), text(out, 4));
        }
    }

    private static String text(MemorySegment names, int index) {
        byte[] bytes = names.asSlice((long) index * NAME_BYTES, NAME_BYTES).toArray(JAVA_BYTE);
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return NativeText.decode(bytes, 0, end);
    }

    /// Memory as /proc/meminfo counts it.
    public static Memory memory() throws KernelException {
        var kilobytes = new LinkedHashMap<String, Long>();
        for (String line : read("/proc/meminfo").split("\n")) {
            String[] fields = line.split("[: ]+");
            if (fields.length >= 2) {
                kilobytes.put(fields[0], KeyedNumbers.number(fields[1]));
            }
        }
        return new Memory(bytes(kilobytes, "MemTotal"), bytes(kilobytes, "MemAvailable"),
                bytes(kilobytes, "SwapTotal"), bytes(kilobytes, "SwapFree"));
    }

    private static long bytes(Map<String, Long> kilobytes, String field) {
        return kilobytes.getOrDefault(field, 0L) << 10;
    }

    /// How many processors we may run on, whatever the JVM was told to use. Source: sched_getaffinity(2).
    public static int processors() {
        try (var frame = new Frame()) {
            var mask = frame.allocate(128, 8);
            long bytes = frame.attempt(Syscall.SCHED_GETAFFINITY, 0, 128, mask.address());
            int count = 0;
            for (long i = 0; i < bytes; i += 8) {
                count += Long.bitCount(mask.get(JAVA_LONG, i));
            }
            return Math.max(1, count);
        }
    }

    /// The id that the kernel drew for this boot.
    public static String bootId() throws KernelException {
        return read("/proc/sys/kernel/random/boot_id");
    }

    /// A kernel setting by its dotted name, `net.ipv4.ip_forward`; a slash stands for a dot inside a name. Empty when
    /// there is none.
    public static Optional<String> sysctl(String name) {
        var path = Path.of("/proc/sys");
        var file = path.resolve(swapped(name)).normalize();
        try {
            return file.startsWith(path) ? Optional.of(read(file.toString())) : Optional.empty();
        } catch (KernelException e) {
            return Optional.empty();
        }
    }

    /// Sets a kernel setting by its name with slashes, in the calling thread's namespaces: `net/ipv4/conf/br0/forwarding`.
    /// @throws KernelException ENOENT there is none; EROFS /proc/sys cannot be written
    public static void setSysctl(String name, String value) throws KernelException {
        var path = Path.of("/proc/sys");
        var file = path.resolve(name).normalize();
        if (!file.startsWith(path)) {
            throw new KernelException("sysctl", name, Errno.EINVAL);
        }
        try (var fd = Descriptors.open(file, Linux.O_WRONLY, 0)) {
            FdStream.write(fd, value.getBytes(StandardCharsets.US_ASCII));
        }
    }

    private static String swapped(String name) {
        return name.replace('.', '\0').replace('/', '.').replace('\0', '/');
    }

    /// The fields of os-release, `PRETTY_NAME` and others; empty where there is no such file.
    public static Map<String, String> osRelease() {
        for (String file : new String[] {"/etc/os-release", "/usr/lib/os-release"}) {
            try {
                return osRelease(Files.readString(Path.of(file)));
            } catch (IOException notThere) {
                // the next one, or none
            }
        }
        return Map.of();
    }

    static Map<String, String> osRelease(String text) {
        var fields = new LinkedHashMap<String, String>();
        for (String line : text.split("\n")) {
            int equals = line.indexOf('=');
            if (equals > 0 && line.charAt(0) != '#') {
                String value = line.substring(equals + 1).strip();
                boolean quoted = value.length() >= 2 && (value.charAt(0) == '"' || value.charAt(0) == '\'')
                        && value.charAt(value.length() - 1) == value.charAt(0);
                fields.put(line.substring(0, equals), quoted ? value.substring(1, value.length() - 1) : value);
            }
        }
        return fields;
    }

    private static String read(String path) throws KernelException {
        try (var file = Descriptors.open(Path.of(path), Linux.O_RDONLY, 0)) {
            return NativeText.decode(FdStream.readAll(file, 1 << 20)).strip();
        }
    }
}
