package carafe.cli.command;

import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Shows the messages of a transfer: on a terminal one line per layer that is kept current, else a line per message
/// without the numbers in between. Source: docker/cli's jsonmessage (behaviour).
final class Progress {

    private static final int WIDE = 110;
    private static final int BAR = 50;
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB"};

    private final OutputStream out;
    private final boolean terminal;
    private final int columns;

    /// The line of each thing, counted from the first.
    private final Map<String, Integer> lines = new HashMap<>();
    private Optional<Json.Obj> result = Optional.empty();

    /// Writes to `out`, which is the caller's standard stream number `stream`.
    Progress(Session session, OutputStream out, int stream) {
        this.out = out;
        this.terminal = session.terminal().isTerminal(stream);
        this.columns = terminal ? session.terminal().size().map(size -> size.columns()).orElse(80) : 0;
    }

    /// What was told for programs last, if anything was.
    Optional<Json.Obj> result() {
        return result;
    }

    /// Shows one message.
    /// @throws Failure it tells of an error
    void show(Json.Obj message) throws Failure, EngineException.Invalid, IOException {
        String error = message.object("errorDetail").text("message", message.text("error"));
        if (!error.isEmpty()) {
            throw new Failure(1, error);
        }
        String stream = message.text("stream");
        String status = message.text("status");
        if (!stream.isEmpty()) {
            write(stream);
            return;
        }
        if (status.isEmpty()) { // for programs
            message.find("aux").ifPresent(aux -> result = aux instanceof Json.Obj found ? Optional.of(found) : result);
            return;
        }
        String id = message.text("id");
        String bar = bar(message.object("progressDetail"));
        String text = (id.isEmpty() ? "" : id + ": ") + status;
        if (!terminal) {
            if (bar.isEmpty()) {
                write(text + "\n");
            }
        } else if (id.isEmpty() || message.find("progressDetail").isEmpty()) {
            lines.clear();
            write(text + "\n");
        } else {
            update(id, bar.isEmpty() ? text : text + " " + bar);
        }
    }

    private void update(String id, String text) throws IOException {
        var frame = new StringBuilder();
        Integer line = lines.get(id);
        if (line == null) {
            line = lines.size();
            lines.put(id, line);
            frame.append('\n');
        }
        int up = lines.size() - line;
        String shown = columns > 0 && text.length() >= columns ? text.substring(0, columns - 1) : text;
        frame.append("\033[").append(up).append("A\033[2K\r").append(shown).append("\r\033[").append(up).append('B');
        write(frame.toString());
    }

    private String bar(Json.Obj detail) throws EngineException.Invalid {
        long current = detail.number("current", 0);
        long total = detail.number("total", 0);
        if (current <= 0 && total <= 0) {
            return "";
        }
        if (total <= 0) {
            return "%8s".formatted(human(current));
        }
        String numbers = "%8s/%s".formatted(human(current), human(total));
        if (terminal && columns < WIDE) {
            return numbers;
        }
        int filled = (int) Math.min(BAR, Math.max(0, current) * BAR / total);
        return "[" + "=".repeat(filled) + (filled < BAR ? ">" + " ".repeat(BAR - 1 - filled) : "") + "] " + numbers;
    }

    private static String human(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString() + UNITS[unit];
    }

    private void write(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Shows all of a stream.
    void showAll(Json.Stream messages) throws Failure, EngineException.Invalid, IOException {
        for (var next = messages.next(); next.isPresent(); next = messages.next()) {
            if (next.get() instanceof Json.Obj message) {
                show(message);
            }
        }
    }
}
