package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Numbers of glibc's makedev(3).
final class DeviceNumberTest {

    @ParameterizedTest
    @CsvSource({"1, 3, 0x103", "0, 21, 0x15", "254, 0, 0xfe00", "8, 256, 0x100800", "4095, 255, 0xfffff",
            "4096, 256, 0x100000100000", "0xffffffff, 0xffffffff, 0xffffffffffffffff"})
    void majorAndMinorLieAsTheKernelHasThem(String major, String minor, String number) {
        assertThat(DeviceNumber.of(Long.decode(major), Long.decode(minor)))
                .isEqualTo(Long.parseUnsignedLong(number.substring(2), 16));
    }
}
