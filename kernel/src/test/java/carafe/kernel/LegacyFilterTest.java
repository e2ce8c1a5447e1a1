package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Rules as no kernel gives them. What real ones do, LegacyFirewallTest of room network sees.
class LegacyFilterTest {

    private static final int HEAD = 112;
    private static final int ACCEPT = -2;
    private static final int DROP = -1;

    private final Arena arena = Arena.ofConfined();
    private final ByteArrayOutputStream rules = new ByteArrayOutputStream();

    @AfterEach
    void free() {
        arena.close();
    }

    private static ByteBuffer entry(int targetOffset, int bytes) {
        return ByteBuffer.allocate(Math.max(bytes, HEAD + 40)).order(ByteOrder.nativeOrder())
                .putShort(88, (short) targetOffset).putShort(90, (short) bytes);
    }

    /// A rule without conditions whose verdict is this; the offset of the next.
    private int rule(int verdict) {
        rules.writeBytes(entry(HEAD, HEAD + 40).putShort(HEAD, (short) 40).putInt(HEAD + 32, verdict).array());
        return rules.size();
    }

    private void raw(ByteBuffer entry, int bytes) {
        rules.write(entry.array(), 0, bytes);
    }

    private boolean drops(int first, int policy) throws KernelException {
        var memory = arena.allocate(rules.size(), 8).copyFrom(MemorySegment.ofArray(rules.toByteArray()));
        return new LegacyFilter(LegacyFilter.FOUR, memory).chain(first, policy).drops();
    }

    private void isRefused(int first, int policy, String why) {
        assertThatThrownBy(() -> drops(first, policy)).isInstanceOf(KernelException.class).hasMessageContaining(why);
    }

    @Test
    void aPolicyIsRead() throws Exception {
        int policy = rule(ACCEPT);
        int end = rule(DROP);
        rule(ACCEPT);
        assertThat(drops(0, 0)).isFalse();
        assertThat(drops(policy, policy)).isTrue();
        assertThat(drops(0, end)).as("the first rule decides").isFalse();
    }

    @Test
    void offsetsOutsideAreRefused() {
        int end = rule(DROP);
        isRefused(end, end, "rules outside the table");
        isRefused(-8, -8, "rules outside the table");
        isRefused(0, end, "rules without end");
    }

    @Test
    void aVerdictThatLeadsOutsideIsRefused() {
        rule(1 << 30);
        rule(DROP);
        isRefused(0, 0, "rules outside the table");
    }

    @Test
    void aTargetThatIsCutOffIsRefused() {
        raw(entry(HEAD, HEAD + 33), HEAD + 33); // a name of 32 bytes, one byte of the verdict's four
        isRefused(0, 0, "a rule without a verdict");
        rules.reset();
        raw(entry(HEAD, HEAD + 8), HEAD + 8);
        isRefused(0, 0, "a rule without a target");
        rules.reset();
        raw(entry(60000, HEAD + 40), HEAD + 40);
        isRefused(0, 0, "a rule without a target");
        rules.reset();
        raw(entry(HEAD - 8, HEAD + 40), HEAD + 40);
        isRefused(0, 0, "a rule without a target");
    }

    @Test
    void aConditionThatIsCutOffIsRefused() {
        for (int bytes : new int[] {0, 8, 60000}) {
            rules.reset();
            raw(entry(HEAD + 40, HEAD + 80).putShort(HEAD, (short) bytes)
                    .put(HEAD + 2, "comment".getBytes(StandardCharsets.US_ASCII)), HEAD + 80);
            isRefused(0, 0, "a rule with half a condition");
        }
    }

    @Test
    void chainsOfChainsEnd() {
        for (int i = 1; i <= 5000; i++) {
            rule(i * (HEAD + 40));
        }
        rule(DROP);
        isRefused(0, 0, "chains that lead to others more than 200 deep");
    }

    @Test
    void aNameWithoutEndIsNoneWeKnow() throws Exception {
        var entry = entry(HEAD, HEAD + 40).putShort(HEAD, (short) 40);
        for (int i = 0; i < 30; i++) {
            entry.put(HEAD + 2 + i, (byte) 'x');
        }
        raw(entry, HEAD + 40);
        int policy = rules.size();
        rule(DROP);
        rule(ACCEPT);
        assertThat(drops(0, policy)).isTrue();
    }
}
