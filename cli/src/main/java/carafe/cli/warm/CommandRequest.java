package carafe.cli.warm;

import carafe.cli.session.Terminal;
import carafe.spec.EngineException.Invalid;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A command as its process describes it.
///
/// @param code which program it is: device, inode, size and time of its jar
/// @param place where it is
/// @param terminals which of the streams 0, 1, 2 are terminals
/// @param size the terminal's, or zeros
/// @param directory where it was given, absolute
/// @param arguments the words behind the program's name
/// @param environment its variables
public record CommandRequest(
        String code,
        Place place,
        String terminals,
        Terminal.Size size,
        Path directory,
        List<String> arguments,
        Map<String, String> environment) {

    /// Most bytes of a request.
    public static final int MAX_BYTES = 4 << 20;

    private static final String PROTOCOL = "1";

    /// What a process sees and makes of files: its umask, its mount namespace and its root.
    public record Place(String umask, String mounts, String root) {}

    /// Reads a body as native/carafe.h describes it.
    public static CommandRequest parse(byte[] body) throws Invalid {
        var words = new Words(body);
        String protocol = words.next();
        if (!protocol.equals(PROTOCOL)) {
            throw new Invalid("this engine runs commands of protocol " + PROTOCOL + ", not " + protocol);
        }
        String code = words.next();
        var place = new Place(words.next(), words.next(), words.next());
        String terminals = words.next();
        var size = new Terminal.Size(words.number(), words.number());
        Path directory = Path.of(words.next());
        if (!directory.isAbsolute()) {
            throw new Invalid("the directory of a command is absolute, not " + directory);
        }
        var arguments = new ArrayList<String>();
        for (int count = words.number(); count > 0; count--) {
            arguments.add(words.next());
        }
        var environment = new HashMap<String, String>();
        while (words.more()) {
            String variable = words.next();
            int equals = variable.indexOf('=');
            if (equals > 0) {
                environment.putIfAbsent(variable.substring(0, equals), variable.substring(equals + 1)); // as getenv(3)
            }
        }
        return new CommandRequest(code, place, terminals, size, directory, arguments, environment);
    }

    /// Words that each end in a byte 0.
    private static final class Words {
        private final byte[] bytes;
        private int at;

        Words(byte[] bytes) {
            this.bytes = bytes;
        }

        boolean more() {
            return at < bytes.length;
        }

        String next() throws Invalid {
            int end = at;
            while (end < bytes.length && bytes[end] != 0) {
                end++;
            }
            if (end == bytes.length) {
                throw new Invalid("the description of a command is cut");
            }
            String word = new String(bytes, at, end - at, StandardCharsets.UTF_8);
            at = end + 1;
            return word;
        }

        int number() throws Invalid {
            String word = next();
            if (!word.matches("[0-9]{1,9}")) {
                throw new Invalid("not a number in the description of a command: " + word);
            }
            return Integer.parseInt(word);
        }
    }
}
