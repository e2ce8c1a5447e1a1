package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class NftCommentTest {

    @Test
    void whatWasWrittenIsRead() {
        for (String text : List.of("x", "data root /tmp/ä b", "l".repeat(NftTable.MOST_COMMENT_BYTES))) {
            assertThat(NftComment.read(NftComment.write(text))).isEqualTo(text);
        }
    }

    @Test
    void notesOfOthersAreNoHarm() {
        assertThat(NftComment.read(new byte[0])).isEmpty();
        assertThat(NftComment.read(new byte[] {0})).isEmpty();
        assertThat(NftComment.read(new byte[] {0, 0})).as("not even a NUL").isEmpty();
        assertThat(NftComment.read(new byte[] {0, 9, 'x', 0})).as("longer than it is").isEmpty();
        assertThat(NftComment.read(new byte[] {0, 2, 'x', 'y'})).as("no end").isEmpty();
        assertThat(NftComment.read(new byte[] {7, 1, 'z', 0, 2, 'x', 0})).as("behind another").isEqualTo("x");
        assertThat(NftComment.read(new byte[] {7, (byte) 255, 'z'})).isEmpty();
    }

    @Test
    void aTableTakesNoCommentThatNftCannotReadAgain() {
        for (String text : List.of("a \" b", "a\nb", "ä".repeat(127), "\u0000")) {
            assertThatThrownBy(() -> new NftTable("t", text, List.of(), List.of()))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("not a comment of a table: ");
        }
        assertThat(new NftTable("t", "mine", List.of(), List.of())).hasToString("""
                table inet t {
                    comment "mine"
                }
                """);
    }
}
