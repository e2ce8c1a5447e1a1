package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads netlink messages one after the other from a datagram; what is shorter than it says ends the reading.
/// Source: netlink(7).
final class NfReader {

    private static final int HEADER_BYTES = 16;
    private static final int FAMILY_BYTES = 4;
    private static final int TYPE_MASK = 0x3FFF;

    private final ByteBuffer in;
    private int start;
    private int length;

    /// Reads `datagram` from its position on.
    NfReader(ByteBuffer datagram) {
        this.in = datagram.order(ByteOrder.nativeOrder());
        this.start = datagram.position();
    }

    /// Goes to the next message; false when there is none.
    boolean next() {
        start += length + 3 & -4;
        if (in.limit() - start < HEADER_BYTES) {
            return false;
        }
        length = in.getInt(start);
        return length >= HEADER_BYTES && length <= in.limit() - start;
    }

    /// The message's type, the subsystem in its upper byte.
    int type() {
        return in.getShort(start + 4) & 0xFFFF;
    }

    int flags() {
        return in.getShort(start + 6) & 0xFFFF;
    }

    int sequence() {
        return in.getInt(start + 8);
    }

    /// The socket that caused it.
    int port() {
        return in.getInt(start + 12);
    }

    /// The error number of an answer, 0 for done.
    int error() {
        return length < HEADER_BYTES + 4 ? Errno.EIO : -in.getInt(start + HEADER_BYTES);
    }

    /// What the kernel wrote beside the number; often empty.
    String errorText() {
        if ((flags() & NfTables.NLM_F_ACK_TLVS) == 0) {
            return "";
        }
        int from = start + HEADER_BYTES + 4 + HEADER_BYTES; // the request's header is repeated, capped
        return attribute(from, NfTables.NLMSGERR_ATTR_MSG).orElse("");
    }

    /// The text of an attribute of an nfnetlink message.
    Optional<String> text(int attribute) {
        return attribute(start + HEADER_BYTES + FAMILY_BYTES, attribute);
    }

    /// A number of four bytes, also one inside another attribute; `missing` where there is none.
    int number(int missing, int... path) {
        return bytes(path).filter(value -> value.length >= 4).map(value -> ByteBuffer.wrap(value).getInt()).orElse(missing);
    }

    /// What an attribute holds, also one inside another.
    Optional<byte[]> bytes(int... path) {
        return bytes(start + HEADER_BYTES + FAMILY_BYTES, start + length, path);
    }

    private Optional<byte[]> bytes(int first, int last, int... path) {
        int from = first;
        int end = last;
        for (int wanted : path) {
            int at = find(from, end, wanted);
            if (at < 0) {
                return Optional.empty();
            }
            from = at + 4;
            end = at + (in.getShort(at) & 0xFFFF);
        }
        byte[] value = new byte[end - from];
        in.get(from, value);
        return Optional.of(value);
    }

    /// What `inside` of each attribute `one` of the attribute `list` holds, in order.
    List<byte[]> each(int list, int one, int... inside) {
        var values = new ArrayList<byte[]>();
        int head = start + HEADER_BYTES + FAMILY_BYTES;
        int at = find(head, start + length, list);
        if (at < 0) {
            return values;
        }
        int end = at + (in.getShort(at) & 0xFFFF);
        int next = find(at + 4, end, one);
        while (next >= 0) {
            int past = next + (in.getShort(next) & 0xFFFF);
            bytes(next + 4, past, inside).ifPresent(values::add);
            next = find(past + 3 & -4, end, one);
        }
        return values;
    }

    /// The family of an nfnetlink message.
    int family() {
        return in.get(start + HEADER_BYTES) & 0xFF;
    }

    private Optional<String> attribute(int from, int wanted) {
        int at = find(from, start + length, wanted);
        if (at < 0) {
            return Optional.empty();
        }
        byte[] text = new byte[Math.max(0, (in.getShort(at) & 0xFFFF) - 5)]; // without its NUL
        in.get(at + 4, text);
        return Optional.of(new String(text, StandardCharsets.UTF_8));
    }

    /// Where the attribute begins between two places; negative when it is not there.
    private int find(int from, int end, int wanted) {
        for (int at = from; end - at >= 4; ) {
            int bytes = in.getShort(at) & 0xFFFF;
            if (bytes < 4 || bytes > end - at) {
                return -1;
            }
            if ((in.getShort(at + 2) & TYPE_MASK) == wanted) {
                return at;
            }
            at += bytes + 3 & -4;
        }
        return -1;
    }
}
