package carafe.spec.tar;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Names as a tar has them (any bytes but NUL) and as Java has them: UTF-8, and a byte that is not UTF-8 becomes a lone
/// surrogate U+DC80..U+DCFF (Python's "surrogateescape"), so every name survives the way there and back. The same form
/// as the kernel room's, which may import nothing, so that a name from a tar is the name of the file.
public final class TarText {

    private TarText() {}

    /// The bytes of `text`, without a closing NUL.
    public static byte[] encode(String text) {
        byte[] plain = text.getBytes(StandardCharsets.UTF_8);
        if (plain.length == text.length() && text.equals(new String(plain, StandardCharsets.ISO_8859_1))) {
            return plain; // all ASCII; an escape would have become a question mark
        }
        int escaped = 0;
        for (int i = 0; i < text.length(); i++) {
            if (isEscape(text, i)) {
                escaped++;
            }
        }
        if (escaped == 0) {
            return plain;
        }
        var out = ByteBuffer.allocate(text.length() * 3);
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            if (isEscape(text, i)) {
                out.put(text.substring(start, i).getBytes(StandardCharsets.UTF_8));
                out.put((byte) (text.charAt(i) - 0xDC00));
                start = i + 1;
            }
        }
        out.put(text.substring(start).getBytes(StandardCharsets.UTF_8));
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    private static boolean isEscape(String text, int i) {
        char c = text.charAt(i);
        return c >= 0xDC80 && c <= 0xDCFF && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    /// The text of `bytes`; bytes that are not UTF-8 are kept as lone surrogates.
    public static String decode(byte[] bytes) {
        return decode(bytes, 0, bytes.length);
    }

    /// The text of `length` bytes from `offset` on.
    public static String decode(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (bytes[i] < 0) {
                return decodeBeyondAscii(ByteBuffer.wrap(bytes, offset, length));
            }
        }
        return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
    }

    private static String decodeBeyondAscii(ByteBuffer in) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(in.duplicate()).toString();
        } catch (CharacterCodingException notUtf8) {
            var out = CharBuffer.allocate(in.remaining());
            var decoder = StandardCharsets.UTF_8.newDecoder();
            while (in.hasRemaining()) {
                var result = decoder.decode(in, out, true);
                for (int i = 0; result.isError() && i < result.length(); i++) {
                    out.put((char) (0xDC00 + (in.get() & 0xFF)));
                }
                decoder.reset();
            }
            return out.flip().toString();
        }
    }
}
