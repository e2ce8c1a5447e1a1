package carafe.kernel;

import static carafe.kernel.Rtnetlink.NLA_F_NESTED;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/// Writes one message of netlink: a fixed body, then attributes, which may nest. Everything is in the machine's byte
/// order and padded to four bytes. Source: netlink(7), netlink(3).
final class NetlinkMessage {

    static final int HEADER_BYTES = 16;

    private static final int ATTRIBUTE_HEADER_BYTES = 4;
    private static final int MOST_BYTES = 8192;

    private ByteBuffer buffer = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    private final Deque<Integer> open = new ArrayDeque<>();

    /// The message's length, sequence number and sender are filled in when it is sent.
    NetlinkMessage(int type, int flags) {
        buffer.putInt(0).putShort((short) type).putShort((short) (flags | Rtnetlink.NLM_F_REQUEST)).putInt(0).putInt(0);
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int size = Math.max(buffer.capacity() * 2, buffer.position() + bytes);
            if (size > MOST_BYTES) {
                throw new IllegalArgumentException("a message of more than " + MOST_BYTES + " bytes");
            }
            buffer = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder()).put(buffer.flip());
        }
        return buffer;
    }

    NetlinkMessage u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    NetlinkMessage u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    NetlinkMessage u32(int value) {
        room(4).putInt(value);
        return this;
    }

    NetlinkMessage put(int type, byte[] value) {
        int length = ATTRIBUTE_HEADER_BYTES + value.length;
        room(aligned(length)).putShort((short) length).putShort((short) type).put(value);
        return pad();
    }

    /// A text with its end.
    NetlinkMessage put(int type, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return put(type, Arrays.copyOf(bytes, bytes.length + 1));
    }

    NetlinkMessage put32(int type, int value) {
        room(8).putShort((short) 8).putShort((short) type).putInt(value);
        return this;
    }

    NetlinkMessage put16(int type, int value) {
        room(8).putShort((short) 6).putShort((short) type).putShort((short) value).putShort((short) 0);
        return this;
    }

    NetlinkMessage put8(int type, int value) {
        room(8).putShort((short) 5).putShort((short) type).put((byte) value).put((byte) 0).putShort((short) 0);
        return this;
    }

    /// Begins an attribute that holds what follows until [#end].
    NetlinkMessage begin(int type) {
        return open(type | NLA_F_NESTED);
    }

    /// Like [#begin] for the old attributes whose readers do not know the flag of nesting.
    NetlinkMessage open(int type) {
        open.push(buffer.position());
        room(ATTRIBUTE_HEADER_BYTES).putShort((short) 0).putShort((short) type);
        return this;
    }

    NetlinkMessage end() {
        int start = open.pop();
        buffer.putShort(start, (short) (buffer.position() - start));
        return this;
    }

    private NetlinkMessage pad() {
        int gap = aligned(buffer.position()) - buffer.position();
        for (int i = 0; i < gap; i++) {
            room(1).put((byte) 0);
        }
        return this;
    }

    /// The message with its length.
    byte[] bytes() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("an attribute is still open");
        }
        byte[] bytes = Arrays.copyOf(buffer.array(), buffer.position());
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(0, bytes.length);
        return bytes;
    }

    static int aligned(int length) {
        return length + 3 & ~3;
    }
}
