package carafe.spec.tar;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UnpackBoundsTest {

    private final UnpackBounds bounds = new UnpackBounds(1000, 100, 20);

    @Test
    void muchMayComeOutOfMuch() {
        assertThat(bounds.excess(1000)).isEmpty();
        assertThat(bounds.excess(1000, 50)).isEmpty();
        assertThat(bounds.excess(100, 1)).isEmpty();
    }

    @Test
    void whatIsTooMuchIsSaid() {
        assertThat(bounds.excess(1001)).contains("is larger than 1000 bytes");
        assertThat(bounds.excess(1001, 60)).contains("is larger than 1000 bytes");
        assertThat(bounds.excess(200, 9)).contains("unpacks to more than 20 times its size");
    }
}
