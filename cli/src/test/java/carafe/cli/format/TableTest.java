package carafe.cli.format;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void columnsAreAsWideAsTheirWidestCellAndAtLeastTen() {
        assertThat(Table.align("A\tB\tC\nlonger than ten\tx\tyyyy\n")).isEqualTo("""
                A                 B         C
                longer than ten   x         yyyy
                """);
    }

    @Test
    void aColumnEndsWhereALineHasNoSuchCell() {
        assertThat(Table.align("aaaaaaaaaaaa\tb\nplain\ncc\td\n")).isEqualTo("aaaaaaaaaaaa   b\nplain\ncc        d\n");
    }

    @Test
    void charactersCountOnceHoweverManyBytesTheyTake() {
        assertThat(Table.align("é…\tx\n1234567890\ty\n")).isEqualTo("é…           x\n1234567890   y\n");
    }

    @Test
    void emptyCellsKeepTheirPlace() {
        assertThat(Table.align("A\tB\tC\n1\t\t3\n")).isEqualTo("A         B         C\n1                   3\n");
    }
}
