package carafe.spec.tar;

import carafe.spec.EngineException;
import java.util.Arrays;

/// The fields of one 512-byte header block. Numbers are octal or base-256, and what does not fit the field's meaning is
/// refused here. Source: POSIX.1-2017 pax "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
public final class TarHeader {

    /// All of a tar comes in pieces of so many bytes.
    public static final int BLOCK = 512;

    private final byte[] block;

    private TarHeader(byte[] block) {
        this.block = block;
    }

    /// True when `block` looks like a header: its checksum fits. A block of zeros is none.
    public static boolean fits(byte[] block) {
        long unsigned = 0;
        long signed = 0;
        for (int i = 0; i < BLOCK; i++) {
            int value = i >= 148 && i < 156 ? ' ' : block[i];
            unsigned += value & 0xFF;
            signed += value;
        }
        try {
            long wanted = number(block, 148, 8);
            return unsigned != 8L * ' ' && (wanted == unsigned || wanted == signed);
        } catch (EngineException.Invalid e) {
            return false;
        }
    }

    /// The header in `block`.
    static TarHeader of(byte[] block) throws EngineException.Invalid {
        if (!fits(block)) {
            throw new EngineException.Invalid("invalid tar header: the checksum does not fit");
        }
        return new TarHeader(block);
    }

    /// The raw 512 bytes, borrowed.
    byte[] block() {
        return block;
    }

    /// The member's type as its one character.
    char type() {
        return (char) (block[156] & 0xFF);
    }

    /// The name, put together with the prefix where the format has one.
    String name() {
        String name = text(0, 100);
        if (!posix()) {
            return name;
        }
        boolean star = matches(508, "tar\0");
        String prefix = text(345, star ? 131 : 155);
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    String linkName() {
        return text(157, 100);
    }

    int mode() throws EngineException.Invalid {
        return (int) (number(block, 100, 8) & 07777);
    }

    long uid() throws EngineException.Invalid {
        return number(block, 108, 8);
    }

    long gid() throws EngineException.Invalid {
        return number(block, 116, 8);
    }

    long size() throws EngineException.Invalid {
        long size = number(block, 124, 12);
        if (size < 0) {
            throw new EngineException.Invalid("invalid tar header: negative size " + size);
        }
        return size;
    }

    long mtime() throws EngineException.Invalid {
        return number(block, 136, 12);
    }

    int deviceMajor() throws EngineException.Invalid {
        return device(329);
    }

    int deviceMinor() throws EngineException.Invalid {
        return device(337);
    }

    private int device(int offset) throws EngineException.Invalid {
        if (!posix() && !gnu()) {
            return 0;
        }
        long number = number(block, offset, 8);
        if (number < 0 || number > 0xFFFFF) {
            throw new EngineException.Invalid("invalid tar header: device number " + number);
        }
        return (int) number;
    }

    /// GNU's own format, whose old sparse files have their map in the header.
    boolean gnu() {
        return matches(257, "ustar  \0");
    }

    private boolean posix() {
        return matches(257, "ustar\0");
    }

    private boolean matches(int offset, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (block[offset + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String text(int offset, int length) {
        int end = offset;
        while (end < offset + length && block[end] != 0) {
            end++;
        }
        return TarText.decode(Arrays.copyOfRange(block, offset, end));
    }

    /// The number in a field: octal digits between blanks and NULs, or base-256 when the first bit says so.
    static long number(byte[] block, int offset, int length) throws EngineException.Invalid {
        if (block[offset] < 0) {
            return binary(block, offset, length);
        }
        int at = offset;
        int end = offset + length;
        while (at < end && (block[at] == ' ' || block[at] == 0)) {
            at++;
        }
        while (end > at && (block[end - 1] == ' ' || block[end - 1] == 0)) {
            end--;
        }
        long value = 0;
        for (; at < end && block[at] != 0; at++) {
            int digit = block[at] - '0';
            if (digit < 0 || digit > 7) {
                throw new EngineException.Invalid("invalid tar header: a number is not octal");
            }
            value = value << 3 | digit; // at most twelve digits: 36 bits
        }
        return value;
    }

    private static long binary(byte[] block, int offset, int length) throws EngineException.Invalid {
        boolean negative = (block[offset] & 0x40) != 0;
        long value = negative ? -1 : 0;
        for (int i = 0; i < length; i++) {
            int digit = block[offset + i] & 0xFF;
            if (i == 0) {
                digit = negative ? digit : digit & 0x7F;
            }
            long shifted = value << 8;
            if (shifted >> 8 != value) {
                throw new EngineException.Invalid("invalid tar header: a number has more than 63 bits");
            }
            value = shifted | digit;
        }
        return value;
    }
}
