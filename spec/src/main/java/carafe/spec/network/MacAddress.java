package carafe.spec.network;

import carafe.spec.EngineException;
import java.util.HexFormat;
import java.util.Optional;

/// A hardware address of six bytes, in the low 48 bits of `bits`.
public record MacAddress(long bits) {

    private static final HexFormat FORM = HexFormat.ofDelimiter(":");

    /// The golden ratio's: neighbours differ in the high bits of the product.
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    public MacAddress {
        if (bits >>> 48 != 0) {
            throw new IllegalArgumentException("a hardware address has 48 bits");
        }
    }

    /// The address with these six bytes.
    public static MacAddress of(byte[] bytes) {
        if (bytes.length != 6) {
            throw new IllegalArgumentException("a hardware address has 6 bytes, not " + bytes.length);
        }
        long bits = 0;
        for (byte b : bytes) {
            bits = bits << 8 | b & 0xff;
        }
        return new MacAddress(bits);
    }

    /// The address that a container has by default: locally administered, and made of its IPv4 address, or of all of its
    /// IPv6 one where it has no other, so that a neighbour's table stays right when an address passes from one container to
    /// the next.
    public static MacAddress of(IpAddress address) {
        long four = address.six() ? (address.high() * SPREAD + address.low()) * SPREAD >>> 32 : address.low();
        return new MacAddress(0x0242L << 32 | four);
    }

    /// Reads `02:42:ac:11:00:02`, or with dashes. A group address names no interface and is refused.
    public static MacAddress parse(String text) throws EngineException.Invalid {
        return find(text).orElseThrow(() -> new EngineException.Invalid("invalid MAC address: " + text));
    }

    private static Optional<MacAddress> find(String text) {
        String plain = text.replace('-', ':');
        if (!plain.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")) {
            return Optional.empty();
        }
        byte[] bytes = FORM.parseHex(plain);
        return (bytes[0] & 1) != 0 ? Optional.empty() : Optional.of(of(bytes));
    }

    /// Its six bytes.
    public byte[] bytes() {
        byte[] bytes = new byte[6];
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) (bits >>> 40 - 8 * i);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return FORM.formatHex(bytes());
    }
}
