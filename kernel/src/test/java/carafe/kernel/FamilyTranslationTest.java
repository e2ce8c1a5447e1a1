package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Both programs as the kernel runs them, packet by packet.
class FamilyTranslationTest {

    private static final int PASS = 0;
    private static final int SHOT = 2;
    private static final String OWN = "192.0.0.3";
    private static final String WEB = "172.30.0.2";
    private static final String OWN6 = "fd12:3456:789a:bcde:f012:3456:c000:3";
    private static final String WEB6 = "fd12:3456:789a:bcde:f012:3456:ac1e:2";
    private static final String ROUTER6 = "2001:db8::1";

    private final Random random = new Random(7);
    private Fd toFour;
    private Fd toSix;

    @BeforeEach
    void load() throws Exception {
        var translation = new FamilyTranslation(
                Arrays.copyOf(TestPacket.address(OWN6), 12), TestPacket.address(OWN));
        assertThat(translation.sixOf(TestPacket.address(WEB))).isEqualTo(TestPacket.address(WEB6));
        toFour = translation.loadSixToFour();
        toSix = translation.loadFourToSix();
    }

    @AfterEach
    void unload() {
        toFour.close();
        toSix.close();
    }

    private static TestPacket passed(Fd program, TestPacket packet) throws Exception {
        var outcome = Bpf.run(program, packet.bytes());
        assertThat(outcome.answer()).isEqualTo(PASS);
        return new TestPacket(outcome.packet());
    }

    private static void dropped(String why, Fd program, TestPacket packet) throws Exception {
        assertThat(Bpf.run(program, packet.bytes()).answer()).as(why).isEqualTo(SHOT);
    }

    private byte[] noise(int bytes) {
        byte[] noise = new byte[bytes];
        random.nextBytes(noise);
        return noise;
    }

    private TestPacket clients(int protocol, byte[] payload, int checksum) {
        return TestPacket.six(OWN6, WEB6, protocol, TestPacket.summed(OWN6, WEB6, protocol, payload, checksum));
    }

    private TestPacket containers(int protocol, byte[] payload, int checksum) {
        return TestPacket.four(WEB, OWN, protocol, TestPacket.summed(WEB, OWN, protocol, payload, checksum));
    }

    /// The payload is the same but for its checksum, which is right.
    private static void same(TestPacket before, TestPacket after, int checksum) {
        byte[] expected = before.payload();
        byte[] found = after.payload();
        assertThat(after.payloadLength()).isEqualTo(before.payloadLength()).isEqualTo(found.length);
        assertThat(after.headerHolds()).isTrue();
        assertThat(after.payloadHolds()).isTrue();
        for (byte[] payload : new byte[][] {expected, found}) {
            payload[checksum] = 0;
            payload[checksum + 1] = 0;
        }
        assertThat(found).isEqualTo(expected);
    }

    @Test
    void packetsOfAnyLengthReachTheContainerAsTheyWere() throws Exception {
        for (int length : new int[] {20, 21, 24, 33, 60, 61, 1000, 1240, 1241, 1440}) {
            for (int protocol : new int[] {6, 17}) {
                int checksum = protocol == 6 ? 16 : 6;
                var before = clients(protocol, noise(length), checksum);
                var after = passed(toFour, before);
                same(before, after, checksum);
                assertThat(after.from()).isEqualTo(OWN);
                assertThat(after.to()).isEqualTo(WEB);
                assertThat(after.at(0)).isEqualTo(0x45);
                assertThat(after.at(1)).as("class").isEqualTo(0xb8);
                assertThat(after.at(8)).as("time to live").isEqualTo(61);
                assertThat(after.at(9)).isEqualTo(protocol);
                assertThat(after.half(6)).as("large packets are not fragmented, small ones may be")
                        .isEqualTo(length > 1240 ? 0x4000 : 0);
            }
        }
    }

