package carafe.kernel;

import java.util.List;
import java.util.OptionalInt;

/// A filter of system calls, as the OCI specification has it. `defaultAction` meets calls that no rule names; a call
/// with a number beyond all that the rules name answers ENOSYS instead where the default action is an error or a kill.
/// `architectures` are `SCMP_ARCH_*` names beside the native one, `flags` are `SECCOMP_FILTER_FLAG_*` names.
public record SeccompProfile(Action defaultAction, OptionalInt defaultErrno, List<String> architectures,
        List<String> flags, List<Rule> rules) {

    /// The longest program that the kernel takes. Source: BPF_MAXINSNS in linux/bpf_common.h.
    public static final int MOST_INSTRUCTIONS = 4096;

    public SeccompProfile {
        architectures = List.copyOf(architectures);
        flags = List.copyOf(flags);
        rules = List.copyOf(rules);
    }

    /// How many comparisons of arguments the rules make, for every call they name. Each takes an instruction or more, so
    /// a profile with more of them than [#MOST_INSTRUCTIONS] is no filter; to find that out by compiling takes minutes.
    public long comparisons() {
        return rules.stream()
                .filter(rule -> rule.action != defaultAction || !rule.errno.equals(defaultErrno))
                .mapToLong(rule -> rule.names.stream().distinct().count() * rule.arguments.stream().distinct().count())
                .sum();
    }

    /// The bits of `flags` as seccomp(2) takes them when the filter is installed.
    /// @throws IllegalArgumentException a flag that is none
    public int filterFlags() {
        int bits = 0;
        for (String flag : flags) {
            bits |= switch (flag) {
                case "SECCOMP_FILTER_FLAG_TSYNC" -> Linux.SECCOMP_FILTER_FLAG_TSYNC;
                case "SECCOMP_FILTER_FLAG_LOG" -> Linux.SECCOMP_FILTER_FLAG_LOG;
                case "SECCOMP_FILTER_FLAG_SPEC_ALLOW" -> Linux.SECCOMP_FILTER_FLAG_SPEC_ALLOW;
                case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" -> Linux.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
                default -> throw new IllegalArgumentException("no such seccomp flag: " + flag);
            };
        }
        return bits;
    }

    /// What happens to a call.
    public enum Action { KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, TRACE, NOTIFY, LOG, ALLOW }

    /// `action` meets the calls `names` when all of `arguments` hold; `errno` is EPERM where absent.
    public record Rule(List<String> names, Action action, OptionalInt errno, List<Argument> arguments) {
        public Rule {
            names = List.copyOf(names);
            arguments = List.copyOf(arguments);
        }
    }

    /// Compares argument `index` (0 to 5) with `value`; MASKED_EQUAL masks with `value` and compares with `valueTwo`.
    public record Argument(int index, long value, long valueTwo, Comparison comparison) {
        public Argument {
            if (index < 0 || index > 5) {
                throw new IllegalArgumentException("a system call has arguments 0 to 5, not " + index);
            }
        }
    }

    /// How an argument is compared.
    public enum Comparison { NOT_EQUAL, LESS, LESS_OR_EQUAL, EQUAL, GREATER_OR_EQUAL, GREATER, MASKED_EQUAL }
}
