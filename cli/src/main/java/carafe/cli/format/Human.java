package carafe.cli.format;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Locale;

/// Sizes, ages and instants for people.
public final class Human {

    private static final String[] DECIMAL = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private static final DateTimeFormatter MOMENT = new DateTimeFormatterBuilder()
            .appendPattern("yyyy-MM-dd HH:mm:ss").appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendLiteral(" +0000 UTC").toFormatter(Locale.ROOT);

    private Human() {}

    /// A span of `seconds` in words: `About a minute`, `3 days`.
    public static String duration(double seconds) {
        long whole = (long) seconds;
        if (whole < 1) {
            return "Less than a second";
        }
        if (whole < 60) {
            return whole == 1 ? "1 second" : whole + " seconds";
        }
        if (whole < 3600) {
            return whole < 120 ? "About a minute" : whole / 60 + " minutes";
        }
        long hours = (long) (seconds / 3600 + 0.5);
        if (hours < 48) {
            return hours == 1 ? "About an hour" : hours + " hours";
        }
        if (hours < 24 * 7 * 2) {
            return hours / 24 + " days";
        }
        if (hours < 24 * 30 * 2) {
            return hours / 24 / 7 + " weeks";
        }
        return hours < 24 * 365 * 2 ? hours / 24 / 30 + " months" : whole / 3600 / 24 / 365 + " years";
    }

    /// Bytes in powers of 1000 with `digits` digits: `1.98MB`.
    public static String size(double bytes, int digits) {
        return scaled(bytes, 1000, DECIMAL, digits);
    }

    /// Bytes in powers of 1024: `23.55GiB`.
    public static String binarySize(double bytes) {
        return scaled(bytes, 1024, BINARY, 4);
    }

    private static String scaled(double amount, int step, String[] units, int digits) {
        int unit = 0;
        while (amount >= step && unit < units.length - 1) {
            amount /= step;
            unit++;
        }
        var rounded = new BigDecimal(amount).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        if (rounded.precision() - rounded.scale() > digits) { // as Go's %g does
            return String.format(Locale.ROOT, "%." + (digits - 1) + "e", amount).replaceFirst("\\.?0*e", "e") + units[unit];
        }
        return (rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString()) + units[unit];
    }

    /// An instant as Go's Time prints: `2026-11-23 22:58:41 +0000 UTC`.
    public static String instant(Instant instant) {
        return DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss xx zzz", Locale.ROOT)
                .format(instant.atZone(ZoneId.systemDefault()));
    }

    /// An instant of UTC as Go's Time prints it, with as much of its fraction as it has:
    /// `2026-11-23 22:58:41.5 +0000 UTC`.
    public static String moment(Instant instant) {
        return MOMENT.format(instant.atOffset(ZoneOffset.UTC));
    }

    /// `text` cut to `width` characters, the last one an ellipsis.
    public static String ellipsis(String text, int width) {
        if (text.codePointCount(0, text.length()) <= width) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, width - 1)) + "…";
    }

    /// An id's first twelve digits, without its algorithm.
    public static String shortId(String id) {
        String digits = id.substring(id.indexOf(':') + 1);
        return digits.length() > 12 ? digits.substring(0, 12) : digits;
    }
}