    @Test
    void answersOfAnyLengthReachTheClientAsTheyWere() throws Exception {
        for (int length : new int[] {20, 21, 24, 33, 60, 61, 1000, 1460}) {
            for (int protocol : new int[] {6, 17}) {
                int checksum = protocol == 6 ? 16 : 6;
                var before = containers(protocol, noise(length), checksum);
                var after = passed(toSix, before);
                same(before, after, checksum);
                assertThat(after.isSix()).isTrue();
                assertThat(after.from()).isEqualTo(WEB6);
                assertThat(after.to()).isEqualTo(OWN6);
                assertThat(after.half(0)).as("version and class").isEqualTo(0x6b80);
                assertThat(after.half(2)).as("flow label").isZero();
                assertThat(after.at(6)).isEqualTo(protocol);
                assertThat(after.at(7)).as("hop limit").isEqualTo(61);
            }
        }
    }

    @Test
    void theChecksumOfSctpCountsNoAddresses() throws Exception {
        byte[] payload = noise(41);
        assertThat(passed(toFour, TestPacket.six(OWN6, WEB6, 132, payload)).payload()).isEqualTo(payload);
        assertThat(passed(toSix, TestPacket.four(WEB, OWN, 132, payload)).payload()).isEqualTo(payload);
    }

    @Test
    void aDatagramWithoutChecksumIsNoneOfIpv6() throws Exception {
        byte[] payload = noise(20);
        payload[6] = 0;
        payload[7] = 0;
        dropped("of a container", toSix, TestPacket.four(WEB, OWN, 17, payload));
    }

    /// For 65 536 datagrams a right checksum of each value comes up, those that are written as 0xffff among them.
    @Test
    void everyChecksumIsRight() throws Exception {
        byte[] payload = new byte[12];
        for (int i = 0; i < 1 << 16; i += 7) {
            ByteBuffer.wrap(payload).putShort(10, (short) i);
            var after = passed(toFour, clients(17, payload, 6));
            assertThat(after.payloadHolds()).as("payload " + i).isTrue();
            assertThat(after.half(26)).as("zero would mean that there is none").isNotZero();
        }
    }

    @Test
    void onlyTheTranslatorsAddressesAreTranslated() throws Exception {
        byte[] payload = noise(20);
        dropped("from elsewhere", toFour, TestPacket.six(ROUTER6, WEB6, 6, payload));
        dropped("from another of the prefix", toFour, TestPacket.six(WEB6, WEB6, 6, payload));
        dropped("to elsewhere", toFour, TestPacket.six(OWN6, ROUTER6, 6, payload));
        dropped("to itself", toFour, TestPacket.six(OWN6, OWN6, 6, payload));
        dropped("of the other family", toFour, TestPacket.four(OWN, WEB, 6, payload));
        dropped("to elsewhere", toSix, TestPacket.four(WEB, "192.0.0.4", 6, payload));
        dropped("to itself", toSix, TestPacket.four(OWN, OWN, 6, payload));
        dropped("of the other family", toSix, TestPacket.six(WEB6, OWN6, 6, payload));
        for (int protocol : new int[] {0, 2, 41, 43, 44, 47, 50, 51, 60, 89, 255}) { // headers of IPv6 among them
            dropped("protocol " + protocol, toFour, TestPacket.six(OWN6, WEB6, protocol, payload));
            dropped("protocol " + protocol, toSix, TestPacket.four(WEB, OWN, protocol, payload));
        }
    }

    @Test
    void fragmentsAndOptionsOfIpv4AreDropped() throws Exception {
        for (int bits : new int[] {0x2000, 0x0001, 0x1fff, 0x3000}) {
            byte[] bytes = containers(6, noise(20), 16).bytes();
            ByteBuffer.wrap(bytes).putShort(20, (short) bits);
            dropped("fragment " + bits, toSix, new TestPacket(bytes));
        }
        byte[] bytes = containers(6, noise(40), 16).bytes();
        for (int length : new int[] {0x40, 0x44, 0x46, 0x4f, 0x55, 0x65}) {
            bytes[14] = (byte) length;
            dropped("header " + length, toSix, new TestPacket(bytes));
        }
    }

