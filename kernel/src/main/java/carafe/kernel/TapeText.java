package carafe.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Prints a [Tape] like strace(1): part, purpose, call with arguments, and the slot that takes the result.
final class TapeText {

    private TapeText() {}

    static String of(Tape tape) {
        int width = tape.steps().stream().mapToInt(step -> step.id().length()).max().orElse(0);
        var out = new StringBuilder();
        boolean cloned = false;
        for (var step : tape.steps()) {
            if (step.part() == Part.CHILD && !cloned) {
                cloned = true;
                line(out, Part.MONITOR, "clone", width, clone(tape));
            }
            line(out, step.part(), step.id(), width, call(step));
        }
        if (!tape.kept().isEmpty()) {
            line(out, Part.MONITOR, "keep", width,
                    tape.kept().stream().map(Slot::name).collect(Collectors.joining(", ")));
        }
        return out.toString();
    }

    private static void line(StringBuilder out, Part part, String id, int width, String call) {
        out.append(part).append(" ".repeat(9 - part.toString().length()));
        out.append(id).append(" ".repeat(Math.max(0, width - id.length()) + 2)).append(call).append('\n');
    }

    /// `fsopen("proc", FSOPEN_CLOEXEC) = proc`, then what is forgiven.
    static String call(Step step) {
        var out = new StringBuilder(step.call().toString());
        out.append(step.args().stream().map(TapeText::arg).collect(Collectors.joining(", ", "(", ")")));
        var outcome = step.outcome();
        outcome.result().ifPresent(slot -> out.append(" = ").append(slot));
        outcome.exactly().ifPresent(value -> out.append(" must be ").append(value));
        if (!outcome.tolerated().isEmpty()) {
            out.append(outcome.orNext() ? " else next on " : " or ");
            out.append(outcome.tolerated().stream().map(Errno::name).collect(Collectors.joining("|")));
        }
        return out.toString();
    }

    private static String clone(Tape tape) {
        var flags = new ArrayList<String>();
        long rest = tape.cloneFlags();
        for (var flag : CLONE_FLAGS) {
            if ((rest & flag.bit) != 0) {
                flags.add(flag.name);
                rest &= ~flag.bit;
            }
        }
        if (rest != 0) {
            flags.add("0x" + Long.toHexString(rest));
        }
        var into = tape.cgroup().map(slot -> ", cgroup=" + slot).orElse("");
        var owner = tape.birthplace().map(place -> "setns(" + place.users() + ", CLONE_NEWUSER), "
                + place.processes().map(slot -> "setns(" + slot + ", CLONE_NEWPID), ").orElse("")).orElse("");
        return owner + "clone3(" + (flags.isEmpty() ? "0" : String.join("|", flags)) + into + ")";
    }

    private record Flag(String name, long bit) {}

    private static final List<Flag> CLONE_FLAGS = List.of(
            new Flag("CLONE_NEWUSER", Linux.CLONE_NEWUSER),
            new Flag("CLONE_NEWNS", Linux.CLONE_NEWNS),
            new Flag("CLONE_NEWPID", Linux.CLONE_NEWPID),
            new Flag("CLONE_NEWUTS", Linux.CLONE_NEWUTS),
            new Flag("CLONE_NEWIPC", Linux.CLONE_NEWIPC),
            new Flag("CLONE_NEWNET", Linux.CLONE_NEWNET),
            new Flag("CLONE_NEWCGROUP", Linux.CLONE_NEWCGROUP),
            new Flag("CLONE_NEWTIME", Linux.CLONE_NEWTIME));

    private static String arg(Arg arg) {
        return switch (arg) {
            case Arg.Number(long _, String shown) -> shown;
            case Arg.Text(String value) -> quoted(value);
            case Arg.Bytes(byte[] _, String shown) -> shown;
            case Arg.Strings(List<String> values) ->
                values.stream().map(TapeText::quoted).collect(Collectors.joining(", ", "[", "]"));
            case Arg.Ref(Slot slot) -> slot.name();
            case Arg.Struct(List<Arg.Field> _, String shown) -> shown;
        };
    }

    private static String quoted(String value) {
        var out = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        out.append(String.format("\\x%02x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }
}
