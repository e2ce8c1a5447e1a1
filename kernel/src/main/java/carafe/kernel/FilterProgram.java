package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A seccomp filter as it is read, without being run: what it answers to which calls of which architecture. Understands
/// the part of classic BPF that filters are made of: loads from `struct seccomp_data`, AND, jumps, returns. Immutable.
/// Source: seccomp(2), linux/filter.h, linux/seccomp.h.
final class FilterProgram {

    static final int LD_W_ABS = 0x20;
    static final int AND_K = 0x54;
    static final int JA = 0x05;
    static final int JEQ_K = 0x15;
    static final int JGT_K = 0x25;
    static final int JGE_K = 0x35;
    static final int JSET_K = 0x45;
    static final int RET_K = 0x06;
    static final int OFFSET_NR = 0;
    static final int OFFSET_ARCH = 4;
    static final int INSTRUCTION_BYTES = 8;

    private static final Set<Integer> KNOWN = Set.of(LD_W_ABS, AND_K, JA, JEQ_K, JGT_K, JGE_K, JSET_K, RET_K);
    private static final int DATA_BYTES = 64; // struct seccomp_data
    private static final long LAST_NUMBER = 0xFFFF_FFFFL;
    private static final int MOST_STEPS = 1 << 20;

    /// One `struct sock_filter`; jumps count from the instruction after it.
    record Instruction(int code, int ifTrue, int ifFalse, int k) {

        boolean branches() {
            return code == JEQ_K || code == JGT_K || code == JGE_K || code == JSET_K;
        }
    }

    /// What becomes of a call: an answer, or that depends on its arguments and the program goes on at an instruction,
    /// which loads the first of them.
    sealed interface Fate {

        /// What the kernel does with the call: a `SECCOMP_RET_` value.
        record Answer(int value) implements Fate {}

        /// The instruction at `at` and those behind it decide.
        record GoesOn(int at) implements Fate {}
    }

    /// The calls from `first` to the one before the next span's have one fate. Numbers are unsigned 32-bit.
    record Span(long first, Fate fate) {}

    private enum Loaded { NOTHING, ARCHITECTURE, NUMBER }

    private record Place(int at, Loaded loaded) {}

    private final List<Instruction> code;

    private FilterProgram(List<Instruction> code) {
        this.code = List.copyOf(code);
    }

    /// The program in `bytes`; empty if it does anything else than what is understood here.
    static Optional<FilterProgram> read(byte[] bytes) {
        if (bytes.length == 0 || bytes.length % INSTRUCTION_BYTES != 0) {
            return Optional.empty();
        }
        var in = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int length = bytes.length / INSTRUCTION_BYTES;
        var code = new ArrayList<Instruction>();
        for (int at = 0; at < length; at++) {
            var next = new Instruction(in.getShort() & 0xFFFF, in.get() & 0xFF, in.get() & 0xFF, in.getInt());
            if (!KNOWN.contains(next.code) || !staysInside(next, length - at - 1)) {
                return Optional.empty();
            }
            code.add(next);
        }
        return Optional.of(new FilterProgram(code));
    }

    private static boolean staysInside(Instruction instruction, int behind) {
        return switch (instruction.code) {
            case RET_K -> true;
            case LD_W_ABS -> behind > 0 && instruction.k >= 0 && instruction.k < DATA_BYTES && instruction.k % 4 == 0;
            case AND_K -> behind > 0;
            case JA -> instruction.k >= 0 && instruction.k < behind;
            default -> Math.max(instruction.ifTrue, instruction.ifFalse) < behind;
        };
    }

    int length() {
        return code.size();
    }

    Instruction at(int index) {
        return code.get(index);
    }

    /// The architectures it tests for, in the order in which it meets them; empty if it does more with them than that.
    Optional<Set<Integer>> architectures() {
        var found = new LinkedHashSet<Integer>();
        var seen = new HashSet<Place>();
        var open = new ArrayList<Place>();
        open.add(new Place(0, Loaded.NOTHING));
        while (!open.isEmpty()) {
            var place = open.removeFirst();
            if (!seen.add(place)) {
                continue;
            }
            var now = code.get(place.at);
            if (now.code == RET_K || now.code == LD_W_ABS && loaded(now).isEmpty()) {
                continue;
            }
            if (now.branches()) {
                if (place.loaded == Loaded.ARCHITECTURE) {
                    if (now.code != JEQ_K) {
                        return Optional.empty();
                    }
                    found.add(now.k);
                }
                open.add(new Place(place.at + 1 + now.ifTrue, place.loaded));
                open.add(new Place(place.at + 1 + now.ifFalse, place.loaded));
            } else {
                int next = now.code == JA ? place.at + 1 + now.k : place.at + 1;
                open.add(new Place(next, now.code == LD_W_ABS ? loaded(now).orElseThrow() : place.loaded));
            }
        }
        return Optional.of(found);
    }

    /// What the load brings; empty for anything but the architecture and the call's number.
    private static Optional<Loaded> loaded(Instruction load) {
        return switch (load.k) {
            case OFFSET_ARCH -> Optional.of(Loaded.ARCHITECTURE);
            case OFFSET_NR -> Optional.of(Loaded.NUMBER);
            default -> Optional.empty();
        };
    }

