package carafe.kernel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// The whole start of a process as data: what the monitor calls, how it clones, what the process calls until it becomes
/// its program. Immutable, made without root and without descriptors; [#text] prints it, [Spawner] plays it.
///
/// Descriptors 0 to 31 are the tape's to choose with dup3(2); every other descriptor a player holds is above. All of
/// them are close-on-exec, and so must be every descriptor a step opens. `cloneFlags` are CLONE_NEW* bits; the player
/// adds CLONE_PIDFD, CLONE_CLEAR_SIGHAND and, with `cgroup`, CLONE_INTO_CGROUP. The player itself makes the process die
/// with its monitor until the last step, and gives it an empty signal mask. It changes nothing else: the process
/// inherits oom_score_adj, limits and session of the spawner unless steps set them. Slots in `kept` stay open in the
/// monitor (those of a [MonitorPlan] always do); all others are closed there after the clone. With `birthplace` the process
/// is born there; the monitor stays where it is.
public record Tape(List<Step> steps, long cloneFlags, Optional<Slot> cgroup, Optional<Birthplace> birthplace,
        Set<Slot> kept) {

    /// The user namespace that owns what clone3 makes, and the pid namespace of these users that the process is born in;
    /// empty: that of the monitor, or a new one.
    public record Birthplace(Slot users, Optional<Slot> processes) {}

    public Tape {
        steps = inOrder(steps);
        kept = Collections.unmodifiableSet(new LinkedHashSet<>(kept));
        checkUses(steps, cgroup, birthplace);
        if (steps.size() > TapeFormat.MAX_STEPS) {
            throw new IllegalArgumentException("a tape has at most " + TapeFormat.MAX_STEPS + " steps");
        }
        if (steps.isEmpty() || steps.getLast().part() != Part.CHILD) {
            throw new IllegalArgumentException("a tape without a step for the process");
        }
    }

    // Loops by hand, and nothing made for each step: every start makes a tape of some two hundred steps; streams double its
    // price, and a function that captures something costs a call of the JVM each time that it is made.

    private static List<Step> inOrder(List<Step> steps) {
        var ordered = new ArrayList<Step>(steps.size());
        for (var part : List.of(Part.MONITOR, Part.CHILD)) {
            for (var step : steps) {
                if (step.part() == part) {
                    ordered.add(step);
                }
            }
        }
        return Collections.unmodifiableList(ordered);
    }

    private static void checkUses(List<Step> steps, Optional<Slot> cgroup, Optional<Birthplace> birthplace) {
        var uses = new Uses(results(steps));
        Consumer<Slot> filled = uses.empty::remove;
        boolean cloned = false;
        for (var step : steps) {
            if (step.part() == Part.CHILD && !cloned) {
                cloned = true;
                uses.user = "clone3";
                cgroup.ifPresent(uses);
                slots(birthplace).forEach(uses);
            }
            uses.user = step.id();
            eachSlot(step, uses);
            step.outcome().result().ifPresent(filled);
        }
    }

    /// Refuses slots that are still `empty`.
    private static final class Uses implements Consumer<Slot> {
        private final Set<Slot> empty;
        private String user = "";

        private Uses(Set<Slot> empty) {
            this.empty = empty;
        }

        @Override
        public void accept(Slot slot) {
            if (empty.contains(slot)) {
                throw new IllegalArgumentException("step " + user + " uses slot " + slot + " before a step fills it");
            }
        }
    }

    /// What some step fills.
    private static Set<Slot> results(List<Step> steps) {
        var results = new HashSet<Slot>();
        Consumer<Slot> result = results::add;
        for (var step : steps) {
            step.outcome().result().ifPresent(result);
        }
        return results;
    }

    private static List<Slot> slots(Optional<Birthplace> birthplace) {
        var slots = new ArrayList<Slot>();
        birthplace.ifPresent(place -> {
            slots.add(place.users);
            place.processes.ifPresent(slots::add);
        });
        return slots;
    }

    // No switch over the kinds: the quick compiler makes a call of a method handle of it.

    private static void eachSlot(Step step, Consumer<Slot> user) {
        var args = step.args();
        for (int i = 0; i < args.size(); i++) {
            eachSlot(args.get(i), user);
        }
    }

    private static void eachSlot(Arg arg, Consumer<Slot> user) {
        if (arg instanceof Arg.Ref ref) {
            user.accept(ref.slot());
        } else if (arg instanceof Arg.Struct struct) {
            for (var field : struct.fields()) {
                if (field instanceof Arg.Field.Descriptor descriptor) {
                    user.accept(descriptor.slot());
                } else if (field instanceof Arg.Field.Pointer pointer) {
                    eachSlot(pointer.target(), user);
                }
            }
        }
    }

    /// The slots that no step fills: a [Launch] must bring a descriptor for each. In order of first use.
    public Set<Slot> passed() {
        var passed = new LinkedHashSet<Slot>();
        var results = results(steps);
        Consumer<Slot> used = slot -> {
            if (!results.contains(slot)) {
                passed.add(slot);
            }
        };
        for (var step : steps) {
            eachSlot(step, used);
        }
        cgroup.ifPresent(used);
        slots(birthplace).forEach(used);
        kept.forEach(used);
        return passed;
    }

    /// The tape for people and golden files, one line per step, like strace(1).
    public String text() {
        return TapeText.of(this);
    }

    /// An empty tape to add to.
    public static Builder builder() {
        return new Builder();
    }

    /// Collects a tape. Steps may be added in any order of parts; within a part their order stays.
    public static final class Builder {

        private final List<Step> steps = new ArrayList<>();
        private final Set<Slot> kept = new LinkedHashSet<>();
        private long cloneFlags;
        private Optional<Slot> cgroup = Optional.empty();
        private Optional<Birthplace> birthplace = Optional.empty();

        private Builder() {}

        /// Appends a step to its part.
        public Builder add(Step step) {
            steps.add(step);
            return this;
        }

        /// Appends steps to their parts.
        public Builder addAll(List<Step> more) {
            steps.addAll(more);
            return this;
        }

        /// Adds CLONE_NEW* bits to those of clone3.
        public Builder cloneFlags(long flags) {
            cloneFlags |= flags;
            return this;
        }

        /// Makes clone3 put the process into the cgroup (v2) whose directory is in `slot`.
        public Builder intoCgroup(Slot slot) {
            cgroup = Optional.of(slot);
            return this;
        }

        /// Makes clone3 happen there.
        public Builder bornIn(Birthplace place) {
            birthplace = Optional.of(place);
            return this;
        }

        /// Leaves the descriptor of `slot` open in the monitor.
        public Builder keep(Slot slot) {
            kept.add(slot);
            return this;
        }

        /// The finished tape.
        public Tape build() {
            return new Tape(steps, cloneFlags, cgroup, birthplace, kept);
        }
    }
}
