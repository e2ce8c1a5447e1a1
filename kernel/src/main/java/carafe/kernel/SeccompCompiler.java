package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Compiles one profile with libseccomp. Names the library does not know are left out; rules whose action is the
/// default one too. Several comparisons of one argument in one rule mean "any of them", as runc has it.
final class SeccompCompiler implements AutoCloseable {

    private static final int ACT_DEFAULT_ERRNO = Errno.EPERM;
    private static final int ATTR_CTL_NNP = 3;
    private static final int ATTR_CTL_OPTIMIZE = 8;
    private static final int BINARY_TREE = 2;
    private static final int COMPARISON_BYTES = 24;
    private static final int LIMIT_BYTES = SeccompProfile.MOST_INSTRUCTIONS * 8;

    private static final Map<String, Integer> ARCHITECTURES = Map.ofEntries(
            Map.entry("SCMP_ARCH_X86", 0x40000003), Map.entry("SCMP_ARCH_X86_64", 0xC000003E),
            Map.entry("SCMP_ARCH_X32", 0x4000003E), Map.entry("SCMP_ARCH_ARM", 0x40000028),
            Map.entry("SCMP_ARCH_AARCH64", 0xC00000B7), Map.entry("SCMP_ARCH_MIPS", 0x00000008),
            Map.entry("SCMP_ARCH_MIPS64", 0x80000008), Map.entry("SCMP_ARCH_MIPS64N32", 0xA0000008),
            Map.entry("SCMP_ARCH_MIPSEL", 0x40000008), Map.entry("SCMP_ARCH_MIPSEL64", 0xC0000008),
            Map.entry("SCMP_ARCH_MIPSEL64N32", 0xE0000008), Map.entry("SCMP_ARCH_PPC", 0x00000014),
            Map.entry("SCMP_ARCH_PPC64", 0x80000015), Map.entry("SCMP_ARCH_PPC64LE", 0xC0000015),
            Map.entry("SCMP_ARCH_S390", 0x00000016), Map.entry("SCMP_ARCH_S390X", 0x80000016),
            Map.entry("SCMP_ARCH_RISCV64", 0xC00000F3), Map.entry("SCMP_ARCH_LOONGARCH64", 0xC0000102));

    private final LibSeccomp library;
    private final SeccompProfile profile;
    private final Frame frame = new Frame();
    private final MemorySegment filter;
    private final int defaultAction;

    SeccompCompiler(LibSeccomp library, SeccompProfile profile) throws KernelException {
        this.library = library;
        this.profile = profile;
        defaultAction = action(profile.defaultAction(), profile.defaultErrno());
        filter = library.init(defaultAction);
        if (filter.address() == 0) {
            frame.close();
            throw new KernelException("seccomp_init", profile.defaultAction(), Errno.EINVAL);
        }
    }

    /// The filter as seccomp(2) takes it: `struct sock_filter` after `struct sock_filter`.
    byte[] compile() throws KernelException {
        return ShortFilter.of(whole());
    }

    /// The same filter as it was before it was made short.
    byte[] whole() throws KernelException {
        var architectures = architectures();
        for (int architecture : architectures) {
            check(library.addArchitecture(filter, architecture), "seccomp_arch_add",
                    Integer.toHexString(architecture), Errno.EEXIST);
        }
        check(library.set(filter, ATTR_CTL_NNP, 0), "seccomp_attr_set", "CTL_NNP", 0);
        check(library.set(filter, ATTR_CTL_OPTIMIZE, BINARY_TREE), "seccomp_attr_set", "CTL_OPTIMIZE",
                Errno.EEXIST); // what libseccomp before 2.5 answers to an attribute it does not know
        for (var rule : profile.rules()) {
            add(rule);
        }
        byte[] compiled = export();
        return newerCallsAreMissing() ? UnknownCalls.refusing(newest(architectures), compiled) : compiled;
    }

    private List<Integer> architectures() throws KernelException {
        var tokens = new ArrayList<Integer>();
        tokens.add(nativeArchitecture());
        for (String name : profile.architectures()) {
            Integer token = ARCHITECTURES.get(name);
            if (token == null) {
                throw new KernelException("seccomp_arch_add", name, Errno.EINVAL);
            }
            if (!tokens.contains(token)) {
                tokens.add(token);
            }
        }
        return tokens;
    }

