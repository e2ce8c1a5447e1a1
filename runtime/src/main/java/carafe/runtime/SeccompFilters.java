package carafe.runtime;

import static carafe.kernel.SeccompProfile.MOST_INSTRUCTIONS;

import carafe.kernel.Seccomp;
import carafe.kernel.SeccompProfile.Action;
import carafe.kernel.SeccompProfile.Argument;
import carafe.kernel.SeccompProfile.Comparison;
import carafe.kernel.SeccompProfile.Rule;
import carafe.spec.oci.SeccompSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

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
    private final Path directory;
    private final Map<SeccompSpec, Filter> kept = new ConcurrentHashMap<>();
    private volatile Last last = new Last(null, Filter.NONE);

    /// The profile asked for last: the engine hands the same object again and again.
    private record Last(@Nullable SeccompSpec spec, Filter filter) {}

    /// Programs are kept in `directory`, which is made if missing.
    SeccompFilters(Seccomp seccomp, Path directory) {
        this.seccomp = seccomp;
        this.directory = directory;
    }

    @Override
    public Filter compile(SeccompSpec spec) throws IOException, StartFailure {
        var previous = last;
        if (previous.spec == spec) {
            return previous.filter;
        }
        var filter = kept.get(spec);
        if (filter == null) {
            byte[] program = seccomp.compile(profile(spec));
            filter = new Filter(program, flags(spec), Optional.of(kept(program)));
            if (kept.size() < KEPT) {
                kept.put(spec, filter);
            }
        }
        last = new Last(spec, filter);
        return filter;
    }

    /// The file of a program, named by its content.
    private Path kept(byte[] program) throws IOException {
        Files.createDirectories(directory);
        Path file = Filter.fileOf(program, directory);
        if (!Files.exists(file)) {
            Path temporary = Files.createTempFile(directory, "filter", ".new");
            Files.write(temporary, program);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        }
        return file;
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
        var profile = new carafe.kernel.SeccompProfile(
                known(ACTIONS, spec.defaultAction(), "action"), errno(spec.defaultErrnoRet()), spec.architectures(),
                List.of(), rules);
        if (profile.comparisons() > MOST_INSTRUCTIONS) {
            throw Checks.invalid("the seccomp profile compares arguments " + profile.comparisons() + " times, and a filter"
                    + " has at most " + MOST_INSTRUCTIONS + " instructions, one or more for each comparison; use masks"
                    + " (SCMP_CMP_MASKED_EQ) or ranges (SCMP_CMP_LE, SCMP_CMP_GE) instead of single values");
        }
        return profile;
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
