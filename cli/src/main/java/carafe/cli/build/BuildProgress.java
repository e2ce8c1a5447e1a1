package carafe.cli.build;

import carafe.cli.session.Session;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Shows a build's events: `plain` a line for all that happens, `tty` the steps that run, redrawn in place, `rawjson`
/// the events themselves, `quiet` nothing. Talks on standard error.
public final class BuildProgress {

    /// How a build is shown.
    public enum Style { PLAIN, TTY, RAWJSON, QUIET }

    private static final int TAIL_LINES = 20;
    private static final int SHOWN_LINES = 6;

    private final Session session;
    private final Style style;
    private final Map<Integer, Vertex> vertices = new LinkedHashMap<>();
    private int drawn;
    private Optional<Json.Obj> failure = Optional.empty();

    private static final class Vertex {
        final int number;
        final String title;
        final ArrayDeque<String> tail = new ArrayDeque<>();
        final ByteArrayOutputStream line = new ByteArrayOutputStream();
        Instant began = Instant.EPOCH;
        boolean running;

        Vertex(int number, String title) {
            this.number = number;
            this.title = title;
        }
    }

    /// Shows on `session`'s standard error.
    public BuildProgress(Session session, Style style) {
        this.session = session;
        this.style = style;
    }

    /// What the engine said of the step that failed, if one did.
    public Optional<Json.Obj> failure() {
        return failure;
    }

    /// Shows one event.
    public void on(Json.Obj event) throws EngineException.Invalid {
        if (style == Style.RAWJSON) {
            session.say(event.print());
        }
        String kind = event.text("event");
        switch (kind) {
            case "planned" -> planned(event);
            case "warning" -> say(" WARNING: " + event.text("rule") + ": " + event.text("message") + " (line "
                    + event.number("line", 0) + ")" + (event.text("fix").isEmpty() ? "" : "\n   try:  " + event.text("fix")));
            case "note" -> say(event.text("text"));
            default -> {
                var vertex = vertices.get((int) event.number("vertex", -1));
                if (vertex != null) {
                    on(kind, vertex, event);
                }
            }
        }
        redraw();
    }

    private void planned(Json.Obj event) throws EngineException.Invalid {
        int number = 0;
        for (var vertex : event.objects("vertices")) {
            String stage = vertex.text("stage").isEmpty() ? "" : vertex.text("stage") + " ";
            String title = "[" + stage + vertex.number("number", 0) + "/" + vertex.number("total", 0) + "] "
                    + vertex.text("text");
            vertices.put(number, new Vertex(number + 1, title));
            number++;
        }
    }

    private void on(String kind, Vertex vertex, Json.Obj event) throws EngineException.Invalid {
        switch (kind) {
            case "started" -> {
                vertex.began = session.clock().instant();
                vertex.running = true;
                plain("\n#" + vertex.number + " " + vertex.title);
            }
            case "log" -> log(vertex, Base64.getDecoder().decode(event.text("bytes")));
            case "explained" -> {
                if (style == Style.TTY) {
                    say("    " + vertex.title + ": " + event.text("reason"));
                } else {
                    plain("#" + vertex.number + " " + event.text("reason"));
                }
            }
            case "done" -> {
                vertex.running = false;
                boolean cached = event.truth("cached");
                String time = seconds(vertex);
                plain("#" + vertex.number + (cached ? " CACHED" : " DONE " + time + "s"));
                if (style == Style.TTY) {
                    say(" => " + (cached ? "CACHED " : "") + vertex.title + "  " + time + "s");
                }
            }
            case "failed" -> {
                vertex.running = false;
                failure = Optional.of(event);
                plain("#" + vertex.number + " ERROR: " + event.text("message"));
                if (style == Style.TTY) {
                    say(" => ERROR " + vertex.title + "  " + seconds(vertex) + "s");
                }
                var text = new StringBuilder("------\n > " + vertex.title + ":\n");
                vertex.tail.forEach(line -> text.append(line).append('\n'));
                say(text + "------");
            }
            default -> { }
        }
    }

    private String seconds(Vertex vertex) {
        return "%.1f".formatted(Duration.between(vertex.began, session.clock().instant()).toMillis() / 1000.0);
    }

    private void log(Vertex vertex, byte[] bytes) {
        for (byte b : bytes) {
            if (b == '\n') {
                line(vertex, vertex.line.toString(StandardCharsets.UTF_8));
                vertex.line.reset();
            } else if (vertex.line.size() < 64 << 10) {
                vertex.line.write(b);
            }
        }
    }

    private void line(Vertex vertex, String line) {
        double since = Duration.between(vertex.began, session.clock().instant()).toMillis() / 1000.0;
        String shown = "%.3f %s".formatted(since, line);
        vertex.tail.addLast(shown);
        if (vertex.tail.size() > TAIL_LINES) {
            vertex.tail.removeFirst();
        }
        plain("#" + vertex.number + " " + shown);
    }

    private void plain(String line) {
        if (style == Style.PLAIN) {
            session.say(line);
        }
    }

    /// A line that stays, above those that are redrawn.
    private void say(String text) {
        if (style == Style.TTY) {
            erase();
            session.say(text);
        } else if (style == Style.PLAIN) {
            session.say(text);
        }
    }

    private void erase() {
        if (drawn > 0) {
            raw("\033[" + drawn + "A\033[J");
            drawn = 0;
        }
    }

    private void raw(String text) {
        try {
            session.err().write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            return; // there is nobody left to show it
        }
    }

    private void redraw() {
        if (style != Style.TTY) {
            return;
        }
        erase();
        int columns = session.terminal().size().map(size -> size.columns()).orElse(80);
        List<String> lines = new ArrayList<>();
        for (var vertex : vertices.values()) {
            if (vertex.running) {
                lines.add(" => " + vertex.title + "  " + seconds(vertex) + "s");
                vertex.tail.stream().skip(Math.max(0, vertex.tail.size() - SHOWN_LINES))
                        .forEach(line -> lines.add(" => => # " + line));
            }
        }
        for (String line : lines) {
            String plain = line.replaceAll("\\p{Cntrl}", " ");
            raw((plain.length() > columns ? plain.substring(0, columns) : plain) + "\n");
        }
        drawn = lines.size();
    }

    /// Takes away what is redrawn.
    public void end() {
        erase();
    }
}
