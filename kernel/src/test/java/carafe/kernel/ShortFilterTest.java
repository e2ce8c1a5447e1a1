package carafe.kernel;

import static carafe.kernel.FilterProgram.AND_K;
import static carafe.kernel.FilterProgram.JA;
import static carafe.kernel.FilterProgram.JEQ_K;
import static carafe.kernel.FilterProgram.JGE_K;
import static carafe.kernel.FilterProgram.JGT_K;
import static carafe.kernel.FilterProgram.JSET_K;
import static carafe.kernel.FilterProgram.LD_W_ABS;
import static carafe.kernel.FilterProgram.RET_K;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Filters made short, and filters that must stay as they are.
class ShortFilterTest {

    private static final int ARCHITECTURE = 0xC000003E;
    private static final int OTHER = 0x40000003;
    private static final int ARGUMENT = 16;
    private static final int SECOND_ARGUMENT = 24;
    private static final int ALLOW = 0x7FFF0000;
    private static final int ERRNO = 0x00050001;

    private final List<int[]> code = new ArrayList<>();

    private ShortFilterTest add(int opcode, int ifTrue, int ifFalse, int k) {
        code.add(new int[] {opcode, ifTrue, ifFalse, k});
        return this;
    }

    private byte[] bytes() {
        var out = ByteBuffer.allocate(code.size() * 8).order(ByteOrder.nativeOrder());
        for (int[] each : code) {
            out.putShort((short) each[0]).put((byte) each[1]).put((byte) each[2]).putInt(each[3]);
        }
        return out.array();
    }

    private static void alike(byte[] made, byte[] whole, int most, String seed) {
        for (int architecture : new int[] {ARCHITECTURE, OTHER, 1}) {
            for (int number = -1; number <= most + 1; number++) {
                for (long value : new long[] {0, 1, 2, 3, -1}) {
                    assertThat(FilterInterpreter.answer(made, architecture, number, value, value >> 1))
                            .as("%s: %x %d %x", seed, architecture, number, value)
                            .isEqualTo(FilterInterpreter.answer(whole, architecture, number, value, value >> 1));
                }
            }
        }
    }

    /// One comparison after the other, as a compiler writes it that knows no better: answers and arguments at random.
    private byte[] chain(Random random, int calls) {
        code.clear();
        add(LD_W_ABS, 0, 0, 4).add(JEQ_K, 1, 0, ARCHITECTURE).add(RET_K, 0, 0, 0).add(LD_W_ABS, 0, 0, 0);
        for (int number = 0; number < calls; number++) {
            int k = random.nextInt(4) == 0 ? random.nextInt(calls) : number;
            switch (random.nextInt(8)) {
                case 0 -> add(JEQ_K, 0, 5, k).add(LD_W_ABS, 0, 0, ARGUMENT)
                        .add(AND_K, 0, 0, 3).add(JEQ_K, 0, 1, random.nextInt(4)).add(RET_K, 0, 0, ALLOW)
                        .add(RET_K, 0, 0, ERRNO);
                case 1 -> add(JEQ_K, 0, 6, k).add(LD_W_ABS, 0, 0, SECOND_ARGUMENT)
                        .add(JSET_K, 0, 2, 1 + random.nextInt(3)).add(LD_W_ABS, 0, 0, ARGUMENT)
                        .add(JGT_K, 0, 1, 1).add(RET_K, 0, 0, ALLOW).add(RET_K, 0, 0, ERRNO + random.nextInt(2));
                case 2 -> add(JGT_K, 0, 1, calls - random.nextInt(3)).add(RET_K, 0, 0, ERRNO + random.nextInt(3));
                case 3 -> add(JGE_K, 0, 2, calls - random.nextInt(2)).add(JA, 0, 0, 0).add(RET_K, 0, 0, ERRNO);
                default -> add(JEQ_K, 0, 1, k).add(RET_K, 0, 0, random.nextInt(3) == 0 ? ERRNO : ALLOW);
            }
        }
        return add(RET_K, 0, 0, ERRNO).bytes();
    }

    @Test
    void chainsOfAnyKindAnswerAsBefore() {
        for (int seed = 0; seed < 60; seed++) {
            byte[] whole = chain(new Random(seed), 5 + seed * 5);
            byte[] made = ShortFilter.of(whole);
            assertThat(made.length).isLessThanOrEqualTo(whole.length);
            alike(made, whole, 5 + seed * 5, "seed " + seed);
        }
    }

    @Test
    void neighboursOfOneAnswerBecomeOneRange() {
        add(LD_W_ABS, 0, 0, 4).add(JEQ_K, 1, 0, ARCHITECTURE).add(RET_K, 0, 0, 0).add(LD_W_ABS, 0, 0, 0);
        for (int number = 10; number < 400; number++) {
            add(JEQ_K, 0, 1, number).add(RET_K, 0, 0, ALLOW);
        }
        byte[] whole = add(RET_K, 0, 0, ERRNO).bytes();
        byte[] made = ShortFilter.of(whole);
        assertThat(made).hasSizeLessThanOrEqualTo(10 * 8);
        alike(made, whole, 500, "range");
    }

    @Test
    void farTargetsAreReached() { // 600 ranges, and arguments compared at both ends
        add(LD_W_ABS, 0, 0, 4).add(JEQ_K, 1, 0, ARCHITECTURE).add(RET_K, 0, 0, 0).add(LD_W_ABS, 0, 0, 0);
        for (int number = 0; number < 1200; number += 2) {
            if (number % 599 < 2) {
                add(JEQ_K, 0, 3, number).add(LD_W_ABS, 0, 0, ARGUMENT).add(JEQ_K, 0, 1, 2).add(RET_K, 0, 0, ALLOW);
                add(RET_K, 0, 0, number);
                code.set(code.size() - 5, new int[] {JEQ_K, 0, 4, number});
            } else {
                add(JEQ_K, 0, 1, number).add(RET_K, 0, 0, ALLOW);
            }
        }
        byte[] whole = add(RET_K, 0, 0, ERRNO).bytes();
        byte[] made = ShortFilter.of(whole);
        assertThat(made.length).isLessThanOrEqualTo(whole.length);
        alike(made, whole, 1210, "far");
    }

    @Test
    void whatIsNotUnderstoodIsLeftAlone() {
        add(LD_W_ABS, 0, 0, 0).add(AND_K, 0, 0, 1).add(JEQ_K, 0, 1, 1).add(RET_K, 0, 0, ALLOW);
        byte[] calculates = add(RET_K, 0, 0, ERRNO).bytes();
        assertThat(ShortFilter.of(calculates)).isSameAs(calculates);
        code.clear();
        byte[] asksTheArchitecturesBits = add(LD_W_ABS, 0, 0, 4).add(JSET_K, 0, 1, 1).add(RET_K, 0, 0, ALLOW)
                .add(RET_K, 0, 0, ERRNO).add(RET_K, 0, 0, ERRNO).bytes();
        assertThat(ShortFilter.of(asksTheArchitecturesBits)).isSameAs(asksTheArchitecturesBits);
        code.clear();
        byte[] runsOffItsEnd = add(LD_W_ABS, 0, 0, 0).add(JEQ_K, 0, 9, 1).add(RET_K, 0, 0, ALLOW).bytes();
        assertThat(ShortFilter.of(runsOffItsEnd)).isSameAs(runsOffItsEnd);
        byte[] half = new byte[12];
        assertThat(ShortFilter.of(half)).isSameAs(half);
        byte[] nothing = {};
        assertThat(ShortFilter.of(nothing)).isSameAs(nothing);
    }
}
