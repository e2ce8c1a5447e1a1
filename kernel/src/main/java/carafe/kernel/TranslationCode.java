package carafe.kernel;

import static carafe.kernel.BpfCode.R0;
import static carafe.kernel.BpfCode.R1;
import static carafe.kernel.BpfCode.R2;
import static carafe.kernel.BpfCode.R3;
import static carafe.kernel.BpfCode.R4;
import static carafe.kernel.BpfCode.R5;
import static carafe.kernel.BpfCode.R6;
import static carafe.kernel.BpfCode.R7;
import static carafe.kernel.BpfCode.R8;
import static carafe.kernel.BpfCode.STACK;

import carafe.kernel.BpfCode.Function;
import carafe.kernel.BpfCode.Size;
import carafe.kernel.BpfCode.When;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What both directions of the [FamilyTranslation] are written with: the places of the stack where headers are kept, and
/// the steps that both take. r6 is the packet throughout, r7 the protocol inside, r8 a sum.
///
/// Sums of the Internet's checksums are the same in either byte order as long as all of a sum is in one; ours are in that
/// of memory. Source: RFC 1071, RFC 7915.
abstract class TranslationCode {

    static final int ETHERNET = 14;
    static final int HEADER4 = 20;
    static final int HEADER6 = 40;
    static final int ICMP_HEADER = 8;

    /// What every link of IPv6 carries; nobody may be made to send smaller ones (RFC 8200, RFC 8201).
    static final int LEAST_MTU = 1280;

    /// Behind the IPv6 header comes the header of an ICMP error, and the header it quotes.
    static final int SIX = -96;
    static final int ICMP6 = SIX + HEADER6;
    static final int QUOTED6 = ICMP6 + ICMP_HEADER;

    /// The same of IPv4.
    static final int FOUR = -160;
    static final int ICMP4 = FOUR + HEADER4;
    static final int QUOTED4 = ICMP4 + ICMP_HEADER;

    /// What a checksum of ICMPv6 counts beside addresses and message: length and protocol.
    static final int PSEUDO = SIX - 8;

    static final int TCP = 6;
    static final int UDP = 17;
    static final int SCTP = 132;
    static final int ICMP = 1;
    static final int ICMPV6 = 58;

    static final int TCP_CHECKSUM = 16;
    static final int UDP_CHECKSUM = 6;

    static final String DROP = "drop";

    private static final int SHOT = 2; // TC_ACT_SHOT
    private static final int PASS = 0; // TC_ACT_OK
    private static final int PSEUDO_HEADER = 0x10; // BPF_F_PSEUDO_HDR
    private static final int KEEP_ZERO = 0x20; // BPF_F_MARK_MANGLED_0
    private static final int RECOMPUTE = 1; // BPF_F_RECOMPUTE_CSUM
    private static final int PROTOCOL_OF_PACKET = 16; // offsetof(struct __sk_buff, protocol)

    final BpfCode code = new BpfCode();
    final FamilyTranslation addresses;

    TranslationCode(FamilyTranslation addresses) {
        this.addresses = addresses;
    }