    static int nativeArchitecture() {
        return (int) (Machine.THIS == Machine.AMD64 ? Linux.AUDIT_ARCH_X86_64 : Linux.AUDIT_ARCH_AARCH64);
    }

    private void add(SeccompProfile.Rule rule) throws KernelException {
        int action = action(rule.action(), rule.errno());
        if (action == defaultAction) {
            return;
        }
        for (String name : rule.names()) {
            int number = library.resolve(nativeArchitecture(), frame.text(name));
            if (number == LibSeccomp.UNKNOWN) {
                continue;
            }
            if (comparesOneArgumentTwice(rule.arguments())) {
                for (var argument : rule.arguments()) {
                    add(name, action, number, List.of(argument));
                }
            } else {
                add(name, action, number, rule.arguments());
            }
        }
    }

    private static boolean comparesOneArgumentTwice(List<SeccompProfile.Argument> arguments) {
        var seen = new HashSet<Integer>();
        return !arguments.stream().allMatch(argument -> seen.add(argument.index()));
    }

    private void add(String name, int action, int number, List<SeccompProfile.Argument> arguments)
            throws KernelException {
        var comparisons = frame.allocate(Math.max(1, (long) arguments.size() * COMPARISON_BYTES), 8);
        for (int i = 0; i < arguments.size(); i++) {
            var argument = arguments.get(i);
            long at = (long) i * COMPARISON_BYTES;
            comparisons.set(JAVA_INT, at, argument.index());
            comparisons.set(JAVA_INT, at + 4, argument.comparison().ordinal() + 1); // enum scmp_compare, from NE = 1
            comparisons.set(JAVA_LONG, at + 8, argument.value());
            comparisons.set(JAVA_LONG, at + 16, argument.valueTwo());
        }
        check(library.addRule(filter, action, number, arguments.size(), comparisons), "seccomp_rule_add", name,
                Errno.EEXIST);
    }

    private static int action(SeccompProfile.Action action, OptionalInt errno) {
        return (int) switch (action) {
            case KILL_PROCESS -> Linux.SECCOMP_RET_KILL_PROCESS;
            case KILL_THREAD -> Linux.SECCOMP_RET_KILL_THREAD;
            case TRAP -> Linux.SECCOMP_RET_TRAP;
            case ERRNO -> Linux.SECCOMP_RET_ERRNO | errno.orElse(ACT_DEFAULT_ERRNO) & 0xFFFF;
            case TRACE -> Linux.SECCOMP_RET_TRACE | errno.orElse(ACT_DEFAULT_ERRNO) & 0xFFFF;
            case NOTIFY -> Linux.SECCOMP_RET_USER_NOTIF;
            case LOG -> Linux.SECCOMP_RET_LOG;
            case ALLOW -> Linux.SECCOMP_RET_ALLOW;
        };
    }

    /// Where unknown calls are allowed, logged or traced anyway they need no answer of ours.
    private boolean newerCallsAreMissing() {
        return switch (profile.defaultAction()) {
            case ALLOW, LOG, TRACE -> false;
            case KILL_PROCESS, KILL_THREAD, TRAP, NOTIFY -> true;
            case ERRNO -> profile.defaultErrno().orElse(ACT_DEFAULT_ERRNO) != Errno.ENOSYS;
        };
    }

    /// The highest number that any rule names, by architecture.
    private Map<Integer, Integer> newest(List<Integer> architectures) throws KernelException {
        var newest = new LinkedHashMap<Integer, Integer>();
        for (var rule : profile.rules()) {
            for (String name : rule.names()) {
                var text = frame.text(name);
                for (int architecture : architectures) {
                    int number = library.resolve(architecture, text);
                    if (number >= 0) {
                        newest.merge(architecture, number, Math::max);
                    }
                }
            }
        }
        return newest;
    }

    private byte[] export() throws KernelException {
        try (var memory = Descriptors.memfd("seccomp")) {
            check(library.export(filter, memory.number()), "seccomp_export_bpf", null, 0);
            FdStream.seek(memory, 0, Linux.SEEK_SET);
            return FdStream.readAll(memory, LIMIT_BYTES);
        }
    }

    private static void check(int result, String call, @Nullable Object subject, int tolerated)
            throws KernelException {
        if (result < 0 && -result != tolerated) {
            throw new KernelException(call, subject, -result);
        }
    }

    @Override
    public void close() {
        library.release(filter);
        frame.close();
    }
}
