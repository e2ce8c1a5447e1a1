package carafe.runtime;

import static carafe.kernel.Arg.none;
import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.Arg;
import carafe.kernel.Linux;
import carafe.kernel.Part;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.kernel.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A tape being written, with the shapes of calls that occur again and again, and the warnings that came up.
final class TapeDraft {

    static final int CLOSE_RANGE_CLOEXEC = 4;
    static final Arg EMPTY = text("");

    private final Tape.Builder tape = Tape.builder();
    private final List<String> warnings = new ArrayList<>();
    private boolean inMonitor;

    Tape.Builder tape() {
        return tape;
    }

    List<String> warnings() {
        return warnings;
    }

    void warn(String sentence) {
        warnings.add(sentence);
    }

    void add(Step step) {
        tape.add(inMonitor ? new Step(step.id(), Part.MONITOR, step.call(), step.args(), step.outcome()) : step);
    }

    /// Whatever `writing` adds is done by the monitor before the process exists, with the rights of the host's root.
    void inMonitor(Runnable writing) {
        inMonitor = true;
        try {
            writing.run();
        } finally {
            inMonitor = false;
        }
    }

    /// Adds a call of the process.
    void child(String id, Syscall call, Arg... args) {
        add(Step.child(id, call, args));
    }

    /// Opens `path` in the container's root as a place: links end inside, magic links nowhere (R1).
    Step place(String id, String path, Slot into) {
        return Step.child(id, Syscall.OPENAT2, slot(Slots.ROOT), text(relative(path)),
                        how(Linux.O_PATH, "O_PATH", Linux.RESOLVE_IN_ROOT | Linux.RESOLVE_NO_MAGICLINKS, "IN_ROOT"),
                        number(24))
                .into(into);
    }

    /// A struct open_how; O_CLOEXEC is added.
    static Arg how(long flags, String flagText, long resolve, String resolveText) {
        return Arg.struct(
                "{" + flagText + ", " + resolveText + "}",
                new Arg.Field.Fixed(8, flags | Linux.O_CLOEXEC),
                new Arg.Field.Fixed(8, 0),
                new Arg.Field.Fixed(8, resolve));
    }

    /// Makes a filesystem that is not attached anywhere yet; `attributes` are MOUNT_ATTR_* bits.
    void filesystem(String id, String type, Map<String, String> data, long attributes, Slot into) {
        var context = new Slot("fs:" + into.name());
        add(Step.child(id, Syscall.FSOPEN, text(type), number(Linux.FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"))
                .into(context));
        data.forEach((key, value) -> {
            if (value.isEmpty()) {
                child(id, Syscall.FSCONFIG, slot(context), number(Linux.FSCONFIG_SET_FLAG, "SET_FLAG"), text(key),
                        none(), number(0));
            } else {
                child(id, Syscall.FSCONFIG, slot(context), number(Linux.FSCONFIG_SET_STRING, "SET_STRING"), text(key),
                        text(value), number(0));
            }
        });
        child(id, Syscall.FSCONFIG, slot(context), number(Linux.FSCONFIG_CMD_CREATE, "CMD_CREATE"), none(), none(),
                number(0));
        add(Step.child(id, Syscall.FSMOUNT, slot(context), number(Linux.FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"),
                        number(attributes, MountOptions.words(attributes)))
                .into(into));
    }

    /// Attaches the mount in `from` to the place in `to`, or to the name `below` it when that is not `""`.
    static Step attach(String id, Slot from, Slot to, String below) {
        long flags = Linux.MOVE_MOUNT_F_EMPTY_PATH | (below.isEmpty() ? Linux.MOVE_MOUNT_T_EMPTY_PATH : 0);
        String shown = below.isEmpty() ? "F_EMPTY_PATH|T_EMPTY_PATH" : "F_EMPTY_PATH";
        return Step.child(id, Syscall.MOVE_MOUNT, slot(from), EMPTY, slot(to), text(below), number(flags, shown));
    }

    /// Changes attributes of the mount in `mount`, and of all below it if `recursive`.
    static Step setAttributes(String id, Slot mount, boolean recursive, long set, long propagation) {
        long flags = Linux.AT_EMPTY_PATH | (recursive ? Linux.AT_RECURSIVE : 0);
        String change = (set == 0 ? "" : "+" + MountOptions.words(set))
                + (propagation == 0 ? "" : " " + propagationWord(propagation));
        return Step.child(id, Syscall.MOUNT_SETATTR, slot(mount), EMPTY,
                number(flags, recursive ? "AT_EMPTY_PATH|AT_RECURSIVE" : "AT_EMPTY_PATH"),
                Arg.struct("{" + change.strip() + "}",
                        new Arg.Field.Fixed(8, set),
                        new Arg.Field.Fixed(8, (set & MountOptions.ATIME_MASK) != 0 ? MountOptions.ATIME_MASK : 0),
                        new Arg.Field.Fixed(8, propagation),
                        new Arg.Field.Fixed(8, 0)),
                number(32));
    }

    private static String propagationWord(long bit) {
        if (bit == MountOptions.MS_SHARED) {
            return "shared";
        }
        return bit == MountOptions.MS_SLAVE ? "slave" : bit == MountOptions.MS_UNBINDABLE ? "unbindable" : "private";
    }

    /// A copy of the mount or subtree at `below` the mount in `from`, not attached anywhere.
    static Step copy(String id, Slot from, String below, boolean recursive, Slot into) {
        long flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | (below.isEmpty() ? Linux.AT_EMPTY_PATH : 0)
                | (recursive ? Linux.AT_RECURSIVE : 0);
        String shown = "OPEN_TREE_CLONE" + (below.isEmpty() ? "|AT_EMPTY_PATH" : "")
                + (recursive ? "|AT_RECURSIVE" : "");
        return Step.child(id, Syscall.OPEN_TREE, slot(from), text(below), number(flags, shown)).into(into);
    }

    /// `path` as a name below the descriptor of the root; the root itself is `.`.
    static String relative(String path) {
        String relative = path.startsWith("/") ? path.substring(1) : path;
        return relative.isEmpty() ? "." : relative;
    }
}
