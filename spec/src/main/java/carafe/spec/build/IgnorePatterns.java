package carafe.spec.build;

import carafe.spec.EngineException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// An ordered list of patterns: the last one that matches a path, or a directory above it, decides; `!` in front turns
/// an exclusion into an exception.
public final class IgnorePatterns {

    /// Leaves nothing out.
    public static final IgnorePatterns NONE = new IgnorePatterns(List.of());

    private static final int MAX_PATTERNS = 10_000;

    private record Entry(PathPattern pattern, boolean exception) {}

    private final List<Entry> entries;

    private IgnorePatterns(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /// Reads the content of an ignore file: one pattern a line, `#` begins a comment.
    public static IgnorePatterns read(byte[] file) throws EngineException.Invalid {
        String text = new String(file, StandardCharsets.UTF_8);
        var lines = new ArrayList<String>();
        for (String line : (text.startsWith("\uFEFF") ? text.substring(1) : text).split("\n")) {
            if (!line.startsWith("#") && !line.isBlank()) {
                lines.add(line.strip());
            }
        }
        return of(lines);
    }

    /// The patterns `patterns`.
    public static IgnorePatterns of(List<String> patterns) throws EngineException.Invalid {
        if (patterns.size() > MAX_PATTERNS) {
            throw new EngineException.Invalid("more than " + MAX_PATTERNS + " patterns to ignore");
        }
        var entries = new ArrayList<Entry>();
        for (String written : patterns) {
            boolean exception = written.startsWith("!");
            String pattern = clean(exception ? written.substring(1).strip() : written);
            if (pattern.isEmpty() && exception) {
                throw new EngineException.Invalid("illegal exclusion pattern: \"!\"");
            }
            if (!pattern.isEmpty()) {
                entries.add(new Entry(PathPattern.parse(pattern), exception));
            }
        }
        return new IgnorePatterns(entries);
    }

    /// `path` without empty names, `.` and slashes around it; `..` takes the name before it away.
    public static String clean(String path) {
        var names = new ArrayList<String>();
        for (String name : path.split("/")) {
            if (name.equals("..") && !names.isEmpty() && !names.getLast().equals("**")) {
                names.removeLast();
            } else if (!name.isEmpty() && !name.equals(".") && !name.equals("..")) {
                names.add(name);
            }
        }
        return String.join("/", names);
    }

    /// Whether nothing is ever left out.
    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /// Whether a path below a left-out directory may be kept after all.
    public boolean hasExceptions() {
        return entries.stream().anyMatch(Entry::exception);
    }

    /// Whether `path` (without slash in front) is left out.
    public boolean matches(String path) {
        if (entries.isEmpty()) {
            return false;
        }
        var prefixes = new ArrayList<String>();
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            prefixes.add(path.substring(0, slash));
        }
        prefixes.add(path);
        boolean out = false;
        for (var entry : entries) {
            if (out == entry.exception && prefixes.stream().anyMatch(entry.pattern::matches)) {
                out = !entry.exception;
            }
        }
        return out;
    }
}
