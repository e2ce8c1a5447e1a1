package carafe.cli.build;

import carafe.cli.format.Human;
import carafe.cli.session.Session;
import carafe.cli.session.Terminal;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
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
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/// Shows a build's events as buildx does: `plain` a line for all that happens, `tty` a head and the steps, redrawn in
/// place several times a second, `rawjson` BuildKit's status records, one a line, `quiet` only the end of what a failed step
/// printed. Talks on standard error.
/// Events come from one thread, word of what is sent from another; the clock's redrawing has its own until [#end].
public final class BuildProgress {

    /// How a build is shown.
    public enum Style { PLAIN, TTY, RAWJSON, QUIET }

    private static final int TAIL_LINES = 20;
    private static final int SHOWN_LINES = 6;
    private static final int DIGITS = 4;
    private static final int LEAST_CONTEXT_BYTES = 1 << 20;
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final String CONTEXT = "context";
    private static final Set<String> UNTOLD = Set.of("Pulling fs layer", "Waiting", "Verifying Checksum");
    private static final Set<String> FINAL = Set.of("Pull complete", "Already exists");
    private static final Duration TICK = Duration.ofMillis(150);

    private final Session session;
    private final Style style;
    private final Instant began;
    /// The steps by their number in the plan, the context by `context`, images by their names; in the order they are shown.
    private final Map<String, Vertex> vertices = new LinkedHashMap<>();
    /// Guards everything that is drawn: `drawn`, `over` and the vertices.
    private final ReentrantLock drawing = new ReentrantLock();
    private final Optional<Thread> ticker;
    private int drawn;
    private int numbers;
    private Optional<Terminal.Size> size = Optional.empty();
    private Optional<Instant> measured = Optional.empty();
    private Optional<Json.Obj> failure = Optional.empty();
    private boolean warned;
    private boolean over;

    /// How far a part of a vertex's work is.
    private static final class Status {
        final Instant began;
        Instant told = Instant.MIN;
        String words = "";
        String line = "";

        Status(Instant began) {
            this.began = began;
        }
    }

    private static final class Vertex {
        final int number;
        final String title;
        /// Whether it is a step of the Dockerfile's.
        final boolean step;
        final ArrayDeque<String> tail = new ArrayDeque<>();
        final Map<String, Status> statuses = new LinkedHashMap<>();
        final ByteArrayOutputStream line = new ByteArrayOutputStream();
        Optional<Instant> began = Optional.empty();
        Optional<Instant> ended = Optional.empty();
        boolean cached;
        boolean cancelled;
        String error = "";

        Vertex(int number, String title, boolean step) {
            this.number = number;
            this.title = title;
            this.step = step;
        }

        boolean running() {
            return began.isPresent() && ended.isEmpty();
        }

        String digest() {
            return Digest.sha256((number + " " + title).getBytes(StandardCharsets.UTF_8)).toString();
        }
    }

    /// Shows on `session`'s standard error; to be ended.
    public BuildProgress(Session session, Style style) {
        this.session = session;
        this.style = style;
        this.began = session.clock().instant();
        this.ticker = style == Style.TTY ? Optional.of(Thread.ofVirtual().name("build-progress").start(this::tick))
                : Optional.empty();
    }

    private void tick() {
        try {
            while (true) {
                Thread.sleep(TICK);
                drawing.lock();
                try {
                    redraw(false);
                } finally {
                    drawing.unlock();
                }
            }
        } catch (InterruptedException _) {
            return; // the build is over
        }
    }

    /// What the engine said of the step that failed, if one did.
    public Optional<Json.Obj> failure() {
        return failure;
    }

    /// Whether a check of the Dockerfile found something.
    public boolean warned() {
        return warned;
    }

    /// Shows one event.
    public void on(Json.Obj event) throws EngineException.Invalid {
        drawing.lock();
        try {
            String kind = event.text("event");
            switch (kind) {
                case "planned" -> planned(event);
                case "warning" -> {
                    warned = true;
                    say(" WARNING: " + event.text("rule") + ": " + event.text("message") + " (line "
                            + event.number("line", 0) + ")"
                            + (event.text("fix").isEmpty() ? "" : "\n   try:  " + event.text("fix")));
                }
                case "note" -> say(event.text("text"));
                case "resolving", "fetching", "fetched" -> fetching(kind, event);
                default -> {
                    var vertex = vertices.get(Long.toString(event.number("vertex", -1)));
                    if (vertex != null) {
                        on(kind, vertex, event);
                    }
                }
            }
            redraw(false);
        } finally {
            drawing.unlock();
        }
    }

    private void planned(Json.Obj event) throws EngineException.Invalid {
        int number = 0;
        for (var vertex : event.objects("vertices")) {
            String stage = vertex.text("stage").isEmpty() ? "" : vertex.text("stage") + " ";
            String title = "[" + stage + vertex.number("number", 0) + "/" + vertex.number("total", 0) + "] "
                    + vertex.text("text");
            vertices.put(Integer.toString(number), new Vertex(++numbers, title, true));
            number++;
        }
    }

