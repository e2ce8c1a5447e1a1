package carafe.kernel;

import carafe.kernel.FilterProgram.Fate;
import carafe.kernel.FilterProgram.Instruction;
import carafe.kernel.FilterProgram.Span;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/// Makes a compiled filter short.
///
/// Why: libseccomp compares with each call's number, though most neighbours share one fate, so Docker's profile becomes
/// 1 261 instructions. The kernel translates and compiles all of them at each start and asks them about each call once:
/// 250 µs. As ranges the same profile is a quarter as long and takes 90 µs:
///
///     ld arch
///     for every architecture: jeq ARCH → its block
///     what becomes of the others
///     block: ld nr
///            a balanced tree of jge over the first number of each range; its leaves are returns, or
///            the original's comparisons of arguments
///
/// A filter that is not understood, not shorter or not shown to answer like the original is left as it is. The program
/// is made from its end, because jumps only lead forward and the conditional ones over 255 instructions at most.
final class ShortFilter {

    private static final int FARTHEST = 255;
    private static final int ROOM = 2; // the instructions that may come between a target and the jump to it

    private final FilterProgram original;
    private final List<Instruction> backwards = new ArrayList<>();
    private final Map<Integer, Integer> answers = new HashMap<>(); // answer -> where it was placed last
    private final Map<Integer, Integer> copies = new HashMap<>(); // instruction of the original -> where it is now

    private ShortFilter(FilterProgram original) {
        this.original = original;
    }

    /// The same filter, shorter if that is possible.
    static byte[] of(byte[] filter) {
        return FilterProgram.read(filter).flatMap(program -> new ShortFilter(program).made())
                .filter(made -> made.length < filter.length)
                .orElse(filter);
    }

    private Optional<byte[]> made() {
        var architectures = original.architectures();
        var others = original.spans(Optional.empty());
        if (architectures.isEmpty() || others.isEmpty()) {
            return Optional.empty();
        }
        var dispatch = block(others.get());
        for (int architecture : List.copyOf(architectures.get()).reversed()) {
            var spans = original.spans(Optional.of(architecture));
            if (spans.isEmpty()) {
                return Optional.empty();
            }
            int before = dispatch;
            int own = block(spans.get());
            dispatch = branch(FilterProgram.JEQ_K, architecture, own, before);
        }
        follow(dispatch);
        add(new Instruction(FilterProgram.LD_W_ABS, 0, 0, FilterProgram.OFFSET_ARCH));
        byte[] bytes = bytes();
        return FilterProgram.read(bytes).filter(original::answersLike).map(_ -> bytes);
    }

    /// Places what becomes of the calls of one architecture, and says where.
    private int block(List<Span> spans) {
        int tree = tree(spans);
        if (spans.size() == 1) {
            return tree;
        }
        follow(tree);
        return add(new Instruction(FilterProgram.LD_W_ABS, 0, 0, FilterProgram.OFFSET_NR));
    }

    private int tree(List<Span> spans) {
        if (spans.size() == 1) {
            return switch (spans.getFirst().fate()) {
                case Fate.Answer(int value) -> answer(value);
                case Fate.GoesOn(int at) -> copy(at);
            };
        }
        int middle = spans.size() / 2;
        int higher = tree(spans.subList(middle, spans.size()));
        int lower = tree(spans.subList(0, middle));
        return branch(FilterProgram.JGE_K, (int) spans.get(middle).first(), higher, lower);
    }

    private int answer(int value) {
        var placed = answers.get(value);
        if (placed != null && reaches(placed)) {
            return placed;
        }
        int here = add(new Instruction(FilterProgram.RET_K, 0, 0, value));
        answers.put(value, here);
        return here;
    }

    /// Places the original's instructions from `start` on, as far as they can be reached.
    private int copy(int start) {
        var reached = new TreeSet<Integer>();
        reach(original.landing(start), reached);
        for (int at : reached.descendingSet()) {
            if (copies.containsKey(at)) {
                continue;
            }
            var now = original.at(at);
            int here;
            if (now.code() == FilterProgram.RET_K) {
                here = answer(now.k());
            } else if (now.branches()) {
                here = branch(now.code(), now.k(), copied(at + 1 + now.ifTrue()), copied(at + 1 + now.ifFalse()));
            } else {
                follow(copied(at + 1));
                here = add(now);
            }
            copies.put(at, here);
        }
        return copied(start);
    }

    private void reach(int at, TreeSet<Integer> reached) {
        if (!reached.add(at)) {
            return;
        }
        var now = original.at(at);
        if (now.branches()) {
            reach(original.landing(at + 1 + now.ifTrue()), reached);
            reach(original.landing(at + 1 + now.ifFalse()), reached);
        } else if (now.code() != FilterProgram.RET_K) {
            reach(original.landing(at + 1), reached);
        }
    }

    private int copied(int at) {
        return Objects.requireNonNull(copies.get(original.landing(at)));
    }

    /// A conditional jump; to what it does not reach it goes by a jump beside it.
    private int branch(int code, int k, int yes, int no) {
        int near = reaches(yes) ? yes : jump(yes);
        int nearToo = reaches(no) ? no : jump(no);
        return add(new Instruction(code, distance(near), distance(nearToo), k));
    }

    private int jump(int target) {
        return add(new Instruction(FilterProgram.JA, 0, 0, distance(target)));
    }

    /// Sees to it that what is added next runs on into `target`.
    private void follow(int target) {
        if (distance(target) > 0) {
            jump(target);
        }
    }

    private boolean reaches(int target) {
        return distance(target) <= FARTHEST - ROOM;
    }

    /// From the instruction that is added next, as a jump counts it.
    private int distance(int target) {
        return backwards.size() - target - 1;
    }

    private int add(Instruction instruction) {
        backwards.add(instruction);
        return backwards.size() - 1;
    }

    private byte[] bytes() {
        var out = ByteBuffer.allocate(backwards.size() * FilterProgram.INSTRUCTION_BYTES).order(ByteOrder.nativeOrder());
        for (var each : backwards.reversed()) {
            out.putShort((short) each.code()).put((byte) each.ifTrue()).put((byte) each.ifFalse()).putInt(each.k());
        }
        return out.array();
    }
}
