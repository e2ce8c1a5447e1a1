package carafe.network.dns;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// A question of a client. `name` is in lower case without a closing dot; a byte that could be mistaken for the dot
/// between two labels is a NUL in it, which is in no name of ours. `asked` is the question as it came, to be repeated.
/// `udpBytes` is how much the client takes in one datagram, `extended` whether it said so (EDNS, RFC 6891).
record Query(int id, boolean recursion, String name, int type, int kind, byte[] asked, int udpBytes, boolean extended) {

    static final int A = 1;
    static final int PTR = 12;
    static final int AAAA = 28;
    static final int OPT = 41;
    static final int INTERNET = 1;

    private static final int HEADER_BYTES = 12;
    private static final int LEAST_UDP_BYTES = 512;
    private static final int MOST_UDP_BYTES = 4096;
    private static final int MOST_NAME_BYTES = 255;
    private static final int MOST_RECORDS = 16;

    /// What a message is: a query, one that is answered with an error, or nothing to be answered at all.
    sealed interface Parsed {
        record Good(Query query) implements Parsed {}

        record Bad(int id, int code) implements Parsed {}

        record Noise() implements Parsed {}
    }

    /// Reads a message of a client. Every byte is doubted; nothing is read twice.
    static Parsed parse(byte[] message) {
        if (message.length < HEADER_BYTES || (message[2] & 0x80) != 0) {
            return new Parsed.Noise(); // too short to be answered, or an answer itself
        }
        int id = number(message, 0);
        if ((message[2] & 0x78) != 0) {
            return new Parsed.Bad(id, Response.NOT_IMPLEMENTED);
        }
        if (number(message, 4) != 1) {
            return new Parsed.Bad(id, Response.FORMAT_ERROR);
        }
        var name = new StringBuilder();
        int at = HEADER_BYTES;
        while (true) {
            if (at >= message.length) {
                return new Parsed.Bad(id, Response.FORMAT_ERROR);
            }
            int length = message[at++] & 0xFF;
            if (length == 0) {
                break;
            }
            // Above 63 it is a pointer: the first name of a message has nothing to point to.
            if (length > 63 || at + length > message.length || at + length - HEADER_BYTES > MOST_NAME_BYTES) {
                return new Parsed.Bad(id, Response.FORMAT_ERROR);
            }
            String label = new String(message, at, length, StandardCharsets.ISO_8859_1).replace('.', '\0');
            name.append(name.isEmpty() ? "" : ".").append(label.toLowerCase(Locale.ROOT));
            at += length;
        }
        if (at + 4 > message.length) {
            return new Parsed.Bad(id, Response.FORMAT_ERROR);
        }
        int end = at + 4;
        int extension = extension(message, end);
        if (extension == BROKEN) {
            return new Parsed.Bad(id, Response.FORMAT_ERROR);
        }
        int udpBytes = Math.clamp(extension, LEAST_UDP_BYTES, MOST_UDP_BYTES);
        return new Parsed.Good(new Query(id, (message[2] & 1) != 0, name.toString(), number(message, at),
                number(message, at + 2), Arrays.copyOfRange(message, HEADER_BYTES, end), udpBytes, extension >= 0));
    }

    private static final int NONE = -1;
    private static final int BROKEN = -2;

    /// What the client takes in one datagram, if an OPT record says so among the records behind the question.
    private static int extension(byte[] message, int from) {
        int records = number(message, 6) + number(message, 8) + number(message, 10);
        if (records > MOST_RECORDS) {
            return BROKEN;
        }
        int found = NONE;
        int at = from;
        for (int i = 0; i < records; i++) {
            at = afterName(message, at);
            if (at < 0 || at + 10 > message.length) {
                return BROKEN;
            }
            if (number(message, at) == OPT) {
                found = number(message, at + 2);
            }
            at += 10 + number(message, at + 8);
            if (at > message.length) {
                return BROKEN;
            }
        }
        return found;
    }

    /// Where a name ends, whatever it is; negative when it does not.
    private static int afterName(byte[] message, int from) {
        int at = from;
        while (at < message.length) {
            int length = message[at] & 0xFF;
            if (length == 0) {
                return at + 1;
            }
            if (length >= 0xC0) {
                return at + 2;
            }
            if (length > 63) {
                return -1;
            }
            at += 1 + length;
        }
        return -1;
    }

    /// Two bytes of a message.
    static int number(byte[] message, int at) {
        return (message[at] & 0xFF) << 8 | message[at + 1] & 0xFF;
    }

    /// How large an answer may be.
    int most(boolean stream) {
        return stream ? 0xFFFF : udpBytes;
    }
}
