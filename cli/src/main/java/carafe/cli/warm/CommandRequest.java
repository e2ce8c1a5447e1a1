package carafe.cli.warm;

import carafe.cli.session.Terminal;
import carafe.spec.EngineException.Invalid;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A command as its process describes it.
///
/// @param place where it is
/// @param terminals which of the streams 0, 1, 2 are terminals
/// @param size the terminal's, or zeros
/// @param directory where it was given, absolute
/// @param arguments the words behind the program's name
/// @param environment its variables
public record CommandRequest(
        Place place,
        String terminals,
        Terminal.Size size,
        Path directory,
        List<String> arguments,
        Map<String, String> environment) {

    /// Most bytes of the body that names a program.
    public static final int MAX_CODE_BYTES = 4 << 10;

    private static final int MAX_BYTES = 4 << 20;
    private static final String PROTOCOL = "1";

    /// What a process sees and makes of files: its umask, its mount namespace and its root.
    public record Place(String umask, String mounts, String root) {}

    /// Which program asks: device, inode, size and time of its jar.
    public static String code(byte[] body) throws Invalid {
        var words = new Words(body);
        String protocol = words.next();
        if (!protocol.equals(PROTOCOL)) {
            throw new Invalid("this engine runs commands of protocol " + PROTOCOL + ", not " + protocol);
        }
        return words.next();
    }

    /// Reads a description in frames, as native/carafe.h has it, and no byte more.
    /// @throws EOFException the process is gone
    public static CommandRequest read(InputStream in) throws IOException, Invalid {
        var from = new DataInputStream(in);
        var description = new ByteArrayOutputStream();
        while (true) {
            int kind = from.readByte();
            int length = from.readInt();
            if (kind != FarProcess.WORDS || length < 0 || length > FarProcess.PIECE || description.size() > MAX_BYTES) {
                throw new Invalid("a command does not describe itself");
            }
            if (length == 0) {
                return parse(description.toByteArray());
            }
            byte[] piece = new byte[length];
            from.readFully(piece);
            description.writeBytes(piece);
        }
    }

    static CommandRequest parse(byte[] description) throws Invalid {
        var words = new Words(description);
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
        return new CommandRequest(place, terminals, size, directory, arguments, environment);
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
            if (end >= bytes.length) {
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
