package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class DetachKeysTest {

    private static String pass(DetachKeys keys, String typed) {
        var out = keys.pass(ByteBuffer.wrap(typed.getBytes(StandardCharsets.ISO_8859_1)));
        return StandardCharsets.ISO_8859_1.decode(out).toString();
    }

    @Test
    void theDefaultIsControlPControlQ() throws Exception {
        var keys = DetachKeys.parse("");
        assertThat(pass(keys, "abc\20")).isEqualTo("abc");
        assertThat(keys.detached()).isFalse();
        assertThat(pass(keys, "x")).isEqualTo("\20x");
        assertThat(pass(keys, "\20\21rest")).isEmpty();
        assertThat(keys.detached()).isTrue();
    }

    @Test
    void aSequenceMayBeginAgainInsideItself() throws Exception {
        var keys = DetachKeys.parse("a,a,b");
        assertThat(pass(keys, "aaa")).isEqualTo("a");
        assertThat(pass(keys, "b")).isEmpty();
        assertThat(keys.detached()).isTrue();
    }

    @Test
    void keysAreReadAsDockerReadsThem() throws Exception {
        assertThat(pass(DetachKeys.parse("ctrl-@"), "a\0")).isEqualTo("a");
        assertThat(pass(DetachKeys.parse("CTRL-[,q"), "\33q")).isEmpty();
        for (var wrong : List.of("ctrl-", "ctrl-1", "esc", "a,,b", "é")) {
            assertThatThrownBy(() -> DetachKeys.parse(wrong)).as(wrong).isInstanceOf(EngineException.Invalid.class);
        }
    }

    @Test
    void whateverIsTypedArrivesUnlessItDetaches() throws Exception {
        long seed = Long.getLong("carafe.seed", new Random().nextLong());
        var random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            var keys = DetachKeys.parse("a,b,a,c");
            var typed = new StringBuilder();
            var passed = new StringBuilder();
            for (int piece = 0; piece < 10 && !keys.detached(); piece++) {
                var text = new StringBuilder();
                for (int length = random.nextInt(5); length >= 0; length--) {
                    text.append((char) ('a' + random.nextInt(3)));
                }
                typed.append(text);
                passed.append(pass(keys, text.toString()));
            }
            int found = typed.indexOf("abac");
            assertThat(keys.detached()).as("seed " + seed + " " + typed).isEqualTo(found >= 0);
            if (found >= 0) {
                assertThat(passed.toString()).as("seed " + seed).isEqualTo(typed.substring(0, found));
            } else {
                assertThat(typed.toString()).as("seed " + seed).startsWith(passed.toString());
                assertThat("aba").startsWith(typed.substring(passed.length()));
            }
        }
    }
}
