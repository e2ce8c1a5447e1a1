package carafe.build.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClosingTest {

    private final List<String> closed = new ArrayList<>();

    private Closeable thing(String name, boolean fails) {
        return () -> {
            closed.add(name);
            if (fails) {
                throw new IOException(name + " cannot be closed");
            }
        };
    }

    @Test
    void allAreClosedWhateverBecomesOfSome() {
        assertThatThrownBy(() -> Closing.all(List.of(thing("a", false), thing("b", true), thing("c", false), thing("d", true))))
                .isInstanceOf(IOException.class).hasMessage("b cannot be closed")
                .satisfies(e -> assertThat(e.getSuppressed()).extracting(Throwable::getMessage)
                        .containsExactly("d cannot be closed"));
        assertThat(closed).containsExactly("a", "b", "c", "d");
    }

    @Test
    void aFaultOfOursLeavesNothingOpenEither() {
        assertThatThrownBy(() -> Closing.all(List.of(() -> {
            throw new IllegalStateException("a");
        }, thing("b", true), thing("c", false)))).isInstanceOf(IllegalStateException.class).hasMessage("a")
                .satisfies(e -> assertThat(e.getSuppressed()).extracting(Throwable::getMessage)
                        .containsExactly("b cannot be closed"));
        assertThat(closed).containsExactly("b", "c");
    }

    @Test
    void nothingIsThrownWhereNothingFails() throws Exception {
        Closing.all(List.of(thing("a", false)));
        assertThat(closed).containsExactly("a");
    }
}
