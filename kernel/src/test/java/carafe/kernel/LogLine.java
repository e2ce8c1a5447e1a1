package carafe.kernel;

import java.util.List;
import java.util.regex.Pattern;

/// A record of a log in Docker's json-file format, as strict as the monitor writes it.
record LogLine(String log, String stream, String time) {

    private static final Pattern LINE = Pattern.compile(
            "\\{\"log\":\"(.*)\",\"stream\":\"(stdout|stderr)\",\"time\":\"(\\d{4}-[^\"]+Z)\"\\}");

    static List<LogLine> read(String file) {
        return file.lines().map(LogLine::parse).toList();
    }

    private static LogLine parse(String line) {
        var match = LINE.matcher(line);
        if (!match.matches()) {
            throw new AssertionError("not a record: " + line.substring(0, Math.min(200, line.length())));
        }
        return new LogLine(plain(match.group(1)), match.group(2), match.group(3));
    }

    private static String plain(String escaped) {
        var out = new StringBuilder();
        for (int i = 0; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            switch (escaped.charAt(++i)) {
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 'u' -> {
                    out.append((char) Integer.parseInt(escaped.substring(i + 1, i + 5), 16));
                    i += 4;
                }
                case '"' -> out.append('"');
                case '\\' -> out.append('\\');
                default -> throw new AssertionError("not an escape: " + escaped.substring(i - 1));
            }
        }
        return out.toString();
    }
}
