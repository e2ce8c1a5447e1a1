package carafe.daemon;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;

/// The daemon's own log: one line an event on standard error, where systemd's journal collects it.
final class LogSetup {

    private LogSetup() {}

    /// Replaces what java.util.logging does by itself.
    static void install(boolean debug) {
        LogManager.getLogManager().reset();
        var root = java.util.logging.Logger.getLogger("");
        var console = new ConsoleHandler();
        console.setFormatter(new Line());
        console.setLevel(Level.ALL);
        root.addHandler(console);
        root.setLevel(debug ? Level.FINE : Level.INFO);
    }

    /// `2026-01-02T03:04:05.678Z info  text`, and the stack behind it only when the fault is ours (ERROR).
    private static final class Line extends Formatter {
        @Override
        public String format(LogRecord line) {
            var text = new StringBuilder()
                    .append(Instant.ofEpochMilli(line.getMillis()).truncatedTo(ChronoUnit.MILLIS))
                    .append(' ')
                    .append(String.format(Locale.ROOT, "%-5s", word(line.getLevel())))
                    .append(' ')
                    .append(formatMessage(line))
                    .append('\n');
            Throwable thrown = line.getThrown();
            if (thrown != null) {
                var stack = new StringWriter();
                thrown.printStackTrace(new PrintWriter(stack));
                text.append(stack);
            }
            return text.toString();
        }

        private static String word(Level level) {
            if (level.intValue() >= Level.SEVERE.intValue()) {
                return "error";
            }
            if (level.intValue() >= Level.WARNING.intValue()) {
                return "warn";
            }
            return level.intValue() >= Level.INFO.intValue() ? "info" : "debug";
        }
    }
}
