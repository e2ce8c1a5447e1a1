package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Takes apart what the kernel answered: messages of one datagram, attributes of one message. Every length is checked
/// against what is there and every count against a limit; what does not fit is EBADMSG, never a guess.
final class NetlinkReader {

    private static final int MOST_MESSAGES = 4096;
    private static final int MOST_ATTRIBUTES = 512;

    private NetlinkReader() {}

    /// One message: its body starts behind the header.
    record Message(int type, int flags, int sequence, ByteBuffer body) {}

    /// The messages in the first `length` bytes of a datagram.
    static List<Message> messages(byte[] datagram, int length) throws KernelException {
        var buffer = ByteBuffer.wrap(datagram, 0, length).slice().order(ByteOrder.nativeOrder());
        var messages = new ArrayList<Message>();
        while (buffer.remaining() >= NetlinkMessage.HEADER_BYTES) {
            int start = buffer.position();
            int size = buffer.getInt(start);
            if (size < NetlinkMessage.HEADER_BYTES || size > buffer.remaining() || messages.size() == MOST_MESSAGES) {
                throw bad("a message of " + size + " bytes where " + buffer.remaining() + " are left");
            }
            messages.add(new Message(
                    buffer.getShort(start + 4) & 0xffff,
                    buffer.getShort(start + 6) & 0xffff,
                    buffer.getInt(start + 8),
                    slice(buffer, start + NetlinkMessage.HEADER_BYTES, size - NetlinkMessage.HEADER_BYTES)));
            buffer.position(Math.min(start + NetlinkMessage.aligned(size), buffer.limit()));
        }
        if (buffer.hasRemaining()) {
            throw bad(buffer.remaining() + " bytes behind the last message");
        }
        return messages;
    }

    /// The attributes behind the first `offset` bytes of `body`; of two with the same number the last one counts.
    static Attributes attributes(ByteBuffer body, int offset) throws KernelException {
        if (offset > body.limit()) {
            throw bad("a body of " + body.limit() + " bytes");
        }
        var buffer = slice(body, offset, body.limit() - offset);
        var found = new LinkedHashMap<Integer, ByteBuffer>();
        while (buffer.remaining() >= 4) {
            int start = buffer.position();
            int size = buffer.getShort(start) & 0xffff;
            if (size < 4 || size > buffer.remaining() || found.size() == MOST_ATTRIBUTES) {
                throw bad("an attribute of " + size + " bytes where " + buffer.remaining() + " are left");
            }
            found.put(buffer.getShort(start + 2) & Rtnetlink.NLA_TYPE_MASK, slice(buffer, start + 4, size - 4));
            buffer.position(Math.min(start + NetlinkMessage.aligned(size), buffer.limit()));
        }
        return new Attributes(found);
    }

    /// The body's fixed part, which must have at least `bytes`.
    static ByteBuffer fixed(Message message, int bytes) throws KernelException {
        if (message.body.limit() < bytes) {
            throw bad("a body of " + message.body.limit() + " bytes instead of " + bytes);
        }
        return message.body;
    }

    private static ByteBuffer slice(ByteBuffer buffer, int start, int length) {
        return buffer.slice(start, length).order(ByteOrder.nativeOrder());
    }

    static KernelException bad(String what) {
        return new KernelException("netlink", "answer", Errno.EBADMSG, what);
    }

    /// Attributes by number. What is absent or too short is the value for absence: the kernel leaves out what does not
    /// apply.
    record Attributes(Map<Integer, ByteBuffer> values) {

        boolean has(int type) {
            return values.containsKey(type);
        }

        byte[] bytes(int type) {
            var value = values.get(type);
            if (value == null) {
                return new byte[0];
            }
            byte[] bytes = new byte[value.limit()];
            value.get(0, bytes);
            return bytes;
        }

        /// The text up to its end; `""` when absent.
        String text(int type) {
            byte[] bytes = bytes(type);
            int length = 0;
            while (length < bytes.length && bytes[length] != 0) {
                length++;
            }
            return new String(bytes, 0, length, StandardCharsets.UTF_8);
        }

        int number(int type, int otherwise) {
            var value = values.get(type);
            if (value == null || value.limit() < 4) {
                return otherwise;
            }
            return value.getInt(0);
        }

        long longAt(int type, int offset) {
            var value = values.get(type);
            return value == null || value.limit() < offset + 8 ? 0 : value.getLong(offset);
        }

        Attributes nested(int type) throws KernelException {
            var value = values.get(type);
            return value == null ? new Attributes(Map.of()) : attributes(value, 0);
        }
    }
}
