package carafe.hub.web;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/// Numbers, times and history as people read them.
final class Words {

    private static final String[] UNITS = {"kB", "MB", "GB", "TB"};

    private Words() {}

    /// `29.1 MB`, in powers of 1000 as Docker counts.
    static String size(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 999.95 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : "%.1f %s", value, UNITS[unit]);
    }

    /// `3 hours ago`.
    static String ago(Instant then, Instant now) {
        long seconds = Math.max(0, Duration.between(then, now).toSeconds());
        if (seconds < 60) {
            return "just now";
        }
        if (seconds < 3600) {
            return count(seconds / 60, "minute");
        }
        if (seconds < 86_400) {
            return count(seconds / 3600, "hour");
        }
        long days = seconds / 86_400;
        return days < 60 ? count(days, "day") : days < 730 ? count(days / 30, "month") : count(days / 365, "year");
    }

    private static String count(long number, String unit) {
        return number + " " + unit + (number == 1 ? "" : "s") + " ago";
    }

    /// `1 tag`, `2 tags`.
    static String plural(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    /// A step of a history as a line of a Dockerfile.
    static String instruction(String createdBy) {
        String line = createdBy.strip();
        if (line.startsWith("/bin/sh -c #(nop)")) {
            return line.substring("/bin/sh -c #(nop)".length()).strip();
        }
        if (line.startsWith("/bin/sh -c ")) {
            return "RUN " + line.substring("/bin/sh -c ".length()).strip();
        }
        if (line.startsWith("RUN /bin/sh -c ")) {
            line = "RUN " + line.substring("RUN /bin/sh -c ".length()).strip();
        }
        int mark = line.lastIndexOf(" # buildkit");
        return mark > 0 ? line.substring(0, mark) : line;
    }

    /// For a query.
    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
