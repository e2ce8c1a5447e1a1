package carafe.cli.create;

import carafe.cli.session.Session;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Environment variables and labels, from flags and from the files they name.
///
/// A file has one `NAME=value` per line; blank lines and lines that begin with `#` are skipped. A name alone takes its
/// value from the caller's environment.
public final class Variables {

    private static final int LARGEST = 8 << 20;

    private Variables() {}

    /// `--env-file` then `--env`; `NAME` alone of a flag stays as it is when the caller has no such variable.
    public static List<String> environment(List<String> files, List<String> typed, Session session) throws CreateException {
        var variables = new ArrayList<String>();
        for (var file : files) {
            variables.addAll(lines(session.path(file), session, true));
        }
        for (var one : typed) {
            String value = one.indexOf('=') >= 0 ? null : session.environment().get(one);
            variables.add(value == null ? one : one + "=" + value);
        }
        return variables;
    }

    /// `--label-file` then `--label`; the last of a name wins, one without `=` is empty.
    static Map<String, String> labels(List<String> files, List<String> typed, Session session) throws CreateException {
        var pairs = new ArrayList<String>();
        for (var file : files) {
            pairs.addAll(lines(session.path(file), session, false));
        }
        pairs.addAll(typed);
        return map(pairs);
    }

    /// `a=b` pairs as a map.
    public static Map<String, String> map(List<String> pairs) {
        var map = new LinkedHashMap<String, String>();
        for (var pair : pairs) {
            int equals = pair.indexOf('=');
            map.put(equals < 0 ? pair : pair.substring(0, equals), equals < 0 ? "" : pair.substring(equals + 1));
        }
        return map;
    }

    private static List<String> lines(Path file, Session session, boolean fromEnvironment) throws CreateException {
        var pairs = new ArrayList<String>();
        int number = 0;
        String text = read(file, session);
        for (var raw : (text.startsWith("\ufeff") ? text.substring(1) : text).split("\n", -1)) {
            number++;
            String line = raw.stripLeading();
            line = line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            String name = equals < 0 ? line : line.substring(0, equals);
            if (name.chars().anyMatch(Character::isWhitespace)) {
                throw new CreateException("invalid env file (" + file + "): variable '" + name + "' contains whitespaces");
            }
            if (name.isEmpty()) {
                throw new CreateException("invalid env file (" + file + "): no variable name on line '" + line + "'");
            }
            String value = equals >= 0 || !fromEnvironment ? null : session.environment().get(name);
            if (equals >= 0 || !fromEnvironment) {
                pairs.add(line);
            } else if (value != null) {
                pairs.add(line + "=" + value);
            }
        }
        return pairs;
    }

    private static String read(Path file, Session session) throws CreateException {
        try (InputStream in = session.files().read(file)) {
            byte[] bytes = in.readNBytes(LARGEST + 1);
            if (bytes.length > LARGEST) {
                throw new CreateException("env file " + file + " is larger than " + (LARGEST >> 20) + " MiB");
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new CreateException("env file " + file + " contains invalid utf8 bytes");
        } catch (IOException e) {
            throw new CreateException(String.valueOf(e.getMessage()));
        }
    }

    /// The variables with which `proxies` of the user's settings reach containers and builds, unless `given` sets them.
    public static List<String> proxies(Map<String, String> settings, List<String> given) {
        var variables = new ArrayList<String>();
        settings.forEach((setting, value) -> {
            String name = proxyName(setting);
            for (var spelled : name == null ? new String[0] : new String[] {name, name.toLowerCase(Locale.ROOT)}) {
                if (given.stream().noneMatch(one -> one.equals(spelled) || one.startsWith(spelled + "="))) {
                    variables.add(spelled + "=" + value);
                }
            }
        });
        return variables;
    }

    private static @Nullable String proxyName(String setting) {
        return switch (setting) {
            case "httpProxy" -> "HTTP_PROXY";
            case "httpsProxy" -> "HTTPS_PROXY";
            case "ftpProxy" -> "FTP_PROXY";
            case "noProxy" -> "NO_PROXY";
            case "allProxy" -> "ALL_PROXY";
            default -> null;
        };
    }
}
