package carafe.build.dockerfile;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// A Dockerfile's text: the name people know it by and its lines without their ends.
public record Source(String name, List<String> lines) {

    /// The longest Dockerfile that is read, in bytes.
    public static final int MAX_BYTES = 4 << 20;

    private static final int LINES_AROUND = 2;

    public Source {
        lines = List.copyOf(lines);
    }

    /// The text in `bytes` (UTF-8, a byte order mark is dropped).
    /// @throws DockerfileException it is too long
    public static Source of(String name, byte[] bytes) throws DockerfileException {
        if (bytes.length > MAX_BYTES) {
            throw new DockerfileException(Span.line(1), "the file is larger than " + MAX_BYTES + " bytes");
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.startsWith("\uFEFF")) {
            text = text.substring(1);
        }
        return new Source(name, List.of(text.replace("\r\n", "\n").split("\n", -1)));
    }

    /// The lines around `span`, those of it marked, names and passwords of URLs masked, as people are shown an error:
    ///
    ///     Dockerfile:3
    ///     --------------------
    ///        2 |     WORKDIR /x
    ///        3 | >>> RUNN true
    ///     --------------------
    public String excerpt(Span span) {
        var text = new StringBuilder(name).append(':').append(span.first()).append('\n');
        text.append("--------------------\n");
        int from = Math.max(1, span.first() - LINES_AROUND);
        int to = Math.min(lines.size(), Math.min(span.last(), span.first() + 20) + LINES_AROUND);
        for (int number = from; number <= to; number++) {
            boolean marked = number >= span.first() && number <= span.last();
            String line = lines.get(number - 1).replaceAll("://[^/\\s]*@", "://xxxxx@"); // errors travel further
            String shown = line.length() > 200 ? line.substring(0, 200) + "…" : line;
            text.append("%4d | %s %s".formatted(number, marked ? ">>>" : "   ", shown).stripTrailing()).append('\n');
        }
        return text.append("--------------------").toString();
    }
}
