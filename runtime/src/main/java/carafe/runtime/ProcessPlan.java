package carafe.runtime;

import carafe.runtime.HostFacts.Limit;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.ProcessSpec.User;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One process, everything about it decided: numbers instead of names, limits that this host can give.
/// `oomScore` is empty where the inherited one is right already; `warnings` says what was clamped.
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

    static final Map<String, Integer> RESOURCES = Map.ofEntries(
            Map.entry("RLIMIT_CPU", 0), Map.entry("RLIMIT_FSIZE", 1), Map.entry("RLIMIT_DATA", 2),
            Map.entry("RLIMIT_STACK", 3), Map.entry("RLIMIT_CORE", 4), Map.entry("RLIMIT_RSS", 5),
            Map.entry("RLIMIT_NPROC", 6), Map.entry("RLIMIT_NOFILE", 7), Map.entry("RLIMIT_MEMLOCK", 8),
            Map.entry("RLIMIT_AS", 9), Map.entry("RLIMIT_LOCKS", 10), Map.entry("RLIMIT_SIGPENDING", 11),
            Map.entry("RLIMIT_MSGQUEUE", 12), Map.entry("RLIMIT_NICE", 13), Map.entry("RLIMIT_RTPRIO", 14),
            Map.entry("RLIMIT_RTTIME", 15));

    /// Decides about `spec`. `user` and `home` are resolved; HOME is added to the environment if it is missing.
    static ProcessPlan of(ProcessSpec spec, HostFacts host, User user, String home, Filter filter)
            throws StartFailure {
        var warnings = new ArrayList<String>();
        var env = new ArrayList<>(spec.env());
        if (env.stream().noneMatch(variable -> variable.startsWith("HOME="))) {
            env.add("HOME=" + home);
        }
        return new ProcessPlan(
                spec.args(),
                env,
                spec.cwd(),
                user,
                privileges(spec, host, filter, warnings),
                limits(spec, host, warnings),
                oomScore(spec, host, warnings),
                spec.apparmorProfile().equals("unconfined") ? "" : spec.apparmorProfile(),
                spec.terminal(),
                warnings);
    }

    static ProcessPlan of(Bundle bundle, HostFacts host, ImageFacts image, Filter filter) throws StartFailure {
        return of(bundle.spec().process(), host, image.user(), image.home(), filter);
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
            if (CapabilityName.number(name).isEmpty()) {
                warnings.add("unknown capability " + name + " ignored");
            }
        }
        long bounding = CapabilityName.mask(wanted.bounding());
        long missing = bounding & ~host.capabilities();
        if (missing != 0) {
            warnings.add("this host cannot grant the capabilities " + CapabilityName.words(missing));
        }
        long held = host.capabilities();
        long permitted = CapabilityName.mask(wanted.permitted()) & held;
        long inheritable = CapabilityName.mask(wanted.inheritable()) & held;
        return new Privileges(
                held,
                bounding & held,
                permitted,
                CapabilityName.mask(wanted.effective()) & permitted,
                inheritable,
                CapabilityName.mask(wanted.ambient()) & permitted & inheritable,
                spec.noNewPrivileges(),
                filter);
    }

    private static List<LimitPlan> limits(ProcessSpec spec, HostFacts host, List<String> warnings)
            throws StartFailure {
        var plans = new ArrayList<LimitPlan>();
        for (var limit : spec.rlimits()) {
            Integer resource = RESOURCES.get(limit.type());
            if (resource == null) {
                throw Checks.invalid("invalid rlimit type: " + limit.type());
            }
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
