package carafe.spec.docker;

import carafe.spec.EngineException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

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

    private static final String SPAN = "(\\d{1,19}(\\.\\d{0,18})?(ns|us|µs|μs|ms|s|m|h)){1,20}";
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d*)?)([a-zµμ]+)");
    private static final Map<String, Long> NANOS = Map.of("ns", 1L, "us", 1_000L, "µs", 1_000L, "μs", 1_000L,
            "ms", 1_000_000L, "s", 1_000_000_000L, "m", 60_000_000_000L, "h", 3_600_000_000_000L);

    private Timestamps() {}

    /// RFC 3339 in UTC with nanoseconds, trailing zeros trimmed, as Go's RFC3339Nano.
    public static String print(Instant time) {
        return TRIMMED.format(time);
    }

    /// As [#print(Instant)]; Go's zero time when empty.
    public static String print(Optional<Instant> time) {
        return time.map(Timestamps::print).orElse(ZERO);
    }

    /// Reads `until` of a prune: a span back from `now` as Go's (`1h30m`, `1.5h`, `100ms`), or else as [#parse(String)].
    public static Optional<Instant> parse(String text, Instant now) throws EngineException.Invalid {
        var span = span(text);
        return span.isPresent() ? span.map(now::minus) : parse(text);
    }

    /// Reads a span of time as Go's; empty where the text is none.
    public static Optional<Duration> span(String text) throws EngineException.Invalid {
        if (!text.matches(SPAN)) {
            return Optional.empty();
        }
        var nanos = BigDecimal.ZERO;
        for (var matcher = PART.matcher(text); matcher.find();) {
            long unit = NANOS.getOrDefault(matcher.group(2), 1L);
            nanos = nanos.add(new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit)));
        }
        try {
            return Optional.of(Duration.ofNanos(nanos.setScale(0, RoundingMode.DOWN).longValueExact()));
        } catch (ArithmeticException e) {
            throw new EngineException.Invalid("invalid time: " + text + " is too long ago");
        }
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
