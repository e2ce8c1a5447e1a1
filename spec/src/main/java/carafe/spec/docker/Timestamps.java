package carafe.spec.docker;

import carafe.spec.EngineException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.Optional;

/// Times as Docker writes and reads them.
public final class Timestamps {
    /// Go's zero time, which stands for "never".
    public static final String ZERO = "0001-01-01T00:00:00Z";

    private static final DateTimeFormatter TRIMMED = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendLiteral('Z')
            .toFormatter()
            .withZone(ZoneOffset.UTC);

    private Timestamps() {}

    /// RFC 3339 in UTC with nanoseconds, trailing zeros trimmed, as Go's RFC3339Nano.
    public static String print(Instant time) {
        return TRIMMED.format(time);
    }

    /// As [#print(Instant)]; Go's zero time when empty.
    public static String print(Optional<Instant> time) {
        return time.map(Timestamps::print).orElse(ZERO);
    }

    /// Reads `since` and `until` of a query: unix seconds with up to nine decimals, or RFC 3339. Empty and `0` are
    /// "not given".
    public static Optional<Instant> parse(String text) throws EngineException.Invalid {
        if (text.isEmpty() || text.equals("0")) {
            return Optional.empty();
        }
        try {
            if (text.indexOf('-', 1) > 0) {
                return Optional.of(text.indexOf('T') > 0
                        ? DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from)
                        : LocalDateTime.parse(text + "T00:00:00").toInstant(ZoneOffset.UTC));
            }
            if (text.length() > 30) {
                throw new EngineException.Invalid("invalid time: " + text.substring(0, 30) + "…");
            }
            var seconds = new BigDecimal(text);
            var whole = seconds.toBigInteger();
            int nanos = seconds.subtract(new BigDecimal(whole)).movePointRight(9).intValue();
            return Optional.of(Instant.ofEpochSecond(whole.longValueExact(), nanos));
        } catch (DateTimeParseException | ArithmeticException | NumberFormatException e) {
            throw new EngineException.Invalid("invalid time: " + text);
        } catch (DateTimeException e) {
            throw new EngineException.Invalid("invalid time: " + text);
        }
    }
}
