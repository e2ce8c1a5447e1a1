package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Resource limits of processes by name and number. Source: prlimit(2); -1 is RLIM_INFINITY.
public final class Rlimits {

    /// In the order of their numbers, RLIMIT_CPU being 0.
    private static final List<String> NAMES = List.of("CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
            "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME");

    private Rlimits() {}

    /// A soft and a hard limit of one resource.
    public record Limit(int resource, long soft, long hard) {

        /// The resource's name, `RLIMIT_NOFILE`.
        public String name() {
            return "RLIMIT_" + NAMES.get(resource);
        }
    }

    /// The number of `name`, which may be `RLIMIT_NOFILE` or `nofile`; empty when there is none such.
    public static Optional<Integer> number(String name) {
        String bare = name.toUpperCase(Locale.ROOT);
        int index = NAMES.indexOf(bare.startsWith("RLIMIT_") ? bare.substring(7) : bare);
        return index < 0 ? Optional.empty() : Optional.of(index);
    }

    /// Our own limit of `resource`, which what we start inherits.
    public static Limit own(int resource) throws KernelException {
        try (var frame = new Frame()) {
            var out = frame.allocate(16, 8);
            long rc = frame.attempt(Syscall.PRLIMIT64, 0, resource, 0, out.address());
            Frame.checked(rc, Syscall.PRLIMIT64, "limit " + resource);
            return new Limit(resource, out.get(JAVA_LONG, 0), out.get(JAVA_LONG, 8));
        }
    }

    /// `wanted`, or the nearest to it that we can give: without CAP_SYS_RESOURCE a hard limit cannot rise above our
    /// own.
    public static Limit clamp(Limit wanted) throws KernelException {
        long mayRaise = Capabilities.mask(List.of("CAP_SYS_RESOURCE"));
        if ((Capabilities.available() & mayRaise) != 0) {
            return wanted;
        }
        long most = own(wanted.resource).hard;
        long hard = Long.compareUnsigned(wanted.hard, most) > 0 ? most : wanted.hard;
        long soft = Long.compareUnsigned(wanted.soft, hard) > 0 ? hard : wanted.soft;
        return new Limit(wanted.resource, soft, hard);
    }
}