    /// The kernel itself runs no program on a packet whose header is cut off.
    @Test
    void whatIsCutOffNeverPasses() throws Exception {
        byte[] six = clients(6, noise(20), 16).bytes();
        for (int length = 14 + 40; length < 14 + 40 + 18; length++) {
            dropped("IPv6, " + length, toFour, new TestPacket(Arrays.copyOf(six, length)));
        }
        byte[] four = containers(17, noise(20), 6).bytes();
        for (int length = 14 + 20; length < 14 + 20 + 8; length++) {
            dropped("IPv4, " + length, toSix, new TestPacket(Arrays.copyOf(four, length)));
        }
        byte[] error = error6(2, 0, 1400, quoted6(WEB6, ROUTER6, 6)).bytes();
        for (int length = 14 + 40; length < 14 + 40 + 8 + 40; length++) {
            dropped("ICMPv6, " + length, toFour, new TestPacket(Arrays.copyOf(error, length)));
        }
        error = error4(3, 4, 1400, quoted4(OWN, WEB)).bytes();
        for (int length = 14 + 20; length < 14 + 20 + 8 + 20; length++) {
            dropped("ICMP, " + length, toSix, new TestPacket(Arrays.copyOf(error, length)));
        }
    }

    /// The beginning of a packet, as errors quote it.
    private byte[] quoted6(String from, String to, int protocol) {
        byte[] bytes = TestPacket.six(from, to, protocol, noise(1000)).bytes();
        return Arrays.copyOfRange(bytes, 14, 14 + 40 + 131);
    }

    private byte[] quoted4(String from, String to) {
        byte[] bytes = TestPacket.four(from, to, 6, noise(1000)).bytes();
        return Arrays.copyOfRange(bytes, 14, 14 + 20 + 13);
    }

    private static byte[] message(int type, int code, int value, byte[] quoted) {
        return ByteBuffer.allocate(8 + quoted.length).put((byte) type).put((byte) code).putShort((short) 0).putInt(value)
                .put(quoted).array();
    }

    private static TestPacket error6(int type, int code, int value, byte[] quoted) {
        byte[] message = message(type, code, value, quoted);
        return TestPacket.six(ROUTER6, WEB6, 58, TestPacket.summed(ROUTER6, WEB6, 58, message, 2));
    }

    private static TestPacket error4(int type, int code, int value, byte[] quoted) {
        byte[] message = message(type, code, value, quoted);
        return TestPacket.four("172.30.0.1", OWN, 1, TestPacket.summed("172.30.0.1", OWN, 1, message, 2));
    }

    private static TestPacket inside(TestPacket error) {
        byte[] packet = new byte[14 + error.payload().length - 8];
        System.arraycopy(error.payload(), 8, packet, 14, packet.length - 14);
        return new TestPacket(packet);
    }

    @Test
    void aContainerLearnsThatItsPacketsAreTooBig() throws Exception {
        for (String client : new String[] {OWN6, "2001:db8::7"}) { // an error of this host names the client
            var before = error6(2, 0, 1400, quoted6(WEB6, client, 17));
            var after = passed(toFour, before);
            assertThat(after.from()).isEqualTo(OWN);
            assertThat(after.to()).isEqualTo(WEB);
            assertThat(after.protocol()).isEqualTo(1);
            assertThat(after.headerHolds()).isTrue();
            assertThat(after.payloadLength()).isEqualTo(after.payload().length).isEqualTo(before.payload().length - 20);
            assertThat(after.payloadHolds()).isTrue();
            assertThat(after.half(20)).as("fragmentation needed").isEqualTo(0x0304);
            assertThat(after.half(24)).isZero();
            assertThat(after.half(26)).as("mtu").isEqualTo(1380);
            var quoted = inside(after);
            assertThat(quoted.from()).isEqualTo(WEB);
            assertThat(quoted.to()).isEqualTo(OWN);
            assertThat(quoted.protocol()).isEqualTo(17);
            assertThat(quoted.payloadLength()).isEqualTo(1000);
            assertThat(quoted.headerHolds()).isTrue();
            assertThat(quoted.payload()).isEqualTo(inside(before).payload());
        }
        assertThat(passed(toFour, error6(2, 0, 9_000_000, quoted6(WEB6, OWN6, 6))).half(26)).isEqualTo(65515);
        for (int small : List.of(0, 20, 80, 1279, 1280)) {
            assertThat(passed(toFour, error6(2, 0, small, quoted6(WEB6, OWN6, 6))).half(26))
                    .as("one client makes no other's packets smaller than IPv6 allows: %s", small).isEqualTo(1260);
        }
    }

