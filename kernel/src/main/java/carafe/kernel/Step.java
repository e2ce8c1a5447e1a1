package carafe.kernel;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/// One system call on a [Tape]. `id` names the purpose, not the call (`mount-proc`); neighbours may share it.
/// Build with [#monitor] or [#child] and refine: `Step.child("hostname", SETHOSTNAME, text("web"), number(3))`.
public record Step(String id, Part part, Syscall call, List<Arg> args, Outcome outcome) {

    /// What counts as success. `result` takes the returned descriptor. `tolerated` errnos count as success and leave
    /// the slot empty. `orNext`: when the call fails with a tolerated errno the next step is another attempt at the
    /// same (a search along PATH); if the last attempt fails too, the first EACCES is reported, else the last failure.
    /// `exactly`: any other result is a failure (a read of one byte that found the other side gone: EPIPE).
    public record Outcome(Optional<Slot> result, Set<Integer> tolerated, boolean orNext, OptionalLong exactly) {

        static final Outcome SUCCESS = new Outcome(Optional.empty(), Set.of(), false, OptionalLong.empty());

        public Outcome {
            tolerated = tolerated.isEmpty()
                    ? Set.of()
                    : Collections.unmodifiableSortedSet(new TreeSet<>(tolerated));
            if (tolerated.size() > TapeFormat.MAX_TOLERATED) {
                throw new IllegalArgumentException("a step tolerates at most " + TapeFormat.MAX_TOLERATED + " errnos");
            }
        }
    }

    public Step {
        args = List.copyOf(args);
        if (id.isEmpty() || args.size() > TapeFormat.MAX_ARGS) {
            throw new IllegalArgumentException("a step needs an id and at most six arguments: " + id);
        }
    }

    /// A call that the monitor makes before clone3.
    public static Step monitor(String id, Syscall call, Arg... args) {
        return new Step(id, Part.MONITOR, call, List.of(args), Outcome.SUCCESS);
    }

    /// A call that the process makes before its program.
    public static Step child(String id, Syscall call, Arg... args) {
        return new Step(id, Part.CHILD, call, List.of(args), Outcome.SUCCESS);
    }

    /// This step, its result kept in `slot`.
    public Step into(Slot slot) {
        var o = outcome;
        return with(new Outcome(Optional.of(slot), o.tolerated, o.orNext, o.exactly));
    }

    /// This step, succeeding also when the call fails with one of `errnos`.
    public Step tolerating(Integer... errnos) {
        var o = outcome;
        return with(new Outcome(o.result, Set.of(errnos), o.orNext, o.exactly));
    }

    /// This step as one attempt of several: failing with one of `errnos` makes the next step try.
    public Step orNext(Integer... errnos) {
        var o = outcome;
        return with(new Outcome(o.result, Set.of(errnos), true, o.exactly));
    }

    /// This step, failing unless the call returns `value`.
    public Step exactly(long value) {
        var o = outcome;
        return with(new Outcome(o.result, o.tolerated, o.orNext, OptionalLong.of(value)));
    }

    /// The call as [Tape#text] prints it, without part and id.
    public String text() {
        return TapeText.call(this);
    }

    private Step with(Outcome changed) {
        return new Step(id, part, call, args, changed);
    }
}
