package carafe.cli.copy;

import java.util.ArrayDeque;

/// One end of a copy: a path as it was written, whether anything is there, and whether that is a directory. `base` of a
/// source is the name its archive begins with.
public record CopyEnd(String path, boolean exists, boolean directory) {

    /// Whether a path says by its last character that a directory is meant.
    static boolean assertsDirectory(String path) {
        return path.endsWith("/") || path.endsWith("/.") || path.equals(".");
    }

    /// `clean` with the closing `/` or `/.` that `written` had.
    public static String closed(String clean, String written) {
        String path = clean;
        boolean dot = written.equals(".") || written.endsWith("/.");
        if (dot && !path.endsWith("/.")) {
            path = path.endsWith("/") ? path + "." : path + "/.";
        } else if (written.endsWith("/") && !path.endsWith("/")) {
            path += "/";
        }
        return path;
    }

    /// The path without `.`, `..` and doubled slashes, as text; a relative one stays relative.
    public static String clean(String path) {
        boolean absolute = path.startsWith("/");
        var names = new ArrayDeque<String>();
        for (String part : path.split("/")) {
            if (part.equals("..") && !names.isEmpty() && !names.peekLast().equals("..")) {
                names.pollLast();
            } else if (part.equals("..") && !absolute) {
                names.addLast(part);
            } else if (!part.isEmpty() && !part.equals(".") && !part.equals("..")) {
                names.addLast(part);
            }
        }
        String joined = String.join("/", names);
        return absolute ? "/" + joined : joined.isEmpty() ? "." : joined;
    }

    /// The last name: `.` where the path ends in `/.`.
    public String base() {
        if (path.endsWith("/.") || path.equals(".")) {
            return ".";
        }
        String clean = clean(path);
        return clean.equals("/") ? "/" : clean.substring(clean.lastIndexOf('/') + 1);
    }

    /// Where the last name is in.
    String parent() {
        if (path.endsWith("/.")) {
            return clean(path);
        }
        String clean = clean(path);
        int cut = clean.lastIndexOf('/');
        return cut < 0 ? "." : cut == 0 ? "/" : clean.substring(0, cut);
    }
}
