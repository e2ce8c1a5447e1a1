package carafe.spec.network;

import carafe.spec.EngineException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Optional;

/// One address of IPv4 or IPv6, as the number it is: `high` and `low` are its 128 bits (an IPv4 address has its 32 in
/// `low`). Ordered by family, then by number.
public record IpAddress(boolean six, long high, long low) implements Comparable<IpAddress> {

    private static final int MOST_CHARACTERS = 45;

    public IpAddress {
        if (!six && (high != 0 || low >>> 32 != 0)) {
            throw new IllegalArgumentException("no IPv4 address: " + high + ", " + low);
        }
    }

    /// The IPv4 address with these 32 bits.
    public static IpAddress four(long bits) {
        return new IpAddress(false, 0, bits & 0xffffffffL);
    }

    /// The address with these 4 or 16 bytes in network order.
    public static IpAddress of(byte[] bytes) {
        if (bytes.length != 4 && bytes.length != 16) {
            throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.length);
        }
        long high = 0;
        long low = 0;
        for (byte b : bytes) {
            high = high << 8 | low >>> 56;
            low = low << 8 | b & 0xff;
        }
        return new IpAddress(bytes.length == 16, high, low);
    }

    /// The address written as `text`; Invalid names the text.
    public static IpAddress parse(String text) throws EngineException.Invalid {
        return find(text).orElseThrow(() -> new EngineException.Invalid("invalid IP address: " + text));
    }

    /// The address written as `text`, if it is one. No zone, no leading zeros in IPv4, no name.
    public static Optional<IpAddress> find(String text) {
        if (text.isEmpty() || text.length() > MOST_CHARACTERS) {
            return Optional.empty();
        }
        byte[] bytes = text.indexOf(':') >= 0 ? parseSix(text) : parseFour(text);
        return bytes.length == 0 ? Optional.empty() : Optional.of(of(bytes));
    }

    private static byte[] parseFour(String text) {
        String[] parts = text.split("\\.", -1);
        byte[] bytes = new byte[4];
        if (parts.length != 4) {
            return new byte[0];
        }
        for (int i = 0; i < 4; i++) {
            String part = parts[i];
            boolean plain = !part.isEmpty() && part.length() <= 3 && part.chars().allMatch(c -> c >= '0' && c <= '9')
                    && (part.length() == 1 || part.charAt(0) != '0');
            if (!plain || Integer.parseInt(part) > 255) {
                return new byte[0];
            }
            bytes[i] = (byte) Integer.parseInt(part);
        }
        return bytes;
    }

    private static byte[] parseSix(String text) {
        byte[] none = new byte[0];
        int gap = text.indexOf("::");
        if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
            return none;
        }
        byte[] front = groups(gap < 0 ? text : text.substring(0, gap), gap < 0);
        byte[] back = gap < 0 ? none : groups(text.substring(gap + 2), true);
        int given = front.length + back.length;
        boolean failed = front.length % 2 != 0 || back.length % 2 != 0;
        if (failed || (gap < 0 ? given != 16 : given > 14)) {
            return none;
        }
        byte[] bytes = new byte[16];
        System.arraycopy(front, 0, bytes, 0, front.length);
        System.arraycopy(back, 0, bytes, 16 - back.length, back.length);
        return bytes;
    }

    /// The bytes of colon-separated groups, the last of which may be IPv4 if it is at the end; one byte if they are wrong.
    private static byte[] groups(String text, boolean end) {
        byte[] wrong = new byte[1];
        if (text.isEmpty()) {
            return new byte[0];
        }
        String[] parts = text.split(":", -1);
        byte[] bytes = new byte[2 * parts.length + 2];
        int at = 0;
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i];
            if (end && i == parts.length - 1 && part.indexOf('.') >= 0) {
                byte[] four = parseFour(part);
                if (four.length == 0) {
                    return wrong;
                }
                System.arraycopy(four, 0, bytes, at, 4);
                return Arrays.copyOf(bytes, at + 4);
            }
            if (part.isEmpty() || part.length() > 4 || !part.chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 128)) {
                return wrong;
            }
            int value = Integer.parseInt(part, 16);
            bytes[at++] = (byte) (value >> 8);
            bytes[at++] = (byte) value;
        }
        return Arrays.copyOf(bytes, at);
    }

    /// Its 4 or 16 bytes in network order.
    public byte[] bytes() {
        byte[] bytes = new byte[six ? 16 : 4];
        for (int i = 0; i < bytes.length; i++) {
            int shift = 8 * (bytes.length - 1 - i);
            bytes[i] = (byte) (shift >= 64 ? high >>> shift - 64 : low >>> shift);
        }
        return bytes;
    }

    /// How many bits an address of its family has.
    public int bits() {
        return six ? 128 : 32;
    }

    /// The address `distance` further; wraps around at the end of the family.
    public IpAddress plus(long distance) {
        if (!six) {
            return four(low + distance);
        }
        long sum = low + distance;
        boolean carry = distance > 0 && Long.compareUnsigned(sum, low) < 0;
        boolean borrow = distance < 0 && Long.compareUnsigned(sum, low) > 0;
        return new IpAddress(true, high + (carry ? 1 : 0) - (borrow ? 1 : 0), sum);
    }

    /// How far it is from `other` of the same family.
    public BigInteger minus(IpAddress other) {
        return new BigInteger(1, bytes()).subtract(new BigInteger(1, other.bytes()));
    }

    /// Whether it is one of 127.0.0.0/8, or ::1.
    public boolean isLoopback() {
        return six ? high == 0 && low == 1 : low >>> 24 == 127;
    }

    /// Whether it is 0.0.0.0 or ::.
    public boolean isUnspecified() {
        return high == 0 && low == 0;
    }

    /// Whether it is one of 169.254.0.0/16 or fe80::/10.
    public boolean isLinkLocal() {
        return six ? high >>> 54 == 0xfe80 >>> 6 : low >>> 16 == 0xa9fe;
    }

    @Override
    public int compareTo(IpAddress other) {
        int family = Boolean.compare(six, other.six);
        int upper = family != 0 ? family : Long.compareUnsigned(high, other.high);
        return upper != 0 ? upper : Long.compareUnsigned(low, other.low);
    }

    /// As people write it: dotted, or RFC 5952's shortest form.
    @Override
    public String toString() {
        byte[] bytes = bytes();
        if (!six) {
            return (bytes[0] & 0xff) + "." + (bytes[1] & 0xff) + "." + (bytes[2] & 0xff) + "." + (bytes[3] & 0xff);
        }
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        int start = -1;
        int length = 1;
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > length) {
                start = i;
                length = end - i;
            }
        }
        var text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == start) {
                text.append("::");
                i += length - 1;
                continue;
            }
            if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(groups[i]));
        }
        return text.toString();
    }
}
