package carafe.kernel;

import static carafe.kernel.BpfCode.R0;
import static carafe.kernel.BpfCode.R1;
import static carafe.kernel.BpfCode.R2;
import static carafe.kernel.BpfCode.R3;
import static carafe.kernel.BpfCode.R7;
import static carafe.kernel.BpfCode.STACK;

import carafe.kernel.BpfCode.Function;
import carafe.kernel.BpfCode.Size;
import carafe.kernel.BpfCode.When;

/// The program that makes IPv4 packets of IPv6 ones. They must go to an address of the prefix, and come from the
/// translator's own, except for ICMP errors, which come from routers anywhere. Source: RFC 7915, 5.
final class SixToFour extends TranslationCode {

    private static final int SMALL = LEAST_MTU - HEADER6;

    private SixToFour(FamilyTranslation addresses) {
        super(addresses);
    }

    static byte[] assemble(FamilyTranslation addresses) {
        return new SixToFour(addresses).program();
    }

    private byte[] program() {
        begin(true);
        read(0, SIX, HEADER6);
        ofPrefix(SIX + 24);
        code.load(Size.WORD, R1, STACK, SIX + 36);
        code.jump(When.EQUAL, R1, own(), DROP); // nobody has that address; it would come back for ever
        code.load(Size.BYTE, R7, STACK, SIX + 6);
        code.jump(When.EQUAL, R7, ICMPV6, "error");
        ofPrefix(SIX + 8);
        code.load(Size.WORD, R1, STACK, SIX + 20);
        code.jump(When.DIFFERENT, R1, own(), DROP);
        known(R7, "payload");
        header(SIX, FOUR);
        source();
        copy(Size.WORD, SIX + 36, FOUR + 16);
        fragmentable();
        finishHeader(FOUR);
        sum(true, SIX + 8, 32, FOUR + 12, 8);
        correct(HEADER6);
        change(false);
        write(FOUR, HEADER4);
        pass();
        code.place("error");
        error();
        return end();
    }

    private void ofPrefix(int place) {
        for (int i = 0; i < FamilyTranslation.PREFIX_BYTES; i += 4) {
            code.load(Size.WORD, R1, STACK, place + i);
            code.jump(When.DIFFERENT, R1, word(addresses.prefix(), i), DROP);
        }
    }

    private void source() {
        code.storeNumber(Size.WORD, STACK, FOUR + 12, own());
    }

    /// An IPv4 header without addresses and checksum, not to be fragmented.
    private void header(int six, int four) {
        code.storeNumber(Size.BYTE, STACK, four, 0x45);
        code.load(Size.HALF, R1, STACK, six); // version, traffic class, a part of the flow label
        code.bigEndian(R1, 16);
        code.right32(R1, 4);
        code.store(Size.BYTE, STACK, four + 1, R1);
        addHalf(six + 4, HEADER4, four + 2);
        code.storeNumber(Size.WORD, STACK, four + 4, word(new byte[] {0, 0, 0x40, 0}, 0));
        copy(Size.BYTE, six + 7, four + 8);
        copy(Size.BYTE, six + 6, four + 9);
        code.storeNumber(Size.HALF, STACK, four + 10, 0);
    }

    /// A small packet has to arrive whatever the links of IPv4 carry: there is no way to tell an IPv6 host to send less.
    private void fragmentable() {
        code.load(Size.HALF, R1, STACK, SIX + 4);
        code.bigEndian(R1, 16);
        code.jump(When.ABOVE, R1, SMALL, "large");
        code.call(Function.GET_PRANDOM_U32);
        code.store(Size.HALF, STACK, FOUR + 4, R0);
        code.storeNumber(Size.HALF, STACK, FOUR + 6, 0);
        code.place("large");
    }

    private void finishHeader(int four) {
        sum(true, 0, 0, four, HEADER4);
        finishSum(four + 10);
    }

