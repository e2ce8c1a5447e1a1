package carafe.runtime;

import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;

import carafe.kernel.Linux;
import carafe.kernel.Slot;
import carafe.kernel.Syscall;
import java.util.List;

/// The three standard streams: pipes to the monitor, or a terminal that becomes the controlling one.
final class StdioSteps {

    private StdioSteps() {}

    static void write(TapeDraft draft, ProcessPlan process) {
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
        if (process.user().uid() != 0) { // so that the user can open /dev/stdout again; /dev/null is the host's
            int first = process.terminal() || process.input() ? 0 : 1;
            int last = process.terminal() ? 0 : 2;
            for (int i = first; i <= last; i++) {
                draft.child(id, Syscall.FCHOWN, number(i), number(process.user().uid()), number(-1));
            }
        }
    }
}
