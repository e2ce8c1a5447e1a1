package carafe.runtime;

import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;

import carafe.kernel.Linux;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.spec.oci.IdMaps;
import java.util.List;

/// The three standard streams: pipes to the monitor, or a terminal that becomes the controlling one.
final class StdioSteps {

    private static final int TTY_GROUP = 5; // as devpts has it everywhere

    private StdioSteps() {}

    static void write(TapeDraft draft, ProcessPlan process, IdMaps ids) {
        var sources = process.terminal()
                ? List.of(Slots.TERMINAL, Slots.TERMINAL, Slots.TERMINAL)
                : List.of(Slots.STDIN, Slots.STDOUT, Slots.STDERR);
        String id = process.terminal() ? "terminal" : "stdio";
        for (int i = 0; i < 3; i++) {
            Slot source = sources.get(i);
            draft.child(id, Syscall.DUP3, slot(source), number(i), number(0));
        }
        if (process.terminal()) {
            draft.child(id, Syscall.IOCTL, number(0), number(Linux.TIOCSCTTY, "TIOCSCTTY"), number(0));
        }
        if (!ids.none()) {
            give(draft, id, sources, process, ids);
        } else if (process.user().uid() != 0) { // so that the user can open /dev/stdout again; /dev/null is the host's
            int first = process.terminal() || process.input() ? 0 : 1;
            int last = process.terminal() ? 0 : 2;
            for (int i = first; i <= last; i++) {
                draft.child(id, Syscall.FCHOWN, number(i), number(process.user().uid()), number(-1));
            }
        }
    }

    /// Pipes and terminals are made by the host's root, and whom they belong to inside only the host's root can say.
    private static void give(TapeDraft draft, String id, List<Slot> sources, ProcessPlan process, IdMaps ids) {
        var uid = number(ids.hostUid(process.user().uid()));
        if (process.terminal()) {
            long group = ids.hostGid(TTY_GROUP);
            draft.add(Step.monitor(id, Syscall.FCHOWN, slot(Slots.TERMINAL), uid, number(group)));
            return;
        }
        var gid = number(ids.hostGid(process.user().gid()));
        for (int i = process.input() ? 0 : 1; i < sources.size(); i++) {
            draft.add(Step.monitor(id, Syscall.FCHOWN, slot(sources.get(i)), uid, gid));
        }
    }
}
