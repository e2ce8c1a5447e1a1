package carafe.runtime;

import carafe.kernel.Seccomp;
import carafe.kernel.SeccompProfile.Action;
import carafe.kernel.SeccompProfile.Argument;
import carafe.kernel.SeccompProfile.Comparison;
import carafe.kernel.SeccompProfile.Rule;
import carafe.spec.oci.SeccompSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/// [Filters] by libseccomp. Keeps the programs of the configurations seen last, because even looking up a profile of
/// four hundred names by content takes longer than a system call; the kernel room keeps them over restarts.
final class SeccompFilters implements Filters {

    private static final int KEPT = 64;

    private static final Map<String, Long> FLAGS = Map.of(
            "SECCOMP_FILTER_FLAG_TSYNC", 1L,
            "SECCOMP_FILTER_FLAG_LOG", 2L,
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4L,
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32L);

    private static final Map<String, Comparison> COMPARISONS = Map.of(
            "SCMP_CMP_NE", Comparison.NOT_EQUAL,
            "SCMP_CMP_LT", Comparison.LESS,
            "SCMP_CMP_LE", Comparison.LESS_OR_EQUAL,
            "SCMP_CMP_EQ", Comparison.EQUAL,
            "SCMP_CMP_GE", Comparison.GREATER_OR_EQUAL,
            "SCMP_CMP_GT", Comparison.GREATER,
            "SCMP_CMP_MASKED_EQ", Comparison.MASKED_EQUAL);

    private static final Map<String, Action> ACTIONS = Map.of(
            "SCMP_ACT_KILL", Action.KILL_THREAD,
            "SCMP_ACT_KILL_THREAD", Action.KILL_THREAD,
            "SCMP_ACT_KILL_PROCESS", Action.KILL_PROCESS,
            "SCMP_ACT_TRAP", Action.TRAP,
            "SCMP_ACT_ERRNO", Action.ERRNO,
            "SCMP_ACT_TRACE", Action.TRACE,
            "SCMP_ACT_LOG", Action.LOG,
            "SCMP_ACT_ALLOW", Action.ALLOW);

    private final Seccomp seccomp;
    private final Map<SeccompSpec, Filter> kept = new ConcurrentHashMap<>();

    SeccompFilters(Seccomp seccomp) {
        this.seccomp = seccomp;
    }

    @Override
    public Filter compile(SeccompSpec spec) throws IOException, StartFailure {
        var filter = kept.get(spec);
        if (filter == null) {
            filter = new Filter(seccomp.compile(profile(spec)), flags(spec));
            if (kept.size() < KEPT) {
                kept.put(spec, filter);
            }
        }
        return filter;
    }

    private static long flags(SeccompSpec spec) throws StartFailure {
        long flags = 0;
        for (String word : spec.flags()) {
            flags |= known(FLAGS, word, "flag");
        }
        return flags;
    }

    static carafe.kernel.SeccompProfile profile(SeccompSpec spec) throws StartFailure {
        var rules = new ArrayList<Rule>();
        for (var rule : spec.syscalls()) {
            var arguments = new ArrayList<Argument>();
            for (var arg : rule.args()) {
                arguments.add(new Argument(
                        arg.index(), arg.value(), arg.valueTwo(), known(COMPARISONS, arg.op(), "operator")));
            }
            rules.add(new Rule(rule.names(), known(ACTIONS, rule.action(), "action"), errno(rule.errnoRet()),
                    arguments));
        }
        return new carafe.kernel.SeccompProfile(
                known(ACTIONS, spec.defaultAction(), "action"), errno(spec.defaultErrnoRet()), spec.architectures(),
                List.of(), rules);
    }

    private static OptionalInt errno(Optional<Long> number) {
        return number.isPresent() ? OptionalInt.of(number.get().intValue()) : OptionalInt.empty();
    }

    private static <T> T known(Map<String, T> table, String word, String kind) throws StartFailure {
        T value = table.get(word);
        if (value == null) {
            throw Checks.invalid("seccomp: unknown " + kind + " \"" + word + "\"");
        }
        return value;
    }
}
