package carafe.kernel;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Map;

/// What a field of a set's key or data is, with the number by which the `nft` command knows it, so that a person who
/// lists our table reads addresses and not hexadecimal. Source: the data types of nft(8).
public enum NftType {
    IPV4_ADDR(7, 4, "ipv4_addr"),
    IPV6_ADDR(8, 16, "ipv6_addr"),
    INET_PROTO(12, 1, "inet_proto"),
    INET_SERVICE(13, 2, "inet_service"),
    IFNAME(41, 16, "ifname");

    private static final Map<String, Byte> PROTOCOLS =
            Map.of("tcp", (byte) 6, "udp", (byte) 17, "sctp", (byte) 132, "icmp", (byte) 1, "ipv6-icmp", (byte) 58);

    private final int number;
    private final int bytes;
    private final String text;

    NftType(int number, int bytes, String text) {
        this.number = number;
        this.bytes = bytes;
        this.text = text;
    }

    int number() {
        return number;
    }

    /// How many bytes a value has.
    int bytes() {
        return bytes;
    }

    /// How many bytes it takes among others: whole registers of four.
    int paddedBytes() {
        return bytes + 3 & -4;
    }

    /// A value of this type from the text nft(8) prints for it; refuses what is none.
    byte[] encode(String value) {
        byte[] encoded = switch (this) {
            case IPV4_ADDR, IPV6_ADDR -> InetAddress.ofLiteral(value).getAddress();
            case INET_PROTO -> {
                Byte known = PROTOCOLS.get(value);
                yield new byte[] {known != null ? known : (byte) Integer.parseInt(value)};
            }
            case INET_SERVICE -> port(value);
            case IFNAME -> name(value);
        };
        if (encoded.length != bytes) {
            throw new IllegalArgumentException("not a value of type " + text + ": " + value);
        }
        return encoded;
    }

    private static byte[] port(String value) {
        int port = Integer.parseInt(value);
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("not a port: " + value);
        }
        return new byte[] {(byte) (port >> 8), (byte) port};
    }

    private static byte[] name(String value) {
        byte[] name = NativeText.encode(value);
        if (name.length == 0 || name.length > 15) {
            throw new IllegalArgumentException("not a name of an interface: " + value);
        }
        return ByteBuffer.allocate(16).put(name).array();
    }

    @Override
    public String toString() {
        return text;
    }
}