    /// The fates of all calls of `architecture`, in ascending order, no two neighbours alike; of one that it does not
    /// test for when that is empty. Nothing, if the program calculates with numbers or would take too long to follow.
    Optional<List<Span>> spans(Optional<Integer> architecture) {
        var following = new Following(architecture);
        return following.from(0, Loaded.NOTHING, 0, LAST_NUMBER) ? Optional.of(following.spans) : Optional.empty();
    }

    /// One walk through the program for all numbers at once: at a comparison the range of numbers is divided.
    private final class Following {
        private final Optional<Integer> architecture;
        private final List<Span> spans = new ArrayList<>();
        private int steps;

        Following(Optional<Integer> architecture) {
            this.architecture = architecture;
        }

        boolean from(int start, Loaded before, long first, long last) {
            int at = start;
            var loaded = before;
            while (steps++ < MOST_STEPS) {
                var now = code.get(at);
                if (now.code == RET_K) {
                    return add(first, new Fate.Answer(now.k));
                }
                if (now.code == LD_W_ABS) {
                    var what = loaded(now);
                    if (what.isEmpty()) {
                        return add(first, new Fate.GoesOn(at));
                    }
                    loaded = what.get();
                    at++;
                } else if (now.code == JA) {
                    at += 1 + now.k;
                } else if (!now.branches() || loaded == Loaded.NOTHING) {
                    return false;
                } else if (loaded == Loaded.ARCHITECTURE) {
                    boolean same = architecture.isPresent() && architecture.get() == now.k;
                    at += 1 + (same ? now.ifTrue : now.ifFalse);
                } else {
                    return divide(at, now, first, last);
                }
            }
            return false;
        }

        private boolean divide(int at, Instruction comparison, long first, long last) {
            long k = Integer.toUnsignedLong(comparison.k);
            int yes = at + 1 + comparison.ifTrue;
            int no = at + 1 + comparison.ifFalse;
            return switch (comparison.code) {
                case JGE_K -> part(no, first, Math.min(last, k - 1)) && part(yes, Math.max(first, k), last);
                case JGT_K -> part(no, first, Math.min(last, k)) && part(yes, Math.max(first, k + 1), last);
                case JEQ_K -> part(no, first, Math.min(last, k - 1))
                        && part(yes, Math.max(first, k), Math.min(last, k))
                        && part(no, Math.max(first, k + 1), last);
                default -> false;
            };
        }

        private boolean part(int at, long first, long last) {
            return first > last || from(at, Loaded.NUMBER, first, last);
        }

        private boolean add(long first, Fate fate) {
            if (spans.isEmpty() || !spans.getLast().fate.equals(fate)) {
                spans.add(new Span(first, fate));
            }
            return true;
        }
    }

    /// Whether this and `other` answer alike to every call with every argument, as far as can be told by reading.
    boolean answersLike(FilterProgram other) {
        var mine = architectures();
        var others = other.architectures();
        if (mine.isEmpty() || others.isEmpty()) {
            return false;
        }
        var all = new ArrayList<Optional<Integer>>();
        mine.get().forEach(architecture -> all.add(Optional.of(architecture)));
        others.get().forEach(architecture -> all.add(Optional.of(architecture)));
        all.add(Optional.empty());
        return all.stream().allMatch(architecture -> alike(architecture, other));
    }

    private boolean alike(Optional<Integer> architecture, FilterProgram other) {
        var mine = spans(architecture);
        var others = other.spans(architecture);
        if (mine.isEmpty() || others.isEmpty() || mine.get().size() != others.get().size()) {
            return false;
        }
        var known = new HashMap<Pair, Boolean>();
        for (int i = 0; i < mine.get().size(); i++) {
            var one = mine.get().get(i);
            var two = others.get().get(i);
            if (one.first != two.first || !sameFate(one.fate, other, two.fate, known)) {
                return false;
            }
        }
        return true;
    }

    private record Pair(int mine, int others) {}

    private boolean sameFate(Fate mine, FilterProgram other, Fate others, Map<Pair, Boolean> known) {
        return switch (mine) {
            case Fate.Answer answer -> answer.equals(others);
            case Fate.GoesOn(int at) -> others instanceof Fate.GoesOn(int theirs) && sameFrom(at, other, theirs, known);
        };
    }

    /// Whether what follows `mine` here is, step by step, what follows `others` there.
    private boolean sameFrom(int mine, FilterProgram other, int others, Map<Pair, Boolean> known) {
        int one = landing(mine);
        int two = other.landing(others);
        var place = new Pair(one, two);
        var before = known.get(place);
        if (before != null) {
            return before;
        }
        var here = code.get(one);
        var there = other.code.get(two);
        boolean same = here.code == there.code && here.k == there.k;
        if (same && here.branches()) {
            same = sameFrom(one + 1 + here.ifTrue, other, two + 1 + there.ifTrue, known)
                    && sameFrom(one + 1 + here.ifFalse, other, two + 1 + there.ifFalse, known);
        } else if (same && here.code != RET_K) {
            same = sameFrom(one + 1, other, two + 1, known);
        }
        known.put(place, same);
        return same;
    }

    /// The instruction at which a jump to `at` ends, jumps that only lead on passed over.
    int landing(int at) {
        int landed = at;
        while (code.get(landed).code == JA) {
            landed += 1 + code.get(landed).k;
        }
        return landed;
    }
}
