package carafe.cli.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HumanTest {

    @ParameterizedTest
    @CsvSource({
        "0, Less than a second", "1, 1 second", "59, 59 seconds", "60, About a minute", "119, About a minute", "120, 2 minutes",
        "3599, 59 minutes", "3600, About an hour", "5400, 2 hours", "172799, 2 days", "172800, 2 days", "1209600, 2 weeks",
        "5184000, 2 months", "63072000, 2 years", "94608000, 3 years"
    })
    void spansAreTold(double seconds, String words) {
        assertThat(Human.duration(seconds)).isEqualTo(words);
    }

    @ParameterizedTest
    @CsvSource({"0, 0B", "999, 999B", "1000, 1kB", "1982410, 1.98MB", "12345, 12.3kB", "999500, 1e+03kB", "1500000000, 1.5GB"})
    void sizesHaveThreeDigits(double bytes, String text) {
        assertThat(Human.size(bytes, 3)).isEqualTo(text);
    }

    @Test
    void binarySizesHaveFourDigits() {
        assertThat(Human.binarySize(25_275_000_000.0)).isEqualTo("23.54GiB");
    }

    @Test
    void idsAndTextsAreCut() {
        assertThat(Human.shortId("sha256:884f1845361ea709f79e")).isEqualTo("884f1845361e");
        assertThat(Human.ellipsis("/bin/sh -c 'while true'", 20)).isEqualTo("/bin/sh -c 'while t…");
    }

    @ParameterizedTest
    @CsvSource({
        "42m, 1764936480.000000000", "1.5h, 1764933600.000000000", "2025-12-05T12:00:00Z, 1764936000.000000000",
        "2025-12-05T13:00:00+01:00, 1764936000.000000000", "1764936000.25, 1764936000.25", "nonsense, "
    })
    void momentsAreReadInEveryForm(String typed, String seconds) {
        var clock = Clock.fixed(Instant.parse("2025-12-05T12:50:00Z"), ZoneOffset.UTC);
        assertThat(Moments.seconds(typed, clock).orElse(null)).isEqualTo(seconds);
    }
}