    /// So many bytes of the context were sent; `whole` when no more come. Little is sent untold. Any thread may tell.
    public void sent(long bytes, boolean whole) {
        drawing.lock();
        try {
            var known = vertices.get(CONTEXT);
            if (known == null && (bytes < LEAST_CONTEXT_BYTES || whole)) {
                return;
            }
            var vertex = known == null ? begun(CONTEXT, "[internal] load build context") : known;
            if (vertex.running()) {
                status(vertex, "transferring context", "", new Amount(bytes, 0, whole));
                if (whole) {
                    ended(vertex);
                    redraw(false); // the clock does in between: this is asked for with every piece
                }
            }
        } finally {
            drawing.unlock();
        }
    }

    private Vertex begun(String key, String title) {
        var vertex = new Vertex(++numbers, title, false);
        vertices.put(key, vertex);
        started(vertex);
        return vertex;
    }

    private void fetching(String kind, Json.Obj event) throws EngineException.Invalid {
        String name = event.text("name");
        var vertex = vertices.get(name);
        if (vertex == null) {
            vertex = begun(name, "[internal] load metadata for " + name);
            status(vertex, "resolve " + name, "", new Amount(0, 0, false));
        }
        String layer = event.text("layer");
        String words = event.text("status");
        if (!vertex.running()) { // told before the context was wanted
            return;
        }
        if (kind.equals("fetched")) {
            vertex.error = event.text("error");
            vertex.statuses.clear();
            ended(vertex);
        } else if (layer.matches("[0-9a-f]{12}") && !UNTOLD.contains(words)) {
            status(vertex, layer, words,
                    new Amount(event.number("current", 0), event.number("total", 0), FINAL.contains(words)));
        }
    }

    /// How many bytes are there, of how many (0: unknown), and whether that is the end.
    private record Amount(long current, long total, boolean whole) {

        @Override
        public String toString() {
            return total > 0 ? " " + Human.size(current, DIGITS) + " / " + Human.size(total, DIGITS)
                    : current > 0 ? ": " + Human.size(current, DIGITS) : "";
        }
    }

    /// Shows how far `part` of a vertex's work is; what only counts on is told once a second.
    private void status(Vertex vertex, String part, String words, Amount amount) {
        var now = session.clock().instant();
        var status = vertex.statuses.computeIfAbsent(part, _ -> new Status(now));
        status.line = part + (words.isEmpty() ? "" : " " + words) + amount
                + (amount.whole ? " " + seconds(status.began, now) + "s done" : "");
        if (!amount.whole && status.words.equals(words) && now.isBefore(status.told.plus(SECOND))) {
            return;
        }
        status.words = words;
        status.told = now;
        plain("#" + vertex.number + " " + status.line);
        if (style == Style.RAWJSON) {
            var json = Json.object().put("id", part).put("vertex", vertex.digest()).put("name", words)
                    .put("current", amount.current).put("total", amount.total)
                    .put("timestamp", now.toString()).put("started", status.began.toString());
            record("statuses", (amount.whole ? json.put("completed", now.toString()) : json).build());
        }
    }

    private void on(String kind, Vertex vertex, Json.Obj event) throws EngineException.Invalid {
        switch (kind) {
            case "started" -> started(vertex);
            case "log" -> log(vertex, Base64.getDecoder().decode(event.text("bytes")), event.number("stream", 1));
            case "explained" -> {
                if (style == Style.TTY) {
                    say("    " + vertex.title + ": " + event.text("reason"));
                } else {
                    plain("#" + vertex.number + " " + event.text("reason"));
                }
            }
            case "done" -> {
                lastLine(vertex);
                vertex.cached = event.truth("cached");
                ended(vertex);
            }
            case "failed" -> {
                lastLine(vertex);
                vertex.error = event.text("message");
                failure = Optional.of(event);
                ended(vertex);
                var text = new StringBuilder("------\n > " + vertex.title + ":\n");
                vertex.tail.forEach(line -> text.append(line).append('\n'));
                if (style == Style.QUIET) {
                    session.say(text + "------");
                } else {
                    say(text + "------");
                }
            }
            default -> { }
        }
    }

    private void started(Vertex vertex) {
        vertex.began = Optional.of(session.clock().instant());
        plain("\n#" + vertex.number + " " + vertex.title);
        raw(vertex);
    }

    private void ended(Vertex vertex) {
        vertex.ended = Optional.of(session.clock().instant());
        plain("#" + vertex.number + (!vertex.error.isEmpty() ? " ERROR: " + vertex.error
                : vertex.cancelled ? " CANCELED" : vertex.cached ? " CACHED" : " DONE " + seconds(vertex) + "s"));
        raw(vertex);
    }

    private String seconds(Vertex vertex) {
        return seconds(vertex.began.orElse(began), vertex.ended.orElse(session.clock().instant()));
    }

    private static String seconds(Instant from, Instant to) {
        return String.format(Locale.ROOT, "%.1f", Duration.between(from, to).toMillis() / 1000.0);
    }

