package carafe.kernel;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// A packet with its Ethernet header, made and looked at without any help of the programs under test. Checksums are made
/// the slow way, over all bytes they count.
record TestPacket(byte[] bytes) {

    private static final int ETHERNET = 14;

    /// A packet of IPv6: its class is 0xb8, its hop limit 61.
    static TestPacket six(String from, String to, int protocol, byte[] payload) {
        var out = ByteBuffer.allocate(ETHERNET + 40 + payload.length);
        out.position(12).putShort((short) 0x86dd).putInt(0x6b8abcde).putShort((short) payload.length)
                .put((byte) protocol).put((byte) 61).put(address(from)).put(address(to)).put(payload);
        return new TestPacket(out.array());
    }

    /// A packet of IPv4: its class is 0xb8, its time to live 61.
    static TestPacket four(String from, String to, int protocol, byte[] payload) {
        var out = ByteBuffer.allocate(ETHERNET + 20 + payload.length);
        out.position(12).putShort((short) 0x0800).putShort((short) 0x45b8).putShort((short) (20 + payload.length))
                .putShort((short) 7).putShort((short) 0x4000).put((byte) 61).put((byte) protocol).putShort((short) 0)
                .put(address(from)).put(address(to)).put(payload);
        byte[] bytes = out.array();
        put(bytes, ETHERNET + 10, checksum(Arrays.copyOfRange(bytes, ETHERNET, ETHERNET + 20)));
        return new TestPacket(bytes);
    }

    static byte[] address(String text) {
        return InetAddress.ofLiteral(text).getAddress();
    }

    private static void put(byte[] bytes, int at, int half) {
        bytes[at] = (byte) (half >> 8);
        bytes[at + 1] = (byte) half;
    }

    /// The payload with the checksum at `at` as the packet's addresses want it.
    static byte[] summed(String from, String to, int protocol, byte[] payload, int at) {
        byte[] summed = payload.clone();
        put(summed, at, 0);
        int sum = checksum(counted(address(from), address(to), protocol, summed));
        put(summed, at, sum == 0 && protocol == 17 ? 0xFFFF : sum); // zero would mean that there is none
        return summed;
    }

    /// What a checksum of a protocol above IP counts; ICMP's counts the message only.
    private static byte[] counted(byte[] from, byte[] to, int protocol, byte[] payload) {
        var out = new ByteArrayOutputStream();
        if (protocol != 1) {
            out.writeBytes(from);
            out.writeBytes(to);
            out.writeBytes(ByteBuffer.allocate(8).putInt(payload.length).putInt(protocol).array());
        }
        out.writeBytes(payload);
        return out.toByteArray();
    }

    static int checksum(byte[] bytes) {
        long sum = 0;
        for (int i = 0; i < bytes.length; i += 2) {
            sum += (bytes[i] & 0xFF) << 8 | (i + 1 < bytes.length ? bytes[i + 1] & 0xFF : 0);
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        return (int) ~sum & 0xFFFF;
    }

    int at(int offset) {
        return bytes[ETHERNET + offset] & 0xFF;
    }

    int half(int offset) {
        return at(offset) << 8 | at(offset + 1);
    }

    boolean isSix() {
        return at(0) >> 4 == 6;
    }

    int header() {
        return isSix() ? 40 : 20;
    }

    int protocol() {
        return isSix() ? at(6) : at(9);
    }

    /// What the header says that the packet has behind it.
    int payloadLength() {
        return isSix() ? half(4) : half(2) - 20;
    }

    byte[] payload() {
        return Arrays.copyOfRange(bytes, ETHERNET + header(), bytes.length);
    }

    private byte[] addressAt(boolean source) {
        int size = isSix() ? 16 : 4;
        int start = ETHERNET + (isSix() ? 8 : 12) + (source ? 0 : size);
        return Arrays.copyOfRange(bytes, start, start + size);
    }

    String from() throws Exception {
        return InetAddress.getByAddress(addressAt(true)).getHostAddress();
    }

    String to() throws Exception {
        return InetAddress.getByAddress(addressAt(false)).getHostAddress();
    }

    /// Whether the header's own checksum, if it has one, is right.
    boolean headerHolds() {
        return isSix() || checksum(Arrays.copyOfRange(bytes, ETHERNET, ETHERNET + 20)) == 0;
    }

    /// Whether the checksum of what is inside is right.
    boolean payloadHolds() {
        return checksum(counted(addressAt(true), addressAt(false), protocol(), payload())) == 0;
    }
}
