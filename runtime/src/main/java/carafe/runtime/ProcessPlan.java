package carafe.runtime;

import carafe.kernel.Capabilities;
import carafe.kernel.Rlimits;
import carafe.runtime.HostFacts.Limit;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.ProcessSpec.User;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One process, everything about it decided: numbers instead of names, limits that this host can give.
/// `oomScore` is empty where the inherited one is right already; `input`: stdin is a pipe of its own; `warnings` says
/// what was clamped.
record ProcessPlan(
        List<String> args,
        List<String> env,
        String cwd,
        User user,
        Privileges privileges,
        List<LimitPlan> limits,
        Optional<Integer> oomScore,
        String apparmor,
        boolean terminal,
        boolean input,
        List<String> warnings) {

    ProcessPlan {
        args = List.copyOf(args);
        env = List.copyOf(env);
        limits = List.copyOf(limits);
        warnings = List.copyOf(warnings);
    }

    /// What the process may do. `held` is what we have ourselves to give; the other masks are subsets of it.
    record Privileges(
            long held,
            long bounding,
            long permitted,
            long effective,
            long inheritable,
            long ambient,
            boolean noNewPrivileges,
            Filter filter) {}

    /// A resource limit by number; `word` is its name without RLIMIT_.
    record LimitPlan(int resource, String word, long soft, long hard) {}

    /// What was found out or made for a process: who it is, where that user lives, its filter, whether it has input.
    record Found(User user, String home, Filter filter, boolean input) {}

    /// Decides about `spec`; HOME is added to the environment if it is missing.
    static ProcessPlan of(ProcessSpec spec, HostFacts host, Found found) throws StartFailure {
        var warnings = new ArrayList<String>();
        var env = new ArrayList<>(spec.env());
        if (env.stream().noneMatch(variable -> variable.startsWith("HOME="))) {
            env.add("HOME=" + found.home);
        }
        return new ProcessPlan(
                spec.args(),
                env,
                spec.cwd(),
                found.user,
                privileges(spec, host, found.filter, warnings),
                limits(spec, host, warnings),
                oomScore(spec, host, warnings),
                spec.apparmorProfile().equals("unconfined") ? "" : spec.apparmorProfile(),
                spec.terminal(),
                found.input,
                warnings);
    }

    static ProcessPlan of(Bundle bundle, HostFacts host, ImageFacts image, Filter filter) throws StartFailure {
        var found = new Found(image.user(), image.home(), filter, bundle.stdio().open());
        return of(bundle.spec().process(), host, found);
    }

    /// As a configuration again, for the record of an exec; capabilities are not part of it.
    ProcessSpec toSpec() {
        return new ProcessSpec(
                terminal, Optional.empty(), user, args, List.of(), cwd, ProcessSpec.Capabilities.NONE, List.of(),
                privileges.noNewPrivileges, Optional.empty(), apparmor);
    }

    /// Whether something has to be written below /proc for this process.
    boolean writesProc() {
        return oomScore.isPresent() || !apparmor.isEmpty();
    }

    /// The last value of an environment variable, `""` if it is not set.
    String variable(String name) {
        String value = "";
        for (String variable : env) {
            if (variable.startsWith(name + "=")) {
                value = variable.substring(name.length() + 1);
            }
        }
        return value;
    }

    private static Privileges privileges(ProcessSpec spec, HostFacts host, Filter filter, List<String> warnings) {
        var wanted = spec.capabilities();
        for (String name : wanted.bounding()) {
            if (Capabilities.number(name).isEmpty()) {
                warnings.add("unknown capability " + name + " ignored");
            }
        }
        long bounding = mask(wanted.bounding());
        long missing = bounding & ~host.capabilities();
        if (missing != 0) {
            warnings.add("this host cannot grant the capabilities " + IdentitySteps.words(missing));
        }
        long held = host.capabilities();
        long permitted = mask(wanted.permitted()) & held;
        long inheritable = mask(wanted.inheritable()) & held;
        return new Privileges(
                held,
                bounding & held,
                permitted,
                mask(wanted.effective()) & permitted,
                inheritable,
                mask(wanted.ambient()) & permitted & inheritable,
                spec.noNewPrivileges(),
                filter);
    }

    /// The bits of the names that exist.
    private static long mask(List<String> names) {
        long mask = 0;
        for (String name : names) {
            var number = Capabilities.number(name);
            if (number.isPresent()) {
                mask |= 1L << number.get();
            }
        }
        return mask;
    }

    private static List<LimitPlan> limits(ProcessSpec spec, HostFacts host, List<String> warnings)
            throws StartFailure {
        var plans = new ArrayList<LimitPlan>();
        for (var limit : spec.rlimits()) {
            int resource = Rlimits.number(limit.type())
                    .orElseThrow(() -> Checks.invalid("invalid rlimit type: " + limit.type()));
            String word = limit.type().substring("RLIMIT_".length());
            if (Long.compareUnsigned(limit.soft(), limit.hard()) > 0) {
                throw Checks.invalid("ulimit " + word + ": the soft limit is above the hard limit");
            }
            long hard = limit.hard();
            var most = host.limits().getOrDefault(resource, new Limit(-1, -1));
            if (!host.mayRaise() && Long.compareUnsigned(hard, most.hard()) > 0) {
                hard = most.hard();
                warnings.add("limit " + word + " lowered to " + Long.toUnsignedString(hard)
                        + ": raising it needs CAP_SYS_RESOURCE, which this host withholds");
            }
            long soft = Long.compareUnsigned(limit.soft(), hard) > 0 ? hard : limit.soft();
            plans.add(new LimitPlan(resource, word, soft, hard));
        }
        return plans;
    }

    private static Optional<Integer> oomScore(ProcessSpec spec, HostFacts host, List<String> warnings)
            throws StartFailure {
        if (spec.oomScoreAdj().isEmpty()) {
            return Optional.empty();
        }
        long wanted = spec.oomScoreAdj().get();
        if (wanted < -1000 || wanted > 1000) {
            throw Checks.invalid("oom_score_adj must be between -1000 and 1000, not " + wanted);
        }
        if (wanted < host.oomScore() && !host.mayRaise()) {
            warnings.add("oom_score_adj stays " + host.oomScore()
                    + ": lowering it needs CAP_SYS_RESOURCE, which this host withholds");
            return Optional.empty();
        }
        return wanted == host.oomScore() ? Optional.empty() : Optional.of((int) wanted);
    }
}