    /// Four bytes as the number that a program sees when it loads them.
    static int word(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes, at, 4).order(ByteOrder.nativeOrder()).getInt();
    }

    /// Two bytes as the number that a program sees when it loads them.
    static int half(int first, int second) {
        return ByteBuffer.wrap(new byte[] {(byte) first, (byte) second}).order(ByteOrder.nativeOrder()).getShort() & 0xFFFF;
    }

    /// The number of a protocol in an Ethernet header.
    static int ethernetType(boolean six) {
        return six ? half(0x86, 0xdd) : half(0x08, 0x00);
    }

    final int own() {
        return word(addresses.own(), 0);
    }

    /// Keeps the packet and goes on only with those of that family.
    final void begin(boolean six) {
        code.copy(R6, R1);
        code.load(Size.WORD, R1, R6, PROTOCOL_OF_PACKET);
        code.jump(When.DIFFERENT, R1, ethernetType(six), DROP);
    }

    /// Reads `bytes` of the packet from `offset` behind the Ethernet header.
    final void read(int offset, int place, int bytes) {
        code.copy(R1, R6);
        code.set(R2, ETHERNET + offset);
        code.point(R3, place);
        code.set(R4, bytes);
        code.call(Function.SKB_LOAD_BYTES);
        code.jumpFailed(DROP);
    }

    /// Writes `bytes` over the packet's beginning, behind the Ethernet header.
    final void write(int place, int bytes) {
        code.copy(R1, R6);
        code.set(R2, ETHERNET);
        code.point(R3, place);
        code.set(R4, bytes);
        code.set(R5, RECOMPUTE);
        code.call(Function.SKB_STORE_BYTES);
        code.jumpFailed(DROP);
    }

    /// The packet is of the other family from now on, its room in front as long as that header.
    final void change(boolean toSix) {
        code.copy(R1, R6);
        code.set(R2, ethernetType(toSix));
        code.set(R3, 0);
        code.call(Function.SKB_CHANGE_PROTO);
        code.jumpFailed(DROP);
    }

    /// More or less room behind the IPv6 header.
    final void adjust(int bytes) {
        code.copy(R1, R6);
        code.set(R2, bytes);
        code.set(R3, 0); // BPF_ADJ_ROOM_NET
        code.set(R4, 0);
        code.call(Function.SKB_ADJUST_ROOM);
        code.jumpFailed(DROP);
    }

    /// r8 becomes r8, or 0 with `first`, less what stands at `from` and plus what stands at `to`.
    final void sum(boolean first, int from, int fromBytes, int to, int toBytes) {
        address(R1, from, fromBytes);
        code.set(R2, fromBytes);
        address(R3, to, toBytes);
        code.set(R4, toBytes);
        if (first) {
            code.set(R5, 0);
        } else {
            code.copy(R5, R8);
        }
        code.call(Function.CSUM_DIFF);
        code.copy(R8, R0);
    }

    private void address(int register, int place, int bytes) {
        if (bytes == 0) {
            code.set(register, 0);
        } else {
            code.point(register, place);
        }
    }

    /// Writes the checksum that the sum in r8 makes.
    final void finishSum(int place) {
        code.copy32(R1, R8);
        for (int carry = 0; carry < 2; carry++) {
            code.copy32(R2, R1);
            code.right32(R2, 16);
            code.and32(R1, 0xFFFF);
            code.add32(R1, R2);
        }
        code.xor32(R1, 0xFFFF);
        code.store(Size.HALF, STACK, place, R1);
    }

    /// r8 becomes the sum of which the ICMP header at `place` has the checksum, which is zeroed there.
    final void takeSum(int place) {
        code.load(Size.HALF, R8, STACK, place + 2);
        code.storeNumber(Size.HALF, STACK, place + 2, 0);
        code.xor32(R8, 0xFFFF);
    }

    /// What a checksum of the ICMPv6 packet at [#SIX] counts beside addresses and message.
    final void pseudo() {
        code.storeNumber(Size.WORD, STACK, PSEUDO, 0);
        code.load(Size.HALF, R1, STACK, SIX + 4);
        code.store(Size.HALF, STACK, PSEUDO + 2, R1);
        code.storeNumber(Size.WORD, STACK, PSEUDO + 4, word(new byte[] {0, 0, 0, ICMPV6}, 0));
    }

    /// Corrects the checksum of TCP or UDP, whose number is in r7, by the sum in r8; the packet has a header of
    /// `headerBytes` yet. SCTP's does not count addresses. A datagram without checksum keeps none.
    final void correct(int headerBytes) {
        code.jump(When.EQUAL, R7, SCTP, "corrected");
        code.set(R2, ETHERNET + headerBytes + TCP_CHECKSUM);
        code.set(R5, PSEUDO_HEADER);
        code.jump(When.EQUAL, R7, TCP, "checksum");
        code.set(R2, ETHERNET + headerBytes + UDP_CHECKSUM);
        code.set(R5, PSEUDO_HEADER | KEEP_ZERO);
        code.place("checksum");
        code.copy(R1, R6);
        code.set(R3, 0);
        code.copy(R4, R8);
        code.call(Function.L4_CSUM_REPLACE);
        code.jumpFailed(DROP);
        code.place("corrected");
    }

    /// Goes on with protocols that are translated only.
    final void known(int register, String label) {
        code.jump(When.EQUAL, register, TCP, label);
        code.jump(When.EQUAL, register, UDP, label);
        code.jump(When.DIFFERENT, register, SCTP, DROP);
        code.place(label);
    }

    /// Adds to a number of 16 bits in the network's order.
    final void addHalf(int from, int bytes, int to) {
        code.load(Size.HALF, R1, STACK, from);
        code.bigEndian(R1, 16);
        code.add(R1, bytes);
        code.bigEndian(R1, 16);
        code.store(Size.HALF, STACK, to, R1);
    }

    final void copy(Size size, int from, int to) {
        code.load(size, R1, STACK, from);
        code.store(size, STACK, to, R1);
    }

    /// The packet goes on as it is now.
    final void pass() {
        code.set(R0, PASS);
        code.exit();
    }

    /// The end of the program, for what is not translated.
    final byte[] end() {
        code.place(DROP);
        code.set(R0, SHOT);
        code.exit();
        return code.bytes();
    }
}