    @Test
    void aClientLearnsThatItsPacketsAreTooBig() throws Exception {
        var before = error4(3, 4, 1400, quoted4(OWN, WEB));
        var after = passed(toSix, before);
        assertThat(after.to()).isEqualTo(OWN6);
        assertThat(after.from()).as("the host's address, in the prefix").endsWith(":ac1e:1");
        assertThat(after.protocol()).isEqualTo(58);
        assertThat(after.payloadLength()).isEqualTo(after.payload().length).isEqualTo(before.payload().length + 20);
        assertThat(after.payloadHolds()).isTrue();
        assertThat(after.half(40)).as("packet too big").isEqualTo(0x0200);
        assertThat(after.half(44)).isZero();
        assertThat(after.half(46)).as("mtu").isEqualTo(1420);
        var quoted = inside(after);
        assertThat(quoted.from()).isEqualTo(OWN6);
        assertThat(quoted.to()).isEqualTo(WEB6);
        assertThat(quoted.protocol()).isEqualTo(6);
        assertThat(quoted.payloadLength()).isEqualTo(1000);
        assertThat(quoted.payload()).isEqualTo(inside(before).payload());
        assertThat(passed(toSix, error4(3, 4, 576, quoted4(OWN, WEB))).half(46))
                .as("IPv6 knows no smaller ones; such packets may be fragmented").isEqualTo(1280);
    }

    @Test
    void errorsKeepTheirMeaning() throws Exception {
        int[][] fourOfSix = {{1, 0, 3, 1}, {1, 1, 3, 10}, {1, 2, 3, 1}, {1, 3, 3, 1}, {1, 4, 3, 3}, {3, 0, 11, 0}, {3, 1, 11, 1},
            {4, 1, 3, 2}};
        for (int[] row : fourOfSix) {
            var after = passed(toFour, error6(row[0], row[1], 0, quoted6(WEB6, OWN6, 6)));
            assertThat(new int[] {after.at(20), after.at(21)}).as(Arrays.toString(row)).containsExactly(row[2], row[3]);
            assertThat(after.payloadHolds()).isTrue();
        }
        int[][] sixOfFour = {{3, 0, 1, 0}, {3, 1, 1, 0}, {3, 2, 4, 1}, {3, 3, 1, 4}, {3, 5, 1, 0}, {3, 9, 1, 1}, {3, 10, 1, 1},
            {3, 12, 1, 0}, {3, 13, 1, 1}, {3, 15, 1, 1}, {11, 0, 3, 0}, {11, 1, 3, 1}};
        for (int[] row : sixOfFour) {
            var after = passed(toSix, error4(row[0], row[1], 0, quoted4(OWN, WEB)));
            assertThat(new int[] {after.at(40), after.at(41)}).as(Arrays.toString(row)).containsExactly(row[2], row[3]);
            assertThat(after.payloadHolds()).isTrue();
        }
    }

    @Test
    void otherMessagesAreDropped() throws Exception {
        for (int type : new int[] {0, 5, 100, 128, 129, 133, 134, 135, 136, 137, 255}) {
            dropped("ICMPv6 " + type, toFour, error6(type, 0, 0, quoted6(WEB6, OWN6, 6)));
        }
        for (int[] message : new int[][] {{1, 5}, {1, 6}, {4, 0}, {4, 2}}) {
            dropped(Arrays.toString(message), toFour, error6(message[0], message[1], 0, quoted6(WEB6, OWN6, 6)));
        }
        for (int type : new int[] {0, 4, 5, 8, 9, 10, 12, 13, 255}) {
            dropped("ICMP " + type, toSix, error4(type, 0, 0, quoted4(OWN, WEB)));
        }
        dropped("unknown", toSix, error4(3, 14, 0, quoted4(OWN, WEB)));
        dropped("about another's packet", toFour, error6(1, 0, 0, quoted6(OWN6, WEB6, 6)));
        dropped("about a fragment", toFour, error6(1, 0, 0, quoted6(WEB6, OWN6, 44)));
        dropped("about another's packet", toSix, error4(3, 1, 0, quoted4(WEB, OWN)));
    }
}
