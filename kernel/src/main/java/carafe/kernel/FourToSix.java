package carafe.kernel;

import static carafe.kernel.BpfCode.R1;
import static carafe.kernel.BpfCode.R2;
import static carafe.kernel.BpfCode.R3;
import static carafe.kernel.BpfCode.R7;
import static carafe.kernel.BpfCode.STACK;

import carafe.kernel.BpfCode.Size;
import carafe.kernel.BpfCode.When;

/// The program that makes IPv6 packets of IPv4 ones: of what containers answer to the translator's own address. Source:
/// RFC 7915, 4.
final class FourToSix extends TranslationCode {

    private static final int FRAGMENT = 0x3fff; // more fragments, or an offset
    private static final int[] FORBIDDEN = {9, 10, 13, 15};

    private FourToSix(FamilyTranslation addresses) {
        super(addresses);
    }

    static byte[] assemble(FamilyTranslation addresses) {
        return new FourToSix(addresses).program();
    }

    private byte[] program() {
        begin(false);
        read(0, FOUR, HEADER4);
        code.load(Size.BYTE, R1, STACK, FOUR);
        code.jump(When.DIFFERENT, R1, 0x45, DROP); // with options
        code.load(Size.HALF, R1, STACK, FOUR + 6);
        code.bigEndian(R1, 16);
        code.and32(R1, FRAGMENT);
        code.jump(When.DIFFERENT, R1, 0, DROP);
        code.load(Size.WORD, R1, STACK, FOUR + 16);
        code.jump(When.DIFFERENT, R1, own(), DROP);
        code.load(Size.WORD, R1, STACK, FOUR + 12);
        code.jump(When.EQUAL, R1, own(), DROP);
        code.load(Size.BYTE, R7, STACK, FOUR + 9);
        header(FOUR, SIX);
        code.jump(When.EQUAL, R7, ICMP, "error");
        known(R7, "payload");
        withChecksum();
        sum(true, FOUR + 12, 8, SIX + 8, 32);
        correct(HEADER4);
        change(true);
        write(SIX, HEADER6);
        pass();
        code.place("error");
        error();
        return end();
    }

    /// An IPv6 header with its addresses.
    private void header(int four, int six) {
        code.load(Size.BYTE, R1, STACK, four + 1); // class of service
        code.left32(R1, 20);
        code.or32(R1, 0x60000000);
        code.bigEndian(R1, 32);
        code.store(Size.WORD, STACK, six, R1);
        addHalf(four + 2, -HEADER4, six + 4);
        copy(Size.BYTE, four + 9, six + 6);
        copy(Size.BYTE, four + 8, six + 7);
        address(four + 12, six + 8);
        address(four + 16, six + 24);
    }

    private void address(int from, int to) {
        for (int i = 0; i < FamilyTranslation.PREFIX_BYTES; i += 4) {
            code.storeNumber(Size.WORD, STACK, to + i, word(addresses.prefix(), i));
        }
        copy(Size.WORD, from, to + FamilyTranslation.PREFIX_BYTES);
    }

    /// A datagram of IPv6 must have a checksum, and one that has none here cannot be corrected.
    private void withChecksum() {
        code.jump(When.DIFFERENT, R7, UDP, "with checksum");
        read(HEADER4 + UDP_CHECKSUM, ICMP4, 2);
        code.load(Size.HALF, R1, STACK, ICMP4);
        code.jump(When.EQUAL, R1, 0, DROP);
        code.place("with checksum");
    }

    /// An error about a packet of the translator's own address.
    private void error() {
        read(HEADER4, ICMP4, ICMP_HEADER + HEADER4);
        code.load(Size.BYTE, R1, STACK, QUOTED4);
        code.jump(When.DIFFERENT, R1, 0x45, DROP);
        code.load(Size.WORD, R1, STACK, QUOTED4 + 12);
        code.jump(When.DIFFERENT, R1, own(), DROP);
        code.load(Size.BYTE, R1, STACK, QUOTED4 + 9);
        known(R1, "quoted");
        header(QUOTED4, QUOTED6);
        meaning();
        addHalf(SIX + 4, HEADER6 - HEADER4, SIX + 4); // the quoted header is longer too
        code.storeNumber(Size.BYTE, STACK, SIX + 6, ICMPV6);
        pseudo();
        takeSum(ICMP4);
        sum(false, 0, 0, PSEUDO, 8);
        sum(false, ICMP4, ICMP_HEADER + HEADER4, SIX + 8, 32 + ICMP_HEADER + HEADER6);
        finishSum(ICMP6 + 2);
        change(true);
        adjust(HEADER6 - HEADER4);
        write(SIX, HEADER6 + ICMP_HEADER + HEADER6);
        pass();
    }

    /// Type, code and the largest packet; the checksum is zero yet.
    private void meaning() {
        code.storeNumber(Size.WORD, STACK, ICMP6, 0);
        code.storeNumber(Size.WORD, STACK, ICMP6 + 4, 0);
        code.load(Size.BYTE, R1, STACK, ICMP4);
        code.load(Size.BYTE, R2, STACK, ICMP4 + 1);
        code.jump(When.EQUAL, R1, 11, "time exceeded");
        code.jump(When.DIFFERENT, R1, 3, DROP);
        code.jump(When.EQUAL, R2, 2, "protocol");
        code.jump(When.EQUAL, R2, 4, "too big");
        code.storeNumber(Size.BYTE, STACK, ICMP6, 1);
        code.set(R3, 4); // port
        code.jump(When.EQUAL, R2, 3, "unreachable code");
        code.set(R3, 1); // forbidden
        for (int forbidden : FORBIDDEN) {
            code.jump(When.EQUAL, R2, forbidden, "unreachable code");
        }
        code.jump(When.ABOVE, R2, 12, DROP);
        code.set(R3, 0); // no route
        code.place("unreachable code");
        code.store(Size.BYTE, STACK, ICMP6 + 1, R3);
        code.jump("meant");
        code.place("protocol"); // a parameter problem with the next header
        code.storeNumber(Size.HALF, STACK, ICMP6, half(4, 1));
        code.storeNumber(Size.WORD, STACK, ICMP6 + 4, word(new byte[] {0, 0, 0, 6}, 0));
        code.jump("meant");
        code.place("time exceeded");
        code.storeNumber(Size.BYTE, STACK, ICMP6, 3);
        code.store(Size.BYTE, STACK, ICMP6 + 1, R2);
        code.jump("meant");
        code.place("too big");
        code.storeNumber(Size.BYTE, STACK, ICMP6, 2);
        code.load(Size.HALF, R1, STACK, ICMP4 + 6);
        code.bigEndian(R1, 16);
        code.add(R1, HEADER6 - HEADER4);
        code.jump(When.ABOVE, R1, LEAST_MTU, "mtu");
        code.set(R1, LEAST_MTU);
        code.place("mtu");
        code.bigEndian(R1, 32);
        code.store(Size.WORD, STACK, ICMP6 + 4, R1);
        code.place("meant");
    }
}
