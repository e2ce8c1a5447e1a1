package carafe.cli.session;

import carafe.spec.tar.TarText;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;

/// Names of files, which are any bytes, between paths, which keep them, and texts in the form of [TarText]. Java itself makes
/// a text of a path, and a path of a text, in the JVM's locale, where some names are none; as URIs it takes all.
public final class PathText {

    private static final char UNKNOWN = '\uFFFD';

    private PathText() {}

    /// The text of `path`.
    public static String of(Path path) {
        String text = path.toString();
        if (text.indexOf(UNKNOWN) < 0) {
            return text;
        }
        String raw = Path.of("/").resolve(path).toUri().getRawPath();
        int begin = path.isAbsolute() ? 0 : 1;
        int end = raw.endsWith("/") && !text.endsWith("/") ? raw.length() - 1 : raw.length(); // a directory's has one more
        return TarText.decode(unescaped(raw.substring(begin, end)));
    }

    /// The bytes of `path`.
    public static byte[] bytes(Path path) {
        return TarText.encode(of(path));
    }

    /// What has the name, or the relative path, `text` in `directory`.
    public static Path resolve(Path directory, String text) {
        try {
            return directory.resolve(text);
        } catch (InvalidPathException e) {
            return Path.of(URI.create("file://" + escaped(bytes(directory.toAbsolutePath())) + "/"
                    + escaped(TarText.encode(text))));
        }
    }

    /// The path that `text` is, absolute or not.
    public static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            Path path = resolve(Path.of("/"), text);
            return text.startsWith("/") ? path : path.subpath(0, path.getNameCount());
        }
    }

    private static byte[] unescaped(String raw) {
        byte[] bytes = raw.getBytes(StandardCharsets.ISO_8859_1);
        int length = 0;
        for (int i = 0; i < bytes.length; i++) {
            boolean escape = bytes[i] == '%';
            bytes[length++] = escape ? (byte) Integer.parseInt(raw, i + 1, i + 3, 16) : bytes[i];
            i += escape ? 2 : 0;
        }
        return Arrays.copyOf(bytes, length);
    }

    private static String escaped(byte[] bytes) {
        var text = new StringBuilder(bytes.length * 3);
        for (byte b : bytes) {
            boolean plain = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '/';
            text.append(plain ? String.valueOf((char) b) : "%%%02X".formatted(b));
        }
        return text.toString();
    }
}
