package carafe.kernel;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Writes netlink messages of nfnetlink one after the other: headers in the machine's order, attributes in the
/// network's. Source: netlink(7), linux/netfilter/nfnetlink.h.
final class NftWriter {

    private static final int HEADER_BYTES = 16;

    private ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.nativeOrder());
    private int message = -1;
    private int messages;

    /// Begins a message; `type` carries the subsystem in its upper byte.
    void begin(int type, int flags, int family, int resource) {
        if (message >= 0) {
            throw new IllegalStateException("a message is open");
        }
        room(HEADER_BYTES + 4);
        message = out.position();
        out.putInt(0).putShort((short) type).putShort((short) (NfTables.NLM_F_REQUEST | flags)).putInt(messages++)
                .putInt(0);
        out.put((byte) family).put((byte) 0).put((byte) (resource >> 8)).put((byte) resource);
    }

    /// Ends the message that was begun.
    void end() {
        out.putInt(message, out.position() - message);
        message = -1;
    }

    /// Begins an attribute that holds others.
    /// @return to be given to [#close]
    int open(int attribute) {
        room(4);
        int at = out.position();
        out.putShort((short) 0).putShort((short) (attribute | NfTables.NLA_F_NESTED));
        return at;
    }

    /// Ends the attribute that `open` began.
    void close(int at) {
        int length = out.position() - at;
        if (length > 0xFFFF) {
            throw new IllegalStateException("an attribute of " + length + " bytes");
        }
        out.putShort(at, (short) length);
    }

    /// How many bytes the attribute has that `open` began.
    int size(int at) {
        return out.position() - at;
    }

    /// A number of four bytes.
    void number(int attribute, int value) {
        room(8);
        out.putShort((short) 8).putShort((short) attribute);
        out.put((byte) (value >> 24)).put((byte) (value >> 16)).put((byte) (value >> 8)).put((byte) value);
    }

    /// A name with its NUL.
    void text(int attribute, String value) {
        byte[] name = value.getBytes(StandardCharsets.UTF_8);
        room(4 + name.length + 4);
        out.putShort((short) (4 + name.length + 1)).putShort((short) attribute).put(name).put((byte) 0);
        pad();
    }

    /// Bytes as they are.
    void bytes(int attribute, byte[] value) {
        room(4 + value.length + 4);
        out.putShort((short) (4 + value.length)).putShort((short) attribute).put(value);
        pad();
    }

    private void pad() {
        while ((out.position() & 3) != 0) {
            out.put((byte) 0);
        }
    }

    private void room(int bytes) {
        if (out.remaining() < bytes) {
            var larger = ByteBuffer.allocate(Math.max(out.capacity() * 2, out.position() + bytes));
            out = larger.order(ByteOrder.nativeOrder()).put(out.flip());
        }
    }

    /// All messages so far.
    byte[] finish() {
        var all = new ByteArrayOutputStream(out.position());
        all.write(out.array(), 0, out.position());
        return all.toByteArray();
    }
}
