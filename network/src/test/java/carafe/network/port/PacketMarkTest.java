package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PacketMarkTest {

    @ParameterizedTest
    @CsvSource({
        "0, 0, -1",
        "10, 10, -1",
        "0x10, 16, -1",
        "0X1f, 31, -1",
        "010, 8, -1",
        "0o17, 15, -1",
        "0b101, 5, -1",
        "4294967295, -1, -1",
        "0xffffffff/0xffffffff, -1, -1",
        "0x10/0xf0, 16, 240",
        "0/0, 0, 0",
        "1/1, 1, 1",
    })
    void numbersOfAllBasesAreRead(String text, int mark, int mask) {
        assertThat(PacketMark.parse(text)).isEqualTo(new PacketMark(mark, mask));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "/", "vpn", "-1", "+1", "0x", "0x-1", "0b2", "08", "0o8", "1/", "/1", "1/2/3", "4294967296", "0x100000000", "1 ", "0xg",
        "99999999999999999999"
    })
    void whatIsNoneIsRefused(String text) {
        assertThatThrownBy(() -> PacketMark.parse(text)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("\"" + text + "\" is no mark of packets: MARK or MARK/MASK is meant, numbers of up to 32 bits, as"
                        + " 0x10/0xf0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x11/0xf0", "1/0", "0xffffffff/0x7fffffff"})
    void aMarkThatNoPacketCanHaveIsRefused(String text) {
        assertThatThrownBy(() -> PacketMark.parse(text)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no packet has the mark " + text + ": it has bits that are not in its mask");
    }
}