    /// An error about a packet of the one it goes to. Whom that packet went to is not asked: errors of this host have the
    /// client's address there, since the host has not translated it yet.
    private void error() {
        read(HEADER6, ICMP6, ICMP_HEADER + HEADER6);
        for (int i = 0; i < 16; i += 4) {
            code.load(Size.WORD, R1, STACK, QUOTED6 + 8 + i);
            code.load(Size.WORD, R2, STACK, SIX + 24 + i);
            code.jumpDifferent(R1, R2, DROP);
        }
        code.load(Size.BYTE, R1, STACK, QUOTED6 + 6);
        known(R1, "quoted");
        header(QUOTED6, QUOTED4);
        copy(Size.WORD, QUOTED6 + 20, QUOTED4 + 12);
        code.storeNumber(Size.WORD, STACK, QUOTED4 + 16, own());
        finishHeader(QUOTED4);
        meaning();
        pseudo();
        takeSum(ICMP6);
        sum(false, PSEUDO, 8, 0, 0);
        sum(false, SIX + 8, 32 + ICMP_HEADER + HEADER6, ICMP4, ICMP_HEADER + HEADER4);
        finishSum(ICMP4 + 2);
        header(SIX, FOUR);
        addHalf(FOUR + 2, HEADER4 - HEADER6, FOUR + 2); // the quoted header is shorter too
        code.storeNumber(Size.HALF, STACK, FOUR + 6, 0);
        code.storeNumber(Size.BYTE, STACK, FOUR + 9, ICMP);
        source();
        copy(Size.WORD, SIX + 36, FOUR + 16);
        finishHeader(FOUR);
        adjust(HEADER4 - HEADER6);
        change(false);
        write(FOUR, HEADER4 + ICMP_HEADER + HEADER4);
        pass();
    }

    /// Type, code and the largest packet; the checksum is zero yet.
    private void meaning() {
        code.storeNumber(Size.WORD, STACK, ICMP4, 0);
        code.storeNumber(Size.WORD, STACK, ICMP4 + 4, 0);
        code.load(Size.BYTE, R1, STACK, ICMP6);
        code.load(Size.BYTE, R2, STACK, ICMP6 + 1);
        code.jump(When.EQUAL, R1, 1, "unreachable");
        code.jump(When.EQUAL, R1, 2, "too big");
        code.jump(When.EQUAL, R1, 3, "time exceeded");
        code.jump(When.DIFFERENT, R1, 4, DROP); // a parameter problem
        code.jump(When.DIFFERENT, R2, 1, DROP); // with the next header: protocol unreachable
        code.storeNumber(Size.HALF, STACK, ICMP4, half(3, 2));
        code.jump("meant");
        code.place("time exceeded");
        code.storeNumber(Size.BYTE, STACK, ICMP4, 11);
        code.store(Size.BYTE, STACK, ICMP4 + 1, R2);
        code.jump("meant");
        code.place("unreachable");
        code.storeNumber(Size.BYTE, STACK, ICMP4, 3);
        code.set(R3, 3); // port
        code.jump(When.EQUAL, R2, 4, "unreachable code");
        code.set(R3, 10); // forbidden
        code.jump(When.EQUAL, R2, 1, "unreachable code");
        code.jump(When.ABOVE, R2, 4, DROP);
        code.set(R3, 1); // host
        code.place("unreachable code");
        code.store(Size.BYTE, STACK, ICMP4 + 1, R3);
        code.jump("meant");
        code.place("too big");
        code.storeNumber(Size.HALF, STACK, ICMP4, half(3, 4));
        code.load(Size.WORD, R1, STACK, ICMP6 + 4);
        code.bigEndian(R1, 32);
        code.jump(When.ABOVE, R1, LEAST_MTU, "carried");
        code.set(R1, LEAST_MTU);
        code.place("carried");
        code.jump(When.BELOW, R1, 0xFFFF, "fits");
        code.set(R1, 0xFFFF);
        code.place("fits");
        code.add(R1, HEADER4 - HEADER6);
        code.bigEndian(R1, 16);
        code.store(Size.HALF, STACK, ICMP4 + 6, R1);
        code.place("meant");
    }
}
