package carafe.cli.format;

import carafe.cli.flag.FlagException;
import carafe.cli.flag.Values;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/// Moments as people type them: `42m` ago, `2013-01-02T13:23:37Z`, `2013-01-02`, seconds since 1970.
public final class Moments {

    private Moments() {}

    /// Seconds since 1970 with their fraction, as the API takes them; empty when `typed` is no moment.
    public static Optional<String> seconds(String typed, Clock clock) {
        try {
            return Optional.of(text(clock.instant().minusNanos(nanoseconds(typed))));
        } catch (NumberFormatException e) {
            return absolute(typed);
        }
    }

    private static long nanoseconds(String typed) {
        try {
            return Long.parseLong(Values.duration(typed));
        } catch (FlagException e) {
            throw new NumberFormatException(typed);
        }
    }

    private static Optional<String> absolute(String typed) {
        boolean digits = !typed.isEmpty() && typed.chars().allMatch(c -> c >= '0' && c <= '9' || c == '.');
        try {
            if (digits) {
                return Optional.of(new BigDecimal(typed).toPlainString());
            }
            int time = typed.indexOf('T');
            if (time < 0) {
                return Optional.of(text(LocalDate.parse(typed).atStartOfDay(ZoneId.systemDefault()).toInstant()));
            }
            boolean zoned = typed.endsWith("Z") || typed.indexOf('+', time) > 0 || typed.indexOf('-', time) > 0;
            if (zoned) {
                return Optional.of(text(OffsetDateTime.parse(typed).toInstant()));
            }
            String full = typed.length() == time + 3 ? typed + ":00" : typed;
            return Optional.of(text(LocalDateTime.parse(full).atZone(ZoneId.systemDefault()).toInstant()));
        } catch (DateTimeParseException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static String text(Instant instant) {
        String nanos = Long.toString(instant.getNano() + 1_000_000_000L);
        return instant.getEpochSecond() + "." + nanos.substring(1);
    }
}