    private void log(Vertex vertex, byte[] bytes, long stream) {
        if (style == Style.RAWJSON) {
            record("logs", Json.object().put("vertex", vertex.digest()).put("stream", stream)
                    .put("data", Base64.getEncoder().encodeToString(bytes))
                    .put("timestamp", session.clock().instant().toString()).build());
        }
        for (byte b : bytes) {
            if (b == '\n') {
                line(vertex, vertex.line.toString(StandardCharsets.UTF_8));
                vertex.line.reset();
            } else if (vertex.line.size() < 64 << 10) {
                vertex.line.write(b);
            }
        }
    }

    /// What the program printed behind its last newline.
    private void lastLine(Vertex vertex) {
        if (vertex.line.size() > 0) {
            line(vertex, vertex.line.toString(StandardCharsets.UTF_8));
            vertex.line.reset();
        }
    }

    private void line(Vertex vertex, String line) {
        var since = Duration.between(vertex.began.orElse(began), session.clock().instant());
        String shown = String.format(Locale.ROOT, "%.3f %s", since.toMillis() / 1000.0, line);
        vertex.tail.addLast(shown);
        if (vertex.tail.size() > TAIL_LINES) {
            vertex.tail.removeFirst();
        }
        plain("#" + vertex.number + " " + shown);
    }

    /// The step's state as BuildKit tells it. Source: client/graph.go of BuildKit, SolveStatus.
    private void raw(Vertex vertex) {
        if (style == Style.RAWJSON) {
            var json = Json.object().put("digest", vertex.digest()).put("name", vertex.title);
            vertex.began.ifPresent(time -> json.put("started", time.toString()));
            vertex.ended.ifPresent(time -> json.put("completed", time.toString()));
            if (vertex.cached) {
                json.put("cached", true);
            }
            if (!vertex.error.isEmpty() || vertex.cancelled) {
                json.put("error", vertex.cancelled ? "context canceled" : vertex.error);
            }
            record("vertexes", json.build());
        }
    }

    private void record(String kind, Json.Obj one) {
        session.say(Json.object().put(kind, Json.ofAll(List.of(one))).build().print());
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

    /// Draws the head and the steps anew; while it goes on no more than the window holds, the newest.
    /// The terminal's size, which may take a program to ask for, is asked for once a second.
    private void measure() {
        var now = session.clock().instant();
        if (measured.isEmpty() || !now.isBefore(measured.get().plus(SECOND))) {
            size = session.terminal().size();
            measured = Optional.of(now);
        }
    }

    private void redraw(boolean whole) {
        if (style != Style.TTY || vertices.isEmpty() || over) {
            return;
        }
        erase();
        measure();
        int columns = Math.max(20, size.map(each -> each.columns()).orElse(80));
        int rows = Math.max(3, size.map(each -> each.rows()).orElse(24) - 1);
        List<String> lines = new ArrayList<>();
        int done = 0;
        for (var vertex : vertices.values()) {
            if (vertex.began.isEmpty()) {
                continue;
            }
            done += vertex.ended.isPresent() ? 1 : 0;
            String state = vertex.cached ? "CACHED " : vertex.cancelled ? "CANCELED " : vertex.error.isEmpty() ? "" : "ERROR ";
            lines.add(aligned(" => " + state + vertex.title, seconds(vertex) + "s", columns));
            if (vertex.running()) {
                vertex.statuses.values().forEach(status -> lines.add(cut(" => => " + status.line, columns)));
                vertex.tail.stream().skip(Math.max(0, vertex.tail.size() - SHOWN_LINES))
                        .forEach(line -> lines.add(cut(" => => # " + line, columns)));
            }
        }
        String head = "[+] Building " + seconds(began, session.clock().instant()) + "s (" + done + "/" + vertices.size() + ")"
                + (done == vertices.size() ? " FINISHED" : "");
        var shown = whole ? lines : lines.subList(Math.max(0, lines.size() - rows + 1), lines.size());
        var text = new StringBuilder(cut(head, columns)).append('\n');
        shown.forEach(line -> text.append(line).append('\n'));
        raw(text.toString());
        drawn = shown.size() + 1;
    }

    private static String cut(String line, int columns) {
        String plain = line.replaceAll("\\p{Cntrl}", " ");
        return plain.length() > columns ? plain.substring(0, columns) : plain;
    }

    private static String aligned(String line, String time, int columns) {
        String left = cut(line, columns - time.length() - 1);
        return left + " ".repeat(columns - left.length() - time.length()) + time;
    }

    /// Ends the redrawing; what was done stays to be read. Steps that still run are cancelled. Once more does nothing.
    public void end() {
        ticker.ifPresent(Thread::interrupt);
        drawing.lock();
        try {
            if (!over) {
                vertices.values().stream().filter(vertex -> vertex.step && vertex.running()).forEach(vertex -> {
                    vertex.cancelled = true;
                    ended(vertex);
                });
            }
            redraw(true);
            over = true; // the clock may be waiting for its turn
            drawn = 0;
        } finally {
            drawing.unlock();
        }
    }
}
